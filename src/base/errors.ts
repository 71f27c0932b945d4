/** Stable codes: branch on these, never on message text. */
export type CacheErrorCode =
  // Mistakes of the caller: thrown before anything is changed.
  | 'ERR_CACHE_OPTION'
  | 'ERR_CACHE_NAMESPACE'
  | 'ERR_CACHE_KEY'
  | 'ERR_CACHE_VALUE'
  | 'ERR_CACHE_VALUE_TOO_LARGE'
  | 'ERR_CACHE_CLOSED'
  // A broken cache: reported once as a warning, never thrown by get or set.
  | 'ERR_CACHE_ROOT'
  | 'ERR_CACHE_IO'
  | 'ERR_CACHE_CORRUPT'
  // A value that a later version of the library has written.
  | 'ERR_CACHE_CODEC'
  | 'ERR_CACHE_BUSY'
  // Something can't be watched: emitted by the watcher.
  | 'ERR_CACHE_WATCH'
  // The working directory belongs to no project, so nothing is stored: reported once as a warning.
  | 'ERR_CACHE_PROJECT'
  // A result of a portable namespace is bound to its checkout: reported once as a warning.
  | 'ERR_CACHE_PORTABLE'
  /** `config.json` or an environment variable has an invalid setting: reported as a warning, and the default applies. */
  | 'ERR_CACHE_CONFIG'
  // The remote tier refuses this machine or can't be reached: reported once as a warning, thrown by `push` and `pull`.
  | 'ERR_CACHE_REMOTE'

/** The library's only error class. `value` is the offending input; `cause` is the underlying error, if there is one. */
export class CacheError extends Error {
  override readonly name = 'CacheError'
  readonly code: CacheErrorCode
  readonly value: unknown

  constructor(code: CacheErrorCode, message: string, details: { value?: unknown; cause?: unknown } = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.value = details.value
  }
}

/** What `onWarning` receives, at most once for each code and cache. The cache goes on without the part that failed. */
export interface CacheWarning {
  code: CacheErrorCode
  message: string
  cause?: unknown
}

/** Codes with which Node reports a failed file operation, besides errno codes: the permission model, and files over 2 GiB. */
const FILE_ERRORS = ['ERR_ACCESS_DENIED', 'ERR_FS_FILE_TOO_LARGE']

/** The code of a failed file operation (`ENOENT`, `ENOSPC`, `ERR_ACCESS_DENIED`, ...), or undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  // An `instanceof` check would fail in test runners, whose realms have error classes of their own.
  const code = (error as { code?: unknown } | null | undefined)?.code
  // Deno throws this class where its permissions forbid a call.
  if ((error as { name?: unknown } | null | undefined)?.name === 'NotCapable') return 'ERR_ACCESS_DENIED'
  if (typeof code !== 'string') return undefined
  return !code.startsWith('ERR_') || FILE_ERRORS.includes(code) ? code : undefined
}

/** Whether an error comes from a file or the cache, and not from a mistake in the code. */
export function isIoError(error: unknown): boolean {
  return errnoOf(error) !== undefined || error instanceof CacheError
}

/** Whether the cache is broken, or a part of the library can't be loaded. Of any copy of the library. */
export function isCacheBroken(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_CACHE_IO'
}

/** The work's result. If a part of the library can't be loaded, because it was replaced, reports that and returns the fallback. */
export function ifThere<T>(report: (error: unknown) => void, fallback: T, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!isCacheBroken(error)) throw error
    report(error)
    return fallback
  }
}

/** Whether the error is a stack overflow. Node's own range errors have a code, the engine's stack overflow has none. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && !('code' in error) && error.message.includes('call stack')
}

/** Returns what loads a sibling of the core file, on its first call. The build inserts the calls. */
export function siblingOf<T extends { build: unknown }>(load: () => T): () => T {
  let part: T | undefined
  return () => {
    part ??= loadSibling(load)
    return part
  }
}

function loadSibling<T extends { build: unknown }>(load: () => T): T {
  let cause: unknown
  try {
    const part = load()
    // Else it is of another build, or was cut short.
    if (part.build === process.env.WICKED_CACHE_BUILD) return part
  } catch (error) {
    // A stack overflow says nothing about the file.
    if (isStackOverflow(error) || error instanceof CacheError) throw error
    cause = error
  }
  const message = 'A part of wicked-cache cannot be loaded. Was it replaced since this process began?'
  throw new CacheError('ERR_CACHE_IO', message, { cause })
}
