// Steps that change files: done by the process that takes the step.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { StepError } from './errors.js'
import type { TreeStep } from './format.js'

const HOUR_MS = 3_600_000

export function isTreeStep(step: { step: string }): step is TreeStep {
  return ['write file', 'edit file', 'touch file', 'remove file', 'make folder', 'make link', 'rename'].includes(
    step.step,
  )
}

export function pathIn(tree: string, path: string): string {
  return join(tree, ...path.split('/'))
}

/** @throws StepError when the step changes nothing: then what follows would prove nothing. */
export function changeTree(tree: string, step: TreeStep): void {
  const at = (path: string) => pathIn(tree, path)
  switch (step.step) {
    case 'rename':
      assertThere(tree, step.from, true)
      assertThere(tree, step.to, false)
      mkdirSync(dirname(at(step.to)), { recursive: true })
      renameSync(at(step.from), at(step.to))
      break
    case 'make folder':
      assertThere(tree, step.folder, false)
      mkdirSync(at(step.folder), { recursive: true })
      break
    case 'make link':
      assertThere(tree, step.link, false)
      symlinkSync(step.to, at(step.link))
      break
    default:
      assertThere(tree, step.file, step.step !== 'write file')
      changeFile(at(step.file), step)
  }
}

function changeFile(path: string, step: Extract<TreeStep, { file: string }>): void {
  if (step.step === 'write file') {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, step.text)
  }
  if (step.step === 'remove file') rmSync(path)
  if (step.step === 'touch file') {
    const { atime, mtimeMs } = statSync(path)
    utimesSync(path, atime, new Date(mtimeMs + HOUR_MS))
  }
  if (step.step === 'edit file') edit(path, step)
}

function edit(path: string, { file, text, keepTimes }: Extract<TreeStep, { step: 'edit file' }>): void {
  if (readFileSync(path, 'utf8') === text) throw new StepError(`${file} has this text already`)
  const { atime, mtime, mtimeMs } = statSync(path)
  writeFileSync(path, text)
  if (!keepTimes) return
  utimesSync(path, atime, mtime)
  if (statSync(path).mtimeMs !== mtimeMs) throw new StepError(`the time of ${file} could not be kept`)
}

function assertThere(tree: string, path: string, isThere: boolean): void {
  const full = pathIn(tree, path)
  if (existsSync(full) === isThere && (isThere || lstatSync(full, { throwIfNoEntry: false }) === undefined)) return
  throw new StepError(isThere ? `there is no ${path} in the tree` : `${path} is in the tree already`)
}
