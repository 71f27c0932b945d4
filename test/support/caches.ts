// Caches in directories of their own, closed and removed when the test ends.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { CacheHandle } from '../../src/cache/cache.js'
import type { Substitutes } from '../../src/cache/storage.js'
import { type Cache, CacheError, type CacheOptions, type CacheWarning, openCacheSync } from '../../src/index.js'

/** For thousands of files on a busy disk. */
const REMOVAL_MS = 60_000

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }), REMOVAL_MS)
  return directory
}

/** A root that does not exist yet, below a temporary directory. */
export function temporaryRoot(): string {
  return join(temporaryDirectory(), 'cache')
}

export interface Opened {
  cache: Cache
  warnings: CacheWarning[]
}

/** A cache as callers open it: it shares its storage with the others of this process on the same root. */
export function openIn(dir: string, options: CacheOptions = {}): Opened {
  const warnings: CacheWarning[] = []
  return closedLater(openCacheSync({ onWarning: warning => warnings.push(warning), ...options, dir }), warnings)
}

/** A cache with descriptors, memory and event-loop ticks of its own, which is what another process would have. */
export function openAsAnotherProcess(dir: string, options: CacheOptions = {}, substitutes: Substitutes = {}): Opened {
  const warnings: CacheWarning[] = []
  const onWarning = (warning: CacheWarning) => warnings.push(warning)
  return closedLater(new CacheHandle({ onWarning, ...options, dir }, substitutes), warnings)
}

function closedLater(cache: Cache, warnings: CacheWarning[]): Opened {
  onTestFinished(() => cache.close())
  return { cache, warnings }
}

/** Resolves once the immediates of this tick of the event loop have run. */
export const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))

/** File systems and clocks count time in steps: what is younger than this may still change without a trace. */
const CLOCK_STEP_MS = 30

/** Returns once the file has been as it is for longer than clocks take for a step. */
export function settle(path: string): void {
  const { ctimeMs } = statSync(path)
  while (Date.now() <= ctimeMs + CLOCK_STEP_MS);
}

/** The `CacheError` that the call throws; anything else fails the test. */
export function errorOf(call: () => unknown): CacheError {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    if (error instanceof CacheError) return error
    throw new Error('What was thrown is no CacheError.', { cause: error })
  }
  throw new Error(`Nothing was thrown; the result is ${String(result)}.`)
}

/** The codes of warnings that were given more than once. */
export function repeatedCodes(warnings: readonly CacheWarning[]): string[] {
  const codes = warnings.map(({ code }) => code)
  return codes.filter((code, index) => codes.indexOf(code) !== index)
}

/** Paths of all files below a directory, relative to it and sorted. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1))
    .sort()
}
