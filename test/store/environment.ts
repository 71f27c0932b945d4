// What the storage tests are built from: temporary directories, and environments that stand for separate processes (each
// has its own descriptors, event-loop ticks and memory; only the files are shared).

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { Descriptors } from '../../src/files/descriptors.js'
import { type Files, nodeFiles } from '../../src/files/files.js'
import { createHashing } from '../../src/hashing/hashing.js'
import { type Environment, Tick } from '../../src/log/environment.js'
import { HashSeed } from '../../src/log/hash-seed.js'

const hashing = createHashing()
const directories: string[] = []
const opened: Descriptors[] = []

afterEach(() => {
  // Windows removes nothing that is open.
  for (const descriptors of opened.splice(0)) {
    try {
      descriptors.closeAll()
    } catch (error) {
      if (!(error instanceof Killed)) throw error
    }
  }
  for (const directory of directories.splice(0)) {
    try {
      rmSync(directory, { recursive: true, force: true })
    } catch (error) {
      // What a test still has open elsewhere goes with the temporary directory of the whole run.
      if (process.platform !== 'win32') throw error
    }
  }
})

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  directories.push(directory)
  return directory
}

export function newEnvironment(overrides: Partial<Environment> = {}): Environment {
  const files = overrides.files ?? nodeFiles
  const descriptors = overrides.descriptors ?? new Descriptors(files)
  opened.push(descriptors)
  return {
    files,
    descriptors,
    hashing,
    hashSeed: new FileLessSeed(),
    tick: new Tick(),
    random: Math.random,
    readOnly: false,
    prepare: () => undefined,
    rootGeneration: () => 0,
    ...overrides,
  }
}

/** The hash seed of a cache, for an environment that looks at its files as another process does. */
export function seedIn(dir: string): HashSeed {
  return new HashSeed(nodeFiles, new Descriptors(nodeFiles), layoutOf(dir).hashSeed, Math.random)
}

/** Takes over the seed of the first log that it meets. */
class FileLessSeed {
  changeCount = 0
  readonly isEstablished = true
  #seed = 7

  current(): number {
    return this.#seed
  }

  establish(): void {
    this.current()
  }

  reconcile(seed: number): void {
    this.#seed = seed
    this.changeCount++
  }
}

/** Stands for a SIGKILL: thrown by a file call, and by every later one of the same process. */
export class Killed extends Error {}

const CHANGING = ['append', 'createFile', 'makeDirectory', 'rename', 'remove', 'open'] as const

/**
 * Files of a process that is killed at its n-th call that may change something; a killed append has written a part of its
 * bytes, or all of them. `calls` tells how many there were.
 */
export function mortalFiles(killAt: number, partOfAppend: number): Files & { calls: number } {
  const files = { ...nodeFiles, calls: 0 }
  let isDead = false
  for (const name of Object.keys(nodeFiles) as (keyof Files)[]) {
    const real = nodeFiles[name] as (...args: unknown[]) => unknown
    files[name] = ((...args: unknown[]) => {
      if (isDead) throw new Killed()
      if (!(CHANGING as readonly string[]).includes(name) || ++files.calls !== killAt) return real(...args)
      isDead = true
      if (name === 'append') {
        const length = Math.floor((args[2] as number) * partOfAppend)
        if (length > 0) nodeFiles.append(args[0] as number, args[1] as Uint8Array, length)
      }
      throw new Killed()
    }) as never
  }
  return files
}

/** A small seeded generator (mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000) * below) | 0
  }
}
