// What the model test runs on: a disk in memory with a clock of its own, or the real one.

import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Files, nodeFiles } from '../../src/files/files.js'
import { MemoryDisk } from '../support/memory-disk.js'

export interface TestDisk {
  files: Files
  /** Makes the root. */
  directory: string
  /** Lets the clock of the files go on; nothing on a disk that has its own. */
  passMs(byMs: number): void
  write(path: string, content: string, isInPlace: boolean): void
  /** Other times, same content. */
  touch(path: string): void
  remove(path: string): void
}

export function memoryDisk(): TestDisk {
  const directory = join('/', 'disk')
  const disk = new MemoryDisk()
  disk.files.makeDirectory(join(directory, 'src'))
  let nowMs = Date.UTC(2026, 0, 1)
  const sources = join(directory, 'src')
  let namesChangedMs = nowMs
  const stat: Files['stat'] = path => {
    const found = disk.files.stat(path)
    return found && path === sources ? { ...found, mtimeMs: namesChangedMs, ctimeMs: namesChangedMs } : found
  }
  return {
    files: { ...disk.files, stat, now: () => nowMs },
    directory,
    passMs(byMs) {
      nowMs += byMs
    },
    write(path, content, isInPlace) {
      if (!isInPlace || !disk.files.stat(path)) namesChangedMs = nowMs
      if (isInPlace) disk.overwrite(path, Buffer.from(content), nowMs)
      else disk.write(path, Buffer.from(content), nowMs)
    },
    touch: path => disk.overwrite(path, disk.files.readFile(path) as Buffer, nowMs),
    remove(path) {
      namesChangedMs = nowMs
      disk.files.remove(path)
    },
  }
}

export function realDisk(directory: string): TestDisk {
  mkdirSync(join(directory, 'src'))
  return {
    files: nodeFiles,
    directory,
    passMs: () => undefined,
    write(path, content, isInPlace) {
      if (!isInPlace) rmSync(path, { force: true })
      writeFileSync(path, content)
    },
    touch: path => utimesSync(path, new Date(), new Date()),
    remove: path => rmSync(path),
  }
}
