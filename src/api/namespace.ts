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
 * How a source is found to be unchanged. `'auto'`: by its metadata (size, mtime, ctime, inode), and by content where these
 * differ or could deceive. `'metadata'`: by its metadata alone, as make does. `'content'`: its content is read every time.
 */
export type Strategy = 'auto' | 'metadata' | 'content'

/** The limits are for all versions and projects of the namespace together, kept by processes that have it open. */
export interface NamespaceOptions extends Limits {
  /** Part of every key: bump it to invalidate old entries. Default: `''`. */
  version?: string
  /**
   * The directory of the project that keys belong to. Default: the nearest directory at or above the working directory with a
   * `package.json` or `.git`, else the working directory. `false`: keys belong to the user, whatever the project.
   */
  project?: PathLike | false
  /**
   * The author's promise for `getOrSet` and `wrap`: the same recorded inputs give the same result on any machine. Results then
   * count in every checkout. Default: false.
   */
  portable?: boolean
  /** How sources are found to be unchanged. Default: `'auto'`. */
  strategy?: Strategy
  /** Allow cyclic values and keep shared references shared. Default: false (a cyclic value throws). */
  cyclic?: boolean
  /**
   * What to do with instances of classes, whose prototype cannot be stored: `'refuse'` throws, `'plain'` stores their
   * own enumerable properties and returns plain objects (for ASTs whose nodes are class instances). Default: `'refuse'`.
   */
  classInstances?: 'refuse' | 'plain'
  /** Whether a stored value has the expected shape. One that has not is a miss with the reason `'invalid'`. */
  validate?: (value: unknown) => boolean
  /**
   * For bridges to other languages: with `'json'`, values are given as JSON, a text or bytes of UTF-8, and had as bytes of
   * UTF-8, those very ones that were given. `NaN`, `Infinity` and `-Infinity` are allowed in it. Other handles have them as
   * plain values; a value of theirs that JSON can't say throws `ERR_CACHE_VALUE`. Default: `'plain'`.
   */
  values?: 'plain' | 'json'
}

/** How long an entry lives. Neither: until it is deleted. Both: until the time is over or a file changes. */
export interface SetOptions {
  /** Lifetime from now: ms, or a duration such as `'12h'`. */
  ttl?: number | string
  /** The entry is valid until one of these files changes. One that is missing must stay missing. */
  files?: readonly PathLike[]
}

/** An item of `setMany`. */
export interface SetManyEntry extends SetOptions {
  /** 1 to 16,384 bytes in UTF-8. */
  key: string
  /** Any value that can be stored. */
  value: unknown
}

/** A question to `prefetch`: an analysis with its options, or a key of `getOrSet` with its options. */
export type PrefetchKey =
  | string
  | { name: string; file: PathLike | SourceText; inputs?: unknown; anywhere?: boolean }
  | { key: string; files?: readonly PathLike[]; inputs?: unknown }

/** Which entries are listed. */
export interface ListOptions {
  /** Entries of all versions. Default: of this version. */
  allVersions?: boolean
  /** Entries of all projects and user-wide ones. Default: of this project, and portable ones. */
  allProjects?: boolean
  /** Only keys that were stored by `set` and `getOrSet` and begin with this text. All keys are read nevertheless. */
  prefix?: string
  /** Called now and then with the part of the namespace's entries that was read, from 0 to 1. */
  onProgress?: (fraction: number) => void
}

/** Which entries are removed. */
export interface ClearOptions {
  /** Entries of all projects and user-wide ones. Default: of this project, and portable ones. */
  allProjects?: boolean
  /** Only keys that were stored by `set` and `getOrSet` and begin with this text. All keys are read nevertheless. */
  prefix?: string
}

/**
 * A plugin's own entries. Keys belong to the project of the handle: one key in two projects is two entries. All calls are
 * synchronous but those that return a promise.
 */
export interface Namespace<T = unknown> {
  /** The name that it was opened with. */
  readonly name: string
  /** The version that it was opened with; `''` without one. */
  readonly version: string
  /** The directory of the handle's project now; null for a user-wide handle, or where there is no project. */
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
   * The value last stored under the key if it is still valid, else undefined. Counts a hit or a miss.
   *
   * @example
   * const outline = ns.get<{ exports: string[] }>('outline of a.js')
   */
  get<V = T>(key: string): V | undefined
  /**
   * The value of the key if it is still valid. Otherwise computes it, and stores it with all inputs that the computation looked at
   * through its context. Callers in this process that ask meanwhile share one computation; other processes wait for it for at
   * most 10 s. A result of `undefined` is returned and not stored.
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
   * What `compute` makes of a file: computed once for the file's content, the name and the path within the project, in whatever
   * checkout. Several analyses of one file need different names.
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
   * The function with its results cached by its arguments, its text, the name and `inputs`. Name in `inputs` what the function
   * closes over: closures can't be told apart by their text. A call with an argument that can't be stored isn't cached.
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
   * What a get of the key, the analysis or the call would find, and why; counts nothing.
   *
   * @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * ns.explain({ name: 'imports', file: 'src/a.js' }).message
   */
  explain(key: string | AnalysisKey | CallKey): Explanation
  /**
   * Asks the remote tier for answers that this cache has none of, all in one batch, so that synchronous calls find them.
   * Returns how many of the questions have an answer now. Nothing is computed.
   *
   * @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * await ns.prefetch(files.map(file => ({ name: 'imports', file })))
   */
  prefetch(questions: Iterable<PrefetchKey>): Promise<number>
  /**
   * Whether a get would hit, without reading the value and without counting.
   *
   * @example
   * if (!ns.has('outline of a.js')) console.log('It will be computed.')
   */
  has(key: string): boolean
  /**
   * The value that `get` would give, without counting, and without making the entry look used to a gc.
   *
   * @example
   * const shown = ns.peek('outline of a.js')
   */
  peek<V = T>(key: string): V | undefined
  /**
   * Removes the entry and all answers of the key; true when there was one.
   *
   * @example
   * ns.delete('outline of a.js') // true if it was there
   */
  delete(key: string): boolean
  /**
   * Deletes many keys with one write per file touched; returns how many had an entry.
   *
   * @example
   * const deletedCount = ns.deleteMany(['user:1', 'user:2'])
   */
  deleteMany(keys: readonly string[]): number
  /**
   * Removes the entry because its value is known to be out of date; true when there was one.
   *
   * @example
   * ns.invalidate('latest version')
   */
  invalidate(key: string): boolean
  /**
   * Removes the entries of this project and the portable ones, of all versions; returns how many there were.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * ns.clear({ prefix: 'user:42:' })
   */
  clear(options?: ClearOptions): number
  /**
   * Values in the order of the keys, undefined for misses.
   *
   * @example
   * const [first, second] = ns.getMany<number>(['user:1', 'user:2'])
   */
  getMany<V = T>(keys: readonly string[]): (V | undefined)[]
  /**
   * Sets many entries with one write per file touched; returns how many were stored. All or nothing on a caller's mistake.
   *
   * @example
   * ns.setMany([1, 2].map(id => ({ key: `user:${id}`, value: id, ttl: '1h' })))
   */
  setMany(entries: Iterable<SetManyEntry>): number
  /**
   * The keys that were stored by `set` and `getOrSet`, in no order; expired and stale entries included.
   *
   * @example
   * for (const key of ns.keys({ prefix: 'user:' })) console.log(key)
   */
  keys(options?: ListOptions): IterableIterator<string>
  /**
   * The entries of this project and the portable ones.
   *
   * @example
   * const staleKeys = [...ns.entries()].filter(({ valid }) => !valid).map(({ key }) => key)
   */
  entries(options?: ListOptions): IterableIterator<EntryInfo>
  /**
   * The entries stored under one key, one for each version and project, or the analyses of a file.
   *
   * @example
   * const analyses = ns.find({ file: 'src/a.js' })
   */
  find(key: string | AnalysesOf): EntryInfo[]
  /**
   * Statistics over all versions, projects and processes. Reads the whole manifest.
   *
   * @example
   * const { hitCount, missCount, missReasons } = ns.stats()
   */
  stats(): NamespaceStats
}
