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
import type { Limits } from './limits.js'
import type { MissReason } from './reasons.js'

/** Hex of the 128-bit hash of a blob, `-`, its length in bytes, and `+n` for the n-th blob after a hash collision. */
export type Digest = string & { readonly __brand: 'Digest' }

/** How long an entry lives: until it is deleted, for a time, or until one of its files changes. */
export type Mode = 'manual' | 'ttl' | 'file'

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

export interface SetManyEntry extends SetOptions {
  key: string
  value: unknown
}

/** An input as it was recorded, or as it is. */
export interface InputState {
  kind: 'absent' | 'present' | 'file' | 'directory' | 'glob' | 'error' | 'environment' | 'entry' | 'place'
  sizeBytes?: number
  mtimeMs?: number
  ctimeMs?: number
  inode?: number
  /** The first 16 bytes of the SHA-256 of its content, in hex. */
  digest?: string
}

/** An analysis: what `analyze` was called with. */
export interface AnalysisKey {
  name: string
  file: PathLike
}

/** Analyses of a file, of all names where none is given. */
export interface AnalysesOf {
  file: PathLike
  name?: string
}

/** A call of a wrapped function: what `wrap` was given as its name, and the arguments. */
export interface CallKey {
  name: string
  args: readonly unknown[]
}

/** What a get would find, and why. */
export interface Explanation {
  /** The key, of an analysis its name and file, of a call the name and the arguments, as `entries()` shows it. */
  key: string
  version: string
  /** The directory of the project that was asked in; null for a user-wide key. */
  project: string | null
  isHit: boolean
  /** Why it is a miss. */
  reason?: MissReason
  /** The same in a sentence for people. */
  message: string
  /** The file that made the entry stale. */
  file?: string
  /** The input that made the entry stale, where it is no file: the name of a variable, the key of an entry. */
  input?: string
  /** That input when the entry was made, and now. */
  before?: InputState
  after?: InputState
  /** Versions under which the key has an entry, where this one has none. */
  otherVersions?: string[]
  /** Projects in which the key has an entry, where this one has none; null stands for user-wide. */
  otherProjects?: (string | null)[]
  /** The entry, where there is one. */
  entry?: EntryInfo
}

/** One entry as `entries()` lists it. */
export interface EntryInfo {
  /** The key; of an analysis `name file`, of a wrapped function `name(arguments)`. */
  key: string
  /** Of an analysis or a wrapped function. */
  name?: string
  /** How it came to be: by `set`, `getOrSet`, `analyze` or `wrap`. */
  origin: 'set' | 'getOrSet' | 'analyze' | 'wrap'
  /** The namespace version it was stored under. */
  version: string
  /** The project's directory; null: user-wide, or of every checkout (see `isPortable`). */
  project: string | null
  /** Whether it counts in every checkout. */
  isPortable: boolean
  mode: Mode
  /** Whether a get would find it fresh now (its blob is not read). */
  valid: boolean
  /** Length of the stored value in bytes. */
  sizeBytes: number
  createdAt: number
  ageMs: number
  /** When it ends, for entries with a ttl. */
  expiresAt?: number
  /** Absolute paths of the files and directories that it depends on. */
  files: string[]
  digest: Digest
}

/** Statistics of one namespace, over all its versions, projects and processes. */
export interface NamespaceStats {
  entryCount: number
  /** Stored answers to earlier states of their inputs, which hit again when that state comes back. */
  pastAnswerCount: number
  /** Entries by the directory of their project; user-wide and portable ones are not among them. */
  projects: Record<string, number>
  hitCount: number
  missCount: number
  /** Misses by their reason; they add up to `missCount`. */
  missReasons: Partial<Record<MissReason, number>>
  setCount: number
  /** Sum of the entries' value lengths in bytes, as if nothing were shared. */
  totalSize: number
  /** Age of the oldest entry in ms, null when there is none. */
  oldestEntryAgeMs: number | null
  /** Bytes that the namespace's own files (manifest, counters) take on disk. */
  diskBytes: number
}

export interface ListOptions {
  /** Entries of all versions. Default: of this version. */
  allVersions?: boolean
  /** Entries of all projects and user-wide ones. Default: of this project, and portable ones. */
  allProjects?: boolean
}

/**
 * A plugin's own entries. Keys belong to the project of the handle: one key in two projects is two entries. All calls are
 * synchronous but those that return a promise.
 */
export interface Namespace<T = unknown> {
  readonly name: string
  readonly version: string
  /** The directory of the handle's project now; null for a user-wide handle, or where there is no project. */
  readonly project: string | null
  /**
   * A handle of the same namespace for another project, for hosts that serve several.
   *
   * @throws CacheError `ERR_CACHE_OPTION`
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
  /** The value last stored under the key if it is still valid, else undefined. Counts a hit or a miss. */
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
  getOrSetSync<V = T>(key: string, compute: (context: ComputeContext) => V, options?: GetOrSetOptions): V
  /**
   * What `compute` makes of a file: computed once for the file's content, the name and the path within the project, in whatever
   * checkout. Several analyses of one file need different names.
   *
   * @throws errors of reading the file; what `compute` throws; CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const imports = await ns.analyze('imports', 'src/a.ts', ctx => importsOf(ctx.source))
   */
  analyze<V = T>(
    name: string,
    file: PathLike | SourceText,
    compute: (context: AnalyzeContext) => V | Promise<V>,
    options?: AnalyzeOptions,
  ): Promise<V>
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
   * const highlight = ns.wrap('highlight', text => render(text, theme), { inputs: { theme } })
   */
  wrap<Args extends unknown[], R>(
    name: string,
    fn: (...args: Args) => R,
    options?: WrapOptions<Args>,
  ): (...args: Args) => Promise<Awaited<R>>
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
   * ns.explain({ name: 'imports', file: 'src/a.ts' }).message
   */
  explain(key: string | AnalysisKey | CallKey): Explanation
  /** Whether a get would hit, without reading the value and without counting. */
  has(key: string): boolean
  /** Removes the entry and all answers of the key; true when there was one. */
  delete(key: string): boolean
  /** Removes the entry because its value is known to be out of date; true when there was one. */
  invalidate(key: string): boolean
  /** Removes the entries of this project and the portable ones, of all versions; returns how many there were. */
  clear(options?: { allProjects?: boolean }): number
  /** Values in the order of the keys, undefined for misses. */
  getMany<V = T>(keys: readonly string[]): (V | undefined)[]
  /** Sets many entries with one write per file touched; returns how many were stored. All or nothing on a caller's mistake. */
  setMany(entries: Iterable<SetManyEntry>): number
  /** The keys that were stored by `set` and `getOrSet`, in no order; expired and stale entries included. */
  keys(options?: ListOptions): IterableIterator<string>
  /** The entries of this project and the portable ones. */
  entries(options?: ListOptions): IterableIterator<EntryInfo>
  /** The entries stored under one key, one for each version and project, or the analyses of a file. */
  find(key: string | AnalysesOf): EntryInfo[]
  /** Statistics over all versions, projects and processes. Reads the whole manifest. */
  stats(): NamespaceStats
}
