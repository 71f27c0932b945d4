// One command's use of the cache: opened for it, closed after it, and what the cache warned of in between.
//
// A broken cache does not throw: to its host, a get is a miss and a set stores nothing. A person who asked wants to know,
// so every warning is a message, and the exit code is 1 whatever the command made of the empty answers.

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
  /** For commands that only look: not even statistics are written, and no directory is made. */
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
    // A gc throws what the cache has warned of already.
    if (!warnings.some(({ cause }) => cause === error)) throw error
    exitCode = 1
  } finally {
    await cache.close()
    // After the close: it writes what is pending, and may be the one that fails.
    for (const { code, message } of warnings) {
      await context.stderr.line(`${context.stderr.colour('yellow', 'warning:')} ${printable(message)} (${code})`)
    }
  }
  return warnings.length > 0 && exitCode === 0 ? 1 : exitCode
}
