// The context of compute functions, and the options of the calls that take one.

import type { MissReason } from './reasons.js'

/** A path, or a `file:` URL. Relative paths are from the working directory, as in `node:fs`. */
export type PathLike = string | URL

/** Options of `glob`. */
export interface GlobOptions {
  /**
   * The directory that relative patterns start from, and that the returned paths are relative to. Default: the working
   * directory.
   */
  cwd?: PathLike
}

/**
 * How a compute function reads files, directories and environment variables. Each read is recorded as an input of the result.
 * The result is valid while all inputs are unchanged. The functions are bound, so the object can be destructured and spread.
 *
 * All functions throw CacheError `ERR_CACHE_CLOSED` once the computation has ended, and `ERR_CACHE_OPTION` for an invalid path.
 */
export interface ComputeContext {
  /**
   * The text of a file (UTF-8). If the path is not a regular file, or reading it is forbidden, the call behaves like
   * `fs.readFileSync`, and the result is returned but not cached.
   *
   * @throws errors as `fs.readFileSync` does; that the file is missing is an input as well
   * @example
   * await ns.getOrSet('config', ctx => JSON.parse(ctx.readFile('package.json')))
   */
  readFile(path: PathLike): string
  /**
   * The bytes of a file. Otherwise like `readFile`.
   *
   * @example
   * await ns.getOrSet('magic number', ctx => ctx.readBytes('package.json').subarray(0, 4))
   */
  readBytes(path: PathLike): Uint8Array
  /**
   * Whether the file or directory exists. Its content is not an input.
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
   * Records files or directories that other code reads. Name them before they are read. If you name one later and it has
   * changed since the computation began, the result is returned but not cached.
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
   * Limits the lifetime of this result: ms from now, or a duration such as `'30s'`. The shortest of several lifetimes applies,
   * the `ttl` option included.
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
   * Calls `fn` as a part of this computation. Needed where the async context was lost, for example in the callback of a batcher
   * or a pool.
   *
   * @example
   * await ns.getOrSet('batched', ctx => {
   *   return new Promise(resolve => queue.push(() => ctx.run(() => resolve(ns.get('config')))))
   * })
   */
  run<R>(fn: () => R): R
  /**
   * Calls `fn` without recording what it reads from the cache as an input of this computation.
   *
   * @example
   * await ns.getOrSet('report', ctx => ({ lines: 3, previous: ctx.untracked(() => ns.get('report')) }))
   */
  untracked<R>(fn: () => R): R
}

/** The context of an `analyze` function: a compute context and the analyzed file. */
export interface AnalyzeContext extends ComputeContext {
  /** The file's absolute path. Reading this property binds the result to this checkout. */
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
  /** Whether this call computed nothing, because the result was stored or another caller was computing it. */
  isHit: boolean
  /** Why the call was a miss; undefined for a hit. */
  reason?: MissReason
  /** Whether the result is older than its `ttl` and is being recomputed in the background. */
  isStale?: boolean
  /** Absolute paths of the files and directories that the result depends on. */
  files: string[]
  /** How long the computation of the result took, in ms, now or when the result was stored. */
  computeMs: number
}

/** Options of `getOrSet`. */
export interface GetOrSetOptions {
  /** Maximum age of the result: ms, or a duration such as `'12h'`. A stored result that is older counts as a miss. */
  ttl?: number | string
  /** Files that the result depends on. The list is part of the question: another list of files is another question. */
  files?: readonly PathLike[]
  /** Any storable value that the function depends on, such as its options. It is part of the question. */
  inputs?: unknown
  /**
   * How long after its `ttl` a result is still returned, while it is recomputed in the background: ms, or a duration. `get`
   * finds the result for as long. Ignored inside a computation. Asynchronous calls only.
   */
  staleWhileRevalidate?: number | string
  /**
   * Rejects with the signal's reason once it is aborted. The computation itself goes on, for other callers and for the cache,
   * unless the function listens to the signal too. Asynchronous calls only.
   */
  signal?: AbortSignal
  /** Called with how the call was answered, before it returns. */
  onResult?: (result: CallResult) => void
}

/** A file whose text the host already has. The text is analyzed as given, whatever is on disk. */
export interface SourceText {
  /** The path of the file, which needn't exist. */
  path: PathLike
  /** The text of the file. */
  source: string
}

/** Options of `analyze`. */
export interface AnalyzeOptions {
  /** Any storable value that the function depends on, such as its options. It is part of the question. */
  inputs?: unknown
  /** The result depends on the content alone, so a file with the same content anywhere is a hit. Default: false. */
  anywhere?: boolean
  /** Called with how the call was answered, before it returns. */
  onResult?: (result: CallResult) => void
}

/** Options of `wrap`. */
export interface WrapOptions<Args extends unknown[]> {
  /** Any storable value that the function closes over. It is part of the question. */
  inputs?: unknown
  /** Files that the result depends on. */
  files?: readonly PathLike[] | ((...args: Args) => readonly PathLike[])
  /** Maximum age of results: ms, or a duration such as `'12h'`. */
  ttl?: number | string
  /** Called with how each call was answered, before it returns. */
  onResult?: (result: CallResult) => void
}
