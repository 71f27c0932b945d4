// What functions that compute values are given, and what callers can say about them.

import type { MissReason } from './reasons.js'

/** A path, or a `file:` URL. Relative paths are from the working directory, as in `node:fs`. */
export type PathLike = string | URL

/** How a glob is looked at. */
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
  /**
   * The bytes of a file; otherwise like `readFile`.
   *
   * @example
   * await ns.getOrSet('magic number', ctx => ctx.readBytes('package.json').subarray(0, 4))
   */
  readBytes(path: PathLike): Uint8Array
  /**
   * Whether there is a file or directory: its content is no input.
   *
   * @example
   * await ns.getOrSet('language', ctx => (ctx.exists('tsconfig.json') ? 'ts' : 'js'))
   */
  exists(path: PathLike): boolean
  /**
   * The names in a directory, sorted.
   *
   * @throws errors as `fs.readdirSync` does
   * @example
   * await ns.getOrSet('sources', ctx => ctx.readDirectory('src').filter(name => name.endsWith('.js')))
   */
  readDirectory(path: PathLike): string[]
  /**
   * The files that match glob patterns, sorted, with `/` between the parts. The result becomes stale when a file starts or
   * stops to match, and not for any other file. Patterns are picomatch's; those that begin with `!` take matches out.
   *
   * @example
   * await ns.getOrSet('styles', ctx => ctx.glob(['src/**\/*.css', '!src/vendor/**']))
   */
  glob(patterns: string | readonly string[], options?: GlobOptions): string[]
  /**
   * Records files or directories that are read by other means. Name them before they are read, or later if they haven't
   * changed since the computation began; otherwise the result is returned and not cached.
   *
   * @example
   * await ns.getOrSet('css', ctx => {
   *   const { css, loadedUrls } = sass.compile('src/a.css')
   *   ctx.addDependency(loadedUrls)
   *   return css
   * })
   */
  addDependency(paths: PathLike | Iterable<PathLike>): void
  /**
   * The value of an environment variable. Only a digest of it is stored.
   *
   * @example
   * await ns.getOrSet('mode', ctx => ctx.env('NODE_ENV') ?? 'development')
   */
  env(name: string): string | undefined
  /**
   * Limits the lifetime of this result: ms from now, or a duration such as `'30s'`. The shortest one counts, that of `ttl` included.
   *
   * @example
   * await ns.getOrSet(url, async ctx => {
   *   const response = await fetch(url)
   *   if (!response.ok) ctx.expiresIn('30s')
   *   return { status: response.status, text: await response.text() }
   * })
   */
  expiresIn(ttl: number | string): void
  /**
   * Calls `fn` as a part of this computation, where its context was lost: in the callback of a batcher or of a pool.
   *
   * @example
   * await ns.getOrSet('batched', ctx => {
   *   return new Promise(resolve => queue.push(() => ctx.run(() => resolve(ns.get('config')))))
   * })
   */
  run<R>(fn: () => R): R
  /**
   * Calls `fn` so that what it asks the cache for is no input of this computation.
   *
   * @example
   * await ns.getOrSet('report', ctx => ({ lines: 3, previous: ctx.untracked(() => ns.get('report')) }))
   */
  untracked<R>(fn: () => R): R
}

/** What a function of `analyze` uses: the file, and all that any computation uses. */
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
  /** Whether this call computed nothing: there was a stored result, or another caller was computing it. */
  isHit: boolean
  /** Why it was a miss. */
  reason?: MissReason
  /** Whether the result is older than its `ttl`, and is computed anew meanwhile. */
  isStale?: boolean
  /** Absolute paths of the files and directories that the result depends on. */
  files: string[]
  /** How long the computation took, in ms: this one, or the one that the stored result came from. */
  computeMs: number
}

/** What a caller can say with `getOrSet`. */
export interface GetOrSetOptions {
  /** Maximum age of the result: ms, or a duration such as `'12h'`. A stored result that is older counts as a miss. */
  ttl?: number | string
  /** Files that the result depends on. They are part of the question: other files are another question. */
  files?: readonly PathLike[]
  /** Any storable value that the function depends on, such as its options. It is part of the question. */
  inputs?: unknown
  /**
   * How long after its `ttl` a result is returned nevertheless, while it is computed anew: ms, or a duration. `get` finds it for as
   * long. Not within a computation. Asynchronous calls only.
   */
  staleWhileRevalidate?: number | string
  /**
   * Rejects with the signal's reason once it is aborted. The computation goes on, for its other callers and for the cache, unless
   * it listens to the signal as well. Asynchronous calls only.
   */
  signal?: AbortSignal
  /** Told how the call was answered, before it returns. */
  onResult?: (result: CallResult) => void
}

/** A file whose text the host has: it is analyzed as given, whatever is on disk. */
export interface SourceText {
  /** Where the file is, or will be: it needn't exist. */
  path: PathLike
  /** Its text. */
  source: string
}

/** What a caller can say with `analyze`. */
export interface AnalyzeOptions {
  /** Any storable value that the function depends on, such as its options. It is part of the question. */
  inputs?: unknown
  /** The result depends on the content alone, wherever the file is: a file with the same content is a hit. Default: false. */
  anywhere?: boolean
  /** Told how the call was answered, before it returns. */
  onResult?: (result: CallResult) => void
}

/** What a caller can say with `wrap`. */
export interface WrapOptions<Args extends unknown[]> {
  /** Any storable value that the function closes over. It is part of the question. */
  inputs?: unknown
  /** Files that the result depends on. */
  files?: readonly PathLike[] | ((...args: Args) => readonly PathLike[])
  /** Maximum age of results: ms, or a duration such as `'12h'`. */
  ttl?: number | string
  /** Told how each call was answered, before it returns. */
  onResult?: (result: CallResult) => void
}
