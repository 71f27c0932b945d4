// What a plugin works with.

import type {
  AnalyzeContext,
  AnalyzeOptions,
  ComputeContext,
  GetOrSetOptions,
  PathLike,
  SourceText,
  WrapOptions,
} from './compute.js'
import type { AnalysesOf, AnalysisKey, CallKey, EntryInfo, Explanation, NamespaceStats } from './entries.js'
import type { Limits } from './limits.js'

/**
 * How the cache decides that a source is unchanged. `'auto'`: by metadata (size, mtime, ctime, inode), and by content if the
 * metadata differ or can't be trusted. `'metadata'`: by metadata alone, as make does. `'content'`: by reading the content every
 * time.
 */
export type Strategy = 'auto' | 'metadata' | 'content'

/**
 * The options of a namespace. Its limits apply to all its versions and projects together, and are kept by the processes that
 * have it open.
 */
export interface NamespaceOptions extends Limits {
  /** Part of every key. Bump it to invalidate old entries. Default: `''`. */
  version?: string
  /**
   * The directory of the project that keys belong to. Default: the nearest directory at or above the working directory with a
   * `package.json` or `.git`, else the working directory. `false`: keys belong to the user, whatever the project.
   */
  project?: PathLike | false
  /**
   * A promise about `getOrSet` and `wrap`: equal inputs give the same result on any machine. Results are then shared by all
   * checkouts. Default: false.
   */
  portable?: boolean
  /** How the cache decides that a source is unchanged. Default: `'auto'`. */
  strategy?: Strategy
  /** Allow cyclic values and keep shared references shared. Default: false (a cyclic value throws). */
  cyclic?: boolean
  /**
   * What to do with class instances, whose prototype can't be stored. `'refuse'` throws. `'plain'` stores their own enumerable
   * properties and returns plain objects, for example for syntax trees whose nodes are class instances. Default: `'refuse'`.
   */
  classInstances?: 'refuse' | 'plain'
  /** Whether a stored value has the expected shape. If not, the read is a miss with the reason `'invalid'`. */
  validate?: (value: unknown) => boolean
  /**
   * For bridges to other languages. With `'json'`, `set` takes JSON as a string or as UTF-8 bytes, and `get` returns exactly
   * these bytes. `NaN`, `Infinity` and `-Infinity` are allowed. Handles without this option get the parsed value. Reading one
   * of their values that JSON can't express throws `ERR_CACHE_VALUE`. Default: `'plain'`.
   */
  values?: 'plain' | 'json'
}

/** How long an entry lives. With neither option: until it is deleted. With both: until the time is over or a file changes. */
export interface SetOptions {
  /** Lifetime from now: ms, or a duration such as `'12h'`. */
  ttl?: number | string
  /** The entry is valid until one of these files changes. A file that is missing now must stay missing. */
  files?: readonly PathLike[]
}

/** An item of `setMany`. */
export interface SetManyEntry extends SetOptions {
  /** 1 to 16,384 bytes in UTF-8. */
  key: string
  /** The value to store. */
  value: unknown
}

/** A question for `prefetch`: an analysis or a key of `getOrSet`, with the options of that call. */
export type PrefetchKey =
  | string
  | { name: string; file: PathLike | SourceText; inputs?: unknown; anywhere?: boolean }
  | { key: string; files?: readonly PathLike[]; inputs?: unknown }

/** Options of `keys` and `entries`. */
export interface ListOptions {
  /** List entries of all versions. Default: only of the handle's version. */
  allVersions?: boolean
  /** Entries of all projects and user-wide ones. Default: of this project, and portable ones. */
  allProjects?: boolean
  /** Only keys of `set` and `getOrSet` that begin with this text. All keys are read in any case. */
  prefix?: string
  /** Called from time to time with the share of the namespace's entries that was read, from 0 to 1. */
  onProgress?: (fraction: number) => void
}

/** Options of `clear`. */
export interface ClearOptions {
  /** Entries of all projects and user-wide ones. Default: of this project, and portable ones. */
  allProjects?: boolean
  /** Only keys of `set` and `getOrSet` that begin with this text. All keys are read in any case. */
  prefix?: string
}

/**
 * A plugin's own entries. Keys belong to the handle's project: the same key in two projects is two entries.
 */
export interface Namespace<T = unknown> {
  /** The name of the namespace. */
  readonly name: string
  /** The version that the handle was opened with; `''` without one. */
  readonly version: string
  /** The current directory of the handle's project; null for a user-wide handle, or if there is no project. */
  readonly project: string | null
  /**
   * A handle of the same namespace for another project, for hosts that serve several.
   *
   * @throws CacheError `ERR_CACHE_OPTION`
   * @example
   * const app = ns.in('packages/app')
   */
  in(project: PathLike | false): Namespace<T>
  /**
   * Stores a value. Returns true when it is stored and visible to every process, false when the cache is read-only or
   * broken (reported as a warning).
   *
   * @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_VALUE` (with the path inside the value),
   *   `ERR_CACHE_VALUE_TOO_LARGE`, `ERR_CACHE_CLOSED`; the old entry stays.
   * @example
   * ns.set('outline of a.js', { exports: ['a'] }, { files: ['a.js'] })
   */
  set(key: string, value: unknown, options?: SetOptions): boolean
  /**
   * Returns the value that was last stored under the key, or undefined if there is none or it is no longer valid. Counts a hit
   * or a miss.
   *
   * @example
   * const outline = ns.get<{ exports: string[] }>('outline of a.js')
   */
  get<V = T>(key: string): V | undefined
  /**
   * Returns the value of the key if it is still valid. Otherwise computes it, and stores it with all inputs that the
   * computation read through its context. Callers in the same process share one computation. Other processes wait for it for at
   * most 10 s. A result of `undefined` is returned but not stored.
   *
   * @throws what `compute` throws; nothing is stored then. CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const config = await ns.getOrSet('config', ctx => JSON.parse(ctx.readFile('package.json')))
   */
  getOrSet<V = T>(
    key: string,
    compute: (context: ComputeContext) => V | Promise<V>,
    options?: GetOrSetOptions,
  ): Promise<V>
  /**
   * Like `getOrSet`, for callers that can't wait. A function that returns a promise throws.
   *
   * @throws what `compute` throws; CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const config = ns.getOrSetSync('config', ctx => JSON.parse(ctx.readFile('package.json')))
   */
  getOrSetSync<V = T>(key: string, compute: (context: ComputeContext) => V, options?: GetOrSetOptions): V
  /**
   * Returns what `compute` makes of a file. It is computed once for each name, content and path within the project, in all
   * checkouts together. Several analyses of one file need different names.
   *
   * @throws errors of reading the file; what `compute` throws; CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const imports = await ns.analyze('imports', 'src/a.js', ctx => importsOf(ctx.source))
   */
  analyze<V = T>(
    name: string,
    file: PathLike | SourceText,
    compute: (context: AnalyzeContext) => V | Promise<V>,
    options?: AnalyzeOptions,
  ): Promise<V>
  /**
   * Like `analyze`, for callers that can't wait. A function that returns a promise throws.
   *
   * @throws errors of reading the file; what `compute` throws; CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const imports = ns.analyzeSync('imports', 'src/a.js', ctx => importsOf(ctx.source))
   */
  analyzeSync<V = T>(
    name: string,
    file: PathLike | SourceText,
    compute: (context: AnalyzeContext) => V,
    options?: AnalyzeOptions,
  ): V
  /**
   * Returns a function that caches the results of `fn` by its arguments, its source text, the name and `inputs`. List the
   * variables that the function closes over in `inputs`: the cache can't see them. A call with an argument that can't be stored
   * isn't cached.
   *
   * @throws CacheError `ERR_CACHE_OPTION`
   * @example
   * const highlight = ns.wrap('highlight', (text: string) => render(text, theme), { inputs: { theme } })
   */
  wrap<Args extends unknown[], R>(
    name: string,
    fn: (...args: Args) => R,
    options?: WrapOptions<Args>,
  ): (...args: Args) => Promise<Awaited<R>>
  /**
   * Like `wrap`, for callers that can't wait.
   *
   * @throws CacheError `ERR_CACHE_OPTION`
   * @example
   * const lengthOf = ns.wrapSync('length', (text: string) => text.length)
   */
  wrapSync<Args extends unknown[], R>(
    name: string,
    fn: (...args: Args) => R,
    options?: WrapOptions<Args>,
  ): (...args: Args) => R
  /**
   * Says what a get of the key, the analysis or the call would find, and why. Counts nothing.
   *
   * @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * ns.explain({ name: 'imports', file: 'src/a.js' }).message
   */
  explain(key: string | AnalysisKey | CallKey): Explanation
  /**
   * Fetches answers that this cache lacks from the remote tier, all in one batch, so that synchronous calls find them. Returns
   * how many of the questions have an answer now. Computes nothing.
   *
   * @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * await ns.prefetch(files.map(file => ({ name: 'imports', file })))
   */
  prefetch(questions: Iterable<PrefetchKey>): Promise<number>
  /**
   * Returns whether a get would hit, without reading the value and without counting.
   *
   * @example
   * if (!ns.has('outline of a.js')) console.log('It will be computed.')
   */
  has(key: string): boolean
  /**
   * Returns the value that `get` would return, without counting and without marking the entry as used.
   *
   * @example
   * const shown = ns.peek('outline of a.js')
   */
  peek<V = T>(key: string): V | undefined
  /**
   * Removes the entry and all answers of the key. Returns true if there was an entry.
   *
   * @example
   * ns.delete('outline of a.js') // true if it was there
   */
  delete(key: string): boolean
  /**
   * Deletes many keys with one write for each file. Returns how many of them had an entry.
   *
   * @example
   * const deletedCount = ns.deleteMany(['user:1', 'user:2'])
   */
  deleteMany(keys: readonly string[]): number
  /**
   * Removes the entry because its value is known to be out of date. Later misses have the reason `'invalidated'`. Returns true
   * if there was an entry.
   *
   * @example
   * ns.invalidate('latest version')
   */
  invalidate(key: string): boolean
  /**
   * Removes this project's and the portable entries, of all versions. Returns how many there were.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * ns.clear({ prefix: 'user:42:' })
   */
  clear(options?: ClearOptions): number
  /**
   * Returns the values in the order of the keys, with undefined for misses.
   *
   * @example
   * const [first, second] = ns.getMany<number>(['user:1', 'user:2'])
   */
  getMany<V = T>(keys: readonly string[]): (V | undefined)[]
  /**
   * Sets many entries with one write for each file. Returns how many were stored. If an argument is invalid, it throws and
   * stores none.
   *
   * @example
   * ns.setMany([1, 2].map(id => ({ key: `user:${id}`, value: id, ttl: '1h' })))
   */
  setMany(entries: Iterable<SetManyEntry>): number
  /**
   * Iterates over the keys of `set` and `getOrSet`, in no particular order. Expired and stale entries are included.
   *
   * @example
   * for (const key of ns.keys({ prefix: 'user:' })) console.log(key)
   */
  keys(options?: ListOptions): IterableIterator<string>
  /**
   * Iterates over this project's and the portable entries.
   *
   * @example
   * const staleKeys = [...ns.entries()].filter(({ valid }) => !valid).map(({ key }) => key)
   */
  entries(options?: ListOptions): IterableIterator<EntryInfo>
  /**
   * Returns the entries stored under one key, one for each version and project, or the analyses of a file.
   *
   * @example
   * const analyses = ns.find({ file: 'src/a.js' })
   */
  find(key: string | AnalysesOf): EntryInfo[]
  /**
   * Returns statistics over all versions, projects and processes. Reads the whole manifest.
   *
   * @example
   * const { hitCount, missCount, missReasons } = ns.stats()
   */
  stats(): NamespaceStats
}
