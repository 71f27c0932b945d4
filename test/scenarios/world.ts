// The surroundings of one run: a fresh directory with the tree and the cache root, and the steps that change files.
//
//   <temporary directory>/tree/           the working directory, a copy of the scenario's own
//                        /home/cache/     the cache root, with a level to spare above it for names that try `..`

import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { setDifferences } from './compare.js'
import { StepError } from './errors.js'
import type { WorldStep } from './format.js'

export type FileStep = Exclude<WorldStep, { step: 'advance clock' | 'run cli' }>

/** Whole seconds: only those survive being read and set again, see `keepTimes`. */
const TREE_TIME = new Date('2024-02-29T12:00:00Z')
const HOUR_MS = 3_600_000

export class World {
  readonly tree: string
  readonly cacheDir: string
  readonly #dir: string
  /** What the steps made of the tree. */
  #expectedPaths: Set<string>

  constructor(startingTree: string | undefined) {
    // Without links in it, as file names are compared later on.
    this.#dir = realpathSync(mkdtempSync(join(tmpdir(), 'wicked-cache-scenario-')))
    this.tree = join(this.#dir, 'tree')
    this.cacheDir = join(this.#dir, 'home', 'cache')
    mkdirSync(dirname(this.cacheDir))
    if (startingTree === undefined) mkdirSync(this.tree)
    else cpSync(startingTree, this.tree, { recursive: true })
    this.#expectedPaths = new Set(pathsBelow(this.tree))
    for (const path of this.#expectedPaths) utimesSync(join(this.tree, path), TREE_TIME, TREE_TIME)
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }

  absolute(path: string): string {
    return join(this.tree, ...path.split('/'))
  }

  /** Texts with the run's own directories replaced, as a scenario can expect them. */
  withoutDirectories(text: string): string {
    return text.replaceAll(this.cacheDir, '{cache}').replaceAll(this.tree, '{tree}')
  }

  /** @throws StepError when the step changes nothing: then what follows would prove nothing. */
  do(step: FileStep): void {
    if (step.step === 'rename') {
      this.#expect(step.from, true)
      this.#expect(step.to, false)
      renameSync(this.absolute(step.from), this.absolute(step.to))
    } else if (step.step === 'make folder') {
      this.#expect(step.folder, false)
      mkdirSync(this.absolute(step.folder), { recursive: true })
    } else {
      this.#expect(step.file, step.step !== 'write file')
      this.#change(step)
    }
    this.#expectedPaths = new Set(pathsBelow(this.tree))
  }

  #change(step: Extract<FileStep, { file: string }>): void {
    const path = this.absolute(step.file)
    if (step.step === 'write file') writeFileSync(path, step.text)
    if (step.step === 'remove file') rmSync(path)
    if (step.step === 'touch file') {
      const { atime, mtimeMs } = statSync(path)
      utimesSync(path, atime, new Date(mtimeMs + HOUR_MS))
    }
    if (step.step === 'edit file') edit(path, step)
  }

  #expect(path: string, isThere: boolean): void {
    if (existsSync(this.absolute(path)) === isThere) return
    throw new StepError(isThere ? `there is no ${path} in the tree` : `${path} is in the tree already`)
  }

  /** Files that the cache put where none of its files may be, and files of others that it took. */
  strayFiles(): string[] {
    return [
      ...setDifferences(['tree', 'home'], readdirSync(this.#dir)),
      ...readdirSync(dirname(this.cacheDir)).filter(name => name !== 'cache'),
      ...setDifferences([...this.#expectedPaths], pathsBelow(this.tree)),
    ]
  }
}

function edit(path: string, { file, text, keepTimes }: Extract<FileStep, { step: 'edit file' }>): void {
  if (readFileSync(path, 'utf8') === text) throw new StepError(`${file} has this text already`)
  const { atime, mtime, mtimeMs } = statSync(path)
  writeFileSync(path, text)
  if (!keepTimes) return
  utimesSync(path, atime, mtime)
  if (statSync(path).mtimeMs !== mtimeMs) throw new StepError(`the time of ${file} could not be kept`)
}

function pathsBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter(path => lstatSync(join(dir, path)).isFile())
    .map(path => relative(dir, join(dir, path)).split(sep).join('/'))
}
