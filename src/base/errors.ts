/** Stable codes: branch on these, never on message text. */
export type CacheErrorCode =
  // A caller's mistake: thrown at once, nothing is changed.
  | 'ERR_CACHE_OPTION'
  | 'ERR_CACHE_NAMESPACE'
  | 'ERR_CACHE_KEY'
  | 'ERR_CACHE_VALUE'
  | 'ERR_CACHE_VALUE_TOO_LARGE'
  | 'ERR_CACHE_CLOSED'
  // A broken cache: never thrown by get or set, reported once as a warning.
  | 'ERR_CACHE_ROOT'
  | 'ERR_CACHE_IO'
  | 'ERR_CACHE_CORRUPT'
  // A value was written by a later version of the library.
  | 'ERR_CACHE_CODEC'
  | 'ERR_CACHE_BUSY'
  // Not everything can be watched: an event of the watcher.
  | 'ERR_CACHE_WATCH'
  // Nothing is kept, because the working directory belongs to no project: reported once as a warning.
  | 'ERR_CACHE_PROJECT'
  // A result of a portable namespace is bound to its checkout: reported once as a warning.
  | 'ERR_CACHE_PORTABLE'
  /** `config.json` or a variable of the environment says nothing that can be followed: the defaults hold. */
  | 'ERR_CACHE_CONFIG'
  // The remote tier refuses this machine, or can't be asked: reported once as a warning, thrown by `push` and `pull`.
  | 'ERR_CACHE_REMOTE'

/** The one error class of the library. `value` is the offending input, `cause` the underlying error where there is one. */
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

/** What `onWarning` receives, at most once per code and cache: the cache goes on without what failed. */
export interface CacheWarning {
  code: CacheErrorCode
  message: string
  cause?: unknown
}

/** Node's own codes for what is trouble with a file: the permission model, and files of more than 2 GiB. */
const FILE_ERRORS = ['ERR_ACCESS_DENIED', 'ERR_FS_FILE_TOO_LARGE']

/** The code of a failed file operation (`ENOENT`, `ENOSPC`, `ERR_ACCESS_DENIED`, ...), or undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  // Not by its class: in a realm of its own, as test runners make, this module has another one than `node:fs`.
  const code = (error as { code?: unknown } | null | undefined)?.code
  // Deno's own class for what its permissions forbid.
  if ((error as { name?: unknown } | null | undefined)?.name === 'NotCapable') return 'ERR_ACCESS_DENIED'
  if (typeof code !== 'string') return undefined
  return !code.startsWith('ERR_') || FILE_ERRORS.includes(code) ? code : undefined
}

/** Whether a file or the cache is to blame, not the code. */
export function isIoError(error: unknown): boolean {
  return errnoOf(error) !== undefined || error instanceof CacheError
}

/** Node's own range errors carry a code, the engine's stack overflow does not. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && !('code' in error) && error.message.includes('call stack')
}

/** Used by the build: loads a file of the library that the core does without. */
export function loadSibling<T>(load: () => T): T {
  try {
    return load()
  } catch (cause) {
    // That says nothing about the file: its host is about to overflow the stack.
    if (isStackOverflow(cause)) throw cause
    const message = 'A part of wicked-cache cannot be loaded. Was it replaced since this process began?'
    throw new CacheError('ERR_CACHE_IO', message, { cause })
  }
}
