// Opens the cache for one command, closes it afterwards, and prints its warnings.
//
// A broken cache doesn't throw: a get is a miss, and a set stores nothing. A user of the command line wants to know, so every
// warning is printed, and the exit code is at least 1.

import { resolve } from 'node:path'
import type { Cache, CacheOptions, CacheWarning } from '../src/index.js'
import type { Context, ExitCode, OptionValues } from './command.js'
import { printable } from './printable.js'

export interface Session {
  cache: Cache
  /** Whether the cache has complained so far. */
  isBroken(): boolean
  /** The cache's warnings so far, in sentences. */
  problems(): string[]
}

export interface SessionOptions extends Pick<OptionValues, 'dir'> {
  /** For commands that only read: nothing is written, not even statistics, and no directory is created. */
  readOnly?: boolean
  remoteOptions?: CacheOptions['remote']
}

export async function withCache(
  options: SessionOptions,
  context: Context,
  body: (session: Session) => Promise<ExitCode>,
): Promise<ExitCode> {
  const warnings: CacheWarning[] = []
  const { openCache, defaultDir } = await context.library()
  const cache = await openCache({
    dir: resolve(options.dir ?? defaultDir(context.env)),
    ...(options.readOnly ? { mode: 'readonly' as const } : {}),
    ...(options.remoteOptions === undefined ? {} : { remote: options.remoteOptions }),
    onWarning: warning => {
      warnings.push(warning)
    },
  })
  let exitCode: ExitCode
  try {
    exitCode = await body({
      cache,
      isBroken: () => warnings.length > 0,
      problems: () => warnings.map(({ message }) => message),
    })
  } catch (error) {
    // The cache has already warned of what a gc throws.
    if (!warnings.some(({ cause }) => cause === error)) throw error
    exitCode = 1
  } finally {
    await cache.close()
    // Only after closing, which writes pending data and may fail as well.
    for (const { code, message } of warnings) {
      await context.stderr.line(`${context.stderr.colour('yellow', 'warning:')} ${printable(message)} (${code})`)
    }
  }
  return warnings.length > 0 && exitCode === 0 ? 1 : exitCode
}
