// What functions that compute values are given, and what callers can say about them.

import type { MissReason } from './reasons.js'

/** A path, or a `file:` URL. Relative paths are from the working directory, as in `node:fs`. */
export type PathLike = string | URL

export interface GlobOptions {
  /** The directory that relative patterns and the returned paths are from. Default: the working directory. */
  cwd?: PathLike
}

/**
 * What a compute function uses to look at the world. Each look is recorded as an input of the result, as it was at the look;
 * the result is valid while all of them are the same. The functions are bound, so the object can be destructured and spread.
 *
 * All throw CacheError `ERR_CACHE_CLOSED` once the computation has ended, and `ERR_CACHE_OPTION` for what is no path.
 */
export interface ComputeContext {
  /**
   * The text of a file (UTF-8). What is no regular file, or forbidden, gives what reading it gives, and a result that is
   * returned and not cached.
   *
   * @throws errors as `fs.readFileSync` does; that the file is missing is an input as well
   * @example
   * await ns.getOrSet('config', ctx => JSON.parse(ctx.readFile('package.json')))
   */
  readFile(path: PathLike): string
  /** The bytes of a file; otherwise like `readFile`. */
  readBytes(path: PathLike): Uint8Array
  /** Whether there is a file or directory: its content is no input. */
  exists(path: PathLike): boolean
  /**
   * The names in a directory, sorted.
   *
   * @throws errors as `fs.readdirSync` does
   */
  readDirectory(path: PathLike): string[]
  /**
   * The files that match glob patterns, sorted, with `/` between the parts. The result becomes stale when a file starts or
   * stops to match, and not for any other file. Patterns are picomatch's; those that begin with `!` take matches out.
   *
   * @example
   * ctx.glob(['src/**\/*.css', '!src/vendor/**'])
   */
  glob(patterns: string | readonly string[], options?: GlobOptions): string[]
  /**
   * Records files or directories that are read by other means. Name them before they are read, or later if they haven't
   * changed since the computation began; otherwise the result is returned and not cached.
   *
   * @example
   * const { css, loadedUrls } = sass.compile(file)
   * ctx.addDependency(loadedUrls)
   */
  addDependency(paths: PathLike | Iterable<PathLike>): void
  /** The value of an environment variable. Only a digest of it is stored. */
  env(name: string): string | undefined
  /** Calls `fn` as a part of this computation, where its context was lost: in the callback of a batcher or of a pool. */
  run<R>(fn: () => R): R
  /** Calls `fn` so that what it asks the cache for is no input of this computation. */
  untracked<R>(fn: () => R): R
}

export interface AnalyzeContext extends ComputeContext {
  /** The file's absolute path. Looking at it binds the result to this checkout. */
  readonly path: string
  /** The file's path from the project's directory, with `/` between the parts; absolute for a file elsewhere. */
  readonly relativePath: string
  /** The file's text (UTF-8). */
  readonly source: string
  /** The file's bytes. */
  readonly bytes: Uint8Array
}

/** How a computing call was answered. */
export interface CallResult {
  isHit: boolean
  /** Why it was a miss. */
  reason?: MissReason
  /** Absolute paths of the files and directories that the result depends on. */
  files: string[]
  /** How long the computation took, in ms: this one, or the one that the stored result came from. */
  computeMs: number
}

export interface GetOrSetOptions {
  /** Maximum age of the result: ms, or a duration such as `'12h'`. A stored result that is older counts as a miss. */
  ttl?: number | string
  /** Files that the result depends on. They are part of the question: other files are another question. */
  files?: readonly PathLike[]
  /** Any storable value that the function depends on, such as its options. It is part of the question. */
  inputs?: unknown
  /** Told how the call was answered, before it returns. */
  onResult?: (result: CallResult) => void
}

/** A file whose text the host has: it is analyzed as given, whatever is on disk. */
export interface SourceText {
  path: PathLike
  source: string
}

export interface AnalyzeOptions {
  /** Any storable value that the function depends on, such as its options. It is part of the question. */
  inputs?: unknown
  /** The result depends on the content alone, wherever the file is: a file with the same content is a hit. Default: false. */
  anywhere?: boolean
  onResult?: (result: CallResult) => void
}

export interface WrapOptions<Args extends unknown[]> {
  /** Any storable value that the function closes over. It is part of the question. */
  inputs?: unknown
  /** Files that the result depends on. */
  files?: readonly PathLike[] | ((...args: Args) => readonly PathLike[])
  /** Maximum age of results: ms, or a duration such as `'12h'`. */
  ttl?: number | string
  onResult?: (result: CallResult) => void
}
