// The shapes that callers see. Times are milliseconds since the epoch, sizes are bytes.

import type { CacheError, CacheWarning } from './errors.js'

/** Hex of the 128-bit hash of a blob, `-`, its length in bytes, and `+n` for the n-th blob after a hash collision. */
export type Digest = string & { readonly __brand: 'Digest' }

/** Why a read found nothing to return. */
export type MissReason =
  | 'never-set'
  | 'version-changed'
  | 'deleted'
  | 'invalidated'
  | 'expired'
  | 'source-changed'
  | 'source-missing'
  | 'source-appeared'
  | 'blob-missing'
  | 'corrupt'
  | 'unreadable'
  /** A gc removed it, because there was too much or nobody had used it for long. */
  | 'evicted'

export type Mode = 'manual' | 'ttl' | 'file'

/**
 * How a source is found to be unchanged. `'auto'`: by its stat fields, by content where these differ or could be the same
 * after a change. `'stat'`: by its stat fields alone, as make does. `'content'`: its content is read every time.
 */
export type Strictness = 'stat' | 'auto' | 'content'

/** How much there may be. What is not said here has no bound of its own. */
export interface Bounds {
  /**
   * Bytes. Of a cache: the length of all its files. Of a namespace: its entries and their values, as if it shared none.
   * `Infinity`: no bound.
   */
  maxSizeBytes?: number
  /** Ms since an entry was last set or read (known to within a few hours). */
  maxAgeMs?: number
  /** Entries, of all versions. */
  maxEntries?: number
}

/** The bounds are the cache's own: they go before those of the environment and of `config.json`. Default: 2 GB. */
export interface CacheOptions extends Bounds {
  /** The root directory. Default: `$WICKED_CACHE_DIR`, else `wicked-cache` in the platform's user cache directory. */
  dir?: string
  /** Never write, not even statistics: `set` and `delete` return false. */
  readOnly?: boolean
  /**
   * Use the root even if it belongs to another user or others can write to it, who could then forge values. Default:
   * whether `$WICKED_CACHE_TRUST_ROOT` is `1`. POSIX only.
   */
  trustRoot?: boolean
  /** Called at most once per code when the cache is broken. Default: `process.emitWarning`. */
  onWarning?: (warning: CacheWarning) => void
  /** The current time in ms since the epoch, for entry ages and ttl. Default: `Date.now`. */
  clock?: () => number
}

/** The bounds are for all versions of the namespace together; this process keeps them, others may know of others. */
export interface NamespaceOptions extends Bounds {
  /** Part of every key: entries set under another version are not seen. Default: `''`. */
  version?: string
  /** Allow cyclic values and keep shared references shared. Default: false (a cyclic value throws). */
  cyclic?: boolean
  /**
   * What to do with instances of classes, whose prototype cannot be stored: `'refuse'` throws, `'plain'` stores their
   * own enumerable properties and returns plain objects (for ASTs whose nodes are class instances). Default: `'refuse'`.
   */
  classInstances?: 'refuse' | 'plain'
  /** Source files below this directory are recorded relative to it, so that a moved tree still hits. */
  base?: string
  /** How sources are found to be unchanged. Default: `'auto'`. */
  files?: Strictness
}

/** How long an entry lives. The mode is inferred where it is left out: `files` before `ttlMs` before manual. */
export interface SetOptions {
  mode?: Mode
  /** Lifetime in ms from now; a positive finite number. */
  ttlMs?: number
  /** Paths of the sources; the entry is valid until one of them changes. A missing source must stay missing. */
  files?: readonly string[]
}

export interface SetManyEntry extends SetOptions {
  key: string
  value: unknown
}

/**
 * What a compute function uses to say what its result depends on. Relative paths are from the current directory. Whatever
 * is named is recorded as it is at the call, so name it before you look at it by other means.
 *
 * All throw CacheError `ERR_CACHE_OPTION` for what is no path, and `ERR_CACHE_CLOSED` once the computation has ended.
 */
export interface ComputeContext {
  /**
   * The text of a file (UTF-8): read, fingerprinted and made a dependency in one step.
   *
   * @throws errno-style errors as `readFileSync` does; a file that is missing is a dependency as well, so that creating it
   *   ends the entry
   */
  readFile(path: string): string
  /** The same without decoding. */
  readBytes(path: string): Uint8Array
  /** A file, a directory (the names in it), or nothing: a dependency as it is now. */
  addDependency(path: string): void
  /** A directory: the entry ends when a name in it comes or goes. @throws CacheError `ERR_CACHE_OPTION` for a file */
  addDirectory(path: string): void
  /** A file that must not exist: the entry ends when it is created. */
  addMissing(path: string): void
}

export interface AnalyzeContext extends ComputeContext {
  /** Absolute. */
  readonly path: string
  /** The file's text (UTF-8). */
  readonly source: string
  /** The file's bytes. */
  readonly bytes: Uint8Array
}

export interface AnalyzeOptions {
  /** Of the analysis; part of its key. Default: `''`. */
  version?: string
  /** Whether the result depends on where the file is, not on its content alone. Default: false. */
  path?: boolean
}

export interface WrapOptions<Args extends unknown[]> {
  /** Of the function; part of every key, as its name and its text are. Default: `''`. */
  version?: string
  /** What tells functions of one namespace apart, beside their text. Default: the function's `name`. */
  name?: string
  /** The key of a call. Default: made of all arguments, which must be storable then. */
  key?: (...args: Args) => string
  /** Sources of the result. */
  files?: (...args: Args) => readonly string[]
  /** Lifetime of results in ms. */
  ttlMs?: number
}

/** A source as it was recorded, or as it is. */
export interface SourceState {
  kind: 'absent' | 'file' | 'directory'
  sizeBytes?: number
  mtimeMs?: number
  ctimeMs?: number
  inode?: number
  /** The first 16 bytes of the SHA-256 of its content, in hex. */
  digest?: string
}

/** What a get would find, and why. */
export interface Explanation {
  key: string
  version: string
  isHit: boolean
  /** Why it is a miss. */
  reason?: MissReason
  /** The same in a sentence for people. */
  message: string
  /** The source that made the entry stale. */
  file?: string
  /** That source when the entry was made, and now. */
  before?: SourceState
  after?: SourceState
  /** Versions under which the key has an entry, where this one has none. */
  otherVersions?: string[]
  /** The entry, where there is one. */
  entry?: EntryInfo
}

/** One entry as `entries()` lists it. */
export interface EntryInfo {
  key: string
  /** The namespace version it was set under. */
  version: string
  mode: Mode
  /** Whether a get would find it fresh now (its blob is not read). */
  valid: boolean
  /** Length of the stored value in bytes. */
  sizeBytes: number
  createdAt: number
  ageMs: number
  /** When it ends, for entries with a ttl. */
  expiresAt?: number
  /** Paths of its sources, absolute unless they are relative to a base that was not given; empty unless mode is `file`. */
  files: string[]
  digest: Digest
}

/** Statistics of one namespace, over all its versions and all processes. */
export interface NamespaceStats {
  entryCount: number
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

/** Statistics of the whole cache. */
export interface CacheStats {
  /** By name; `savedBytes` of all namespaces add up to that of the cache, shared values counted in equal parts. */
  namespaces: Record<string, NamespaceStats & { savedBytes: number }>
  entryCount: number
  hitCount: number
  missCount: number
  missReasons: Partial<Record<MissReason, number>>
  setCount: number
  totalSize: number
  oldestEntryAgeMs: number | null
  /** Bytes of all files below the root's version directory. */
  diskBytes: number
  /** Bytes of the distinct values that entries refer to. */
  uniqueSize: number
  /** `totalSize - uniqueSize`: what storing each value once has saved. */
  savedBytes: number
}

/** Bounds given here stand in for those that the cache was opened with. */
export interface GcOptions extends Bounds {
  /** Drop entries of this namespace alone; the bounds given here are for it then. */
  namespace?: string
  /** Change nothing, and report what would be done. */
  dryRun?: boolean
  onProgress?: (progress: GcProgress) => void
  /** Aborts between two pieces of work, with the store intact: the promise is rejected with the signal's reason. */
  signal?: AbortSignal
}

export interface GcProgress {
  /** First the entries of all namespaces are looked at, then values are given up. */
  step: 'entries' | 'values'
  /** Of the step: from 0 to 1. */
  fraction: number
}

/** What a garbage collection did, or in a dry run would do. */
export interface GcReport {
  isDryRun: boolean
  /** Removed because their time was over. */
  expiredEntries: number
  /** Removed because a source had changed. */
  staleEntries: number
  /** Removed because they had not been used for longer than the maximum age. */
  unusedEntries: number
  /** Removed, the least recently used first, because there was too much. */
  evictedEntries: number
  keptEntries: number
  /** Values that no entry referred to. */
  removedBlobs: number
  /** Distinct values that entries refer to. */
  keptBlobs: number
  /** Bytes on disk before and after, all files below the root's version directory; foretold in blocks of 4 KB. */
  diskBytesBefore: number
  diskBytesAfter: number
}

/**
 * What verify found wrong. `corrupt`: bytes that were written whole and no longer are. `missing`: a file or an index record
 * that should be there. `dangling`: an entry or an index record whose blob is not there. `unreadable`: what is no file or
 * directory where one should be, or cannot be read.
 */
export type ProblemKind = 'corrupt' | 'missing' | 'dangling' | 'unreadable'

/**
 * What verify found that is normal and harmless. `torn`: the beginning of a frame whose writer was killed. `orphaned`: blobs
 * that no entry refers to, or of which the index was not told; leftovers of interrupted work; files that are not the cache's.
 */
export type NoteKind = 'torn' | 'orphaned'

export interface Finding<Kind extends ProblemKind | NoteKind> {
  kind: Kind
  /** Relative to the root, with `/` between its parts. */
  file: string
  /** Where in the file. */
  offset?: number
  /** How many bytes it is about. */
  bytes: number
  /** A sentence for a person. */
  message: string
  /** Of an entry. */
  namespace?: string
  version?: string
  key?: string
  /** After a repair: whether this was mended. */
  isRepaired?: boolean
}

export type Problem = Finding<ProblemKind>
export type Note = Finding<NoteKind>

export interface VerifyOptions {
  /** Salvage what is whole, and keep what is cut out in `lost+found` below the root. Default: false, nothing is written. */
  repair?: boolean
  /** Called now and then, at least once a file. */
  onProgress?: (progress: VerifyProgress) => void
  /** Ends it early: the promise rejects with the signal's reason. What was repaired by then stays so. */
  signal?: AbortSignal
}

export interface VerifyProgress {
  /** Relative to the root, with `/` between its parts. */
  file: string
  checkedBytes: number
  /** Of all files that there were at the beginning; others may write meanwhile. */
  totalBytes: number
}

/** What verify found. */
export interface VerifyReport {
  /** Whether nothing is wrong; notes do not count. After a repair, this is what a second look found, as is all but the problems. */
  isWhole: boolean
  fileCount: number
  checkedBytes: number
  /** Whole blobs, and entries that can be read. */
  blobCount: number
  entryCount: number
  /** The first 1,000 of them. */
  problems: Problem[]
  problemCount: number
  /** The first 1,000 of them. */
  notes: Note[]
  noteCount: number
  /** Paths below the root of what a repair cut out. */
  lostAndFound: string[]
}

/** What a plugin works with: its own entries, by key. All operations are synchronous but those that return a promise. */
export interface Namespace {
  readonly name: string
  readonly version: string
  /**
   * Stores a value. Returns true when it is stored and visible to every process, false when the cache is read-only or
   * broken (reported as a warning).
   *
   * @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_VALUE` (with the path inside the value),
   *   `ERR_CACHE_VALUE_TOO_LARGE`, `ERR_CACHE_CLOSED`; the old entry stays.
   */
  set(key: string, value: unknown, options?: SetOptions): boolean
  /** The value last set under the key if it is still valid, else undefined. Counts a hit or a miss. */
  get<T = unknown>(key: string): T | undefined
  /**
   * The value of the key if it is still valid; else computes it and stores it with all that the computation named as its
   * sources. Computed once for all who ask in this process meanwhile, and seldom more than once between processes: others
   * wait for a living one, for at most 10 s. A source that changes during the computation leaves the result returned, and
   * not stored as valid. A result of `undefined` is returned and not stored.
   *
   * @throws whatever `compute` throws, to every caller that waits for it; nothing is stored then. Else as `set`
   */
  getOrSet<T>(key: string, compute: (context: ComputeContext) => T | Promise<T>, options?: SetOptions): Promise<T>
  getOrSetSync<T>(key: string, compute: (context: ComputeContext) => T, options?: SetOptions): T
  /**
   * What `compute` makes of a file's content: found again wherever a file has this content and extension, as long as the
   * other sources that the computation named are the same as well. With such other sources, or with the option `path`, the
   * whole path (relative to the base) counts.
   *
   * @throws errno-style errors when the file cannot be read; whatever `compute` throws; else as `set`
   * @example
   * const outline = await ns.analyze('src/a.ts', ctx => outlineOf(parse(ctx.source)), { version: 'outline@2' })
   */
  analyze<T>(file: string, compute: (context: AnalyzeContext) => T | Promise<T>, options?: AnalyzeOptions): Promise<T>
  analyzeSync<T>(file: string, compute: (context: AnalyzeContext) => T, options?: AnalyzeOptions): T
  /**
   * The function with its results cached by its arguments. What it closes over is no part of the key.
   *
   * @throws CacheError `ERR_CACHE_OPTION` for a function without a name, when none is given
   */
  wrap<Args extends unknown[], R>(
    compute: (...args: Args) => R,
    options?: WrapOptions<Args>,
  ): (...args: Args) => Promise<Awaited<R>>
  wrapSync<Args extends unknown[], R>(compute: (...args: Args) => R, options?: WrapOptions<Args>): (...args: Args) => R
  /** What a get of the key would find, and why; counts nothing. */
  explain(key: string): Explanation
  /** Whether a get would hit, without reading the value and without counting. */
  has(key: string): boolean
  /** Removes the entry; true when there was one. */
  delete(key: string): boolean
  /** Removes the entry because its value is known to be out of date; true when there was one. */
  invalidate(key: string): boolean
  /** Removes every entry of the namespace, of all versions; returns how many there were. */
  clear(): number
  /** Values in the order of the keys, undefined for misses. */
  getMany<T = unknown>(keys: readonly string[]): (T | undefined)[]
  /** Sets many entries with one write per file touched; returns how many were stored. All or nothing on a caller's mistake. */
  setMany(entries: Iterable<SetManyEntry>): number
  /** The keys set under this version, in no order; expired and stale entries included. */
  keys(): IterableIterator<string>
  /** The entries set under this version, or under every version. */
  entries(options?: { allVersions?: boolean }): IterableIterator<EntryInfo>
  /** The entries stored under one key, one for each version. */
  find(key: string): EntryInfo[]
  /** Statistics over all versions and processes. Reads the whole manifest. */
  stats(): NamespaceStats
}

export interface WatchOptions {
  /** Keep the process alive until the watcher is closed. Default: false. */
  persistent?: boolean
  /**
   * Whether changes at and below an absolute path need not be heard of at once; they are still found within seconds to
   * minutes. Default: whatever is named `.git` or `node_modules`.
   */
  ignored?: (path: string) => boolean
}

/** An entry that is no longer valid, because of one of its sources. */
export interface Invalidation {
  namespace: string
  key: string
  /** The namespace version that it was set under. */
  version: string
  /** The source, as an absolute path. */
  file: string
  cause: 'source-changed' | 'source-missing' | 'source-appeared'
}

export interface WatcherEvents {
  /** Entries whose sources had changed before are dropped, and changes from now on are heard of. */
  ready: []
  /** An entry was dropped, by this process or by another one that watches. */
  invalidate: [invalidation: Invalidation]
  /** Once for each kind of trouble: some changes are found later, by looking. Without a listener it is a warning. */
  error: [error: CacheError]
  /** What `status` says has changed. */
  update: []
}

export interface WatcherStatus {
  /** Entries with a source below the roots, and their sources there. */
  entryCount: number
  sourceCount: number
  /** Entries that were found invalid since the start. */
  invalidCount: number
  /** Whether not all of the roots can be watched, so that changes may be found late. */
  isDegraded: boolean
}

/** Drops entries as their sources change. A get never depends on it: that looks for itself. */
export interface Watcher {
  /** Absolute. */
  readonly roots: readonly string[]
  /** Resolves when `ready` is emitted, or the watcher is closed before. */
  readonly ready: Promise<void>
  status(): WatcherStatus
  on<Name extends keyof WatcherEvents>(name: Name, listener: (...args: WatcherEvents[Name]) => void): this
  once<Name extends keyof WatcherEvents>(name: Name, listener: (...args: WatcherEvents[Name]) => void): this
  off<Name extends keyof WatcherEvents>(name: Name, listener: (...args: WatcherEvents[Name]) => void): this
  /** Ends it; nothing is emitted afterwards. */
  close(): Promise<void>
}

/** An open cache directory. */
export interface Cache {
  /** The absolute path of the root directory. */
  readonly dir: string
  readonly readOnly: boolean
  /** @throws CacheError `ERR_CACHE_NAMESPACE`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED` */
  namespace(name: string, options?: NamespaceOptions): Namespace
  /** Names of the namespaces on disk, sorted. */
  namespaces(): string[]
  stats(): CacheStats
  /**
   * Checks every frame, record and blob of every file; nothing is written unless it is to repair. Others can go on using
   * the cache meanwhile.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`, `ERR_CACHE_ROOT`; `ERR_CACHE_BUSY` for a repair while a gc
   *   or another repair runs
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /**
   * Drops expired, stale and long unused entries, then the least recently used ones of what is too much, then the blobs
   * that nothing refers to. Other processes go on meanwhile.
   *
   * @throws CacheError `ERR_CACHE_BUSY` while another gc runs, `ERR_CACHE_OPTION`, `ERR_CACHE_NAMESPACE`, `ERR_CACHE_CLOSED`,
   *   `ERR_CACHE_ROOT`; what the disk gives; the reason of `signal`. In any case all that entries refer to is intact.
   */
  gc(options?: GcOptions): Promise<GcReport>
  /**
   * Removes all entries of a namespace and its statistics; returns how many entries there were. Its files
   * stay, of some 50 bytes each.
   *
   * @throws CacheError `ERR_CACHE_NAMESPACE`, `ERR_CACHE_CLOSED`
   */
  removeNamespace(name: string): number
  /**
   * Drops the entries of all namespaces as their sources below these directories change; a directory may come later.
   * Where the cache is read-only, it only says so.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const watcher = cache.watch('src')
   * watcher.on('invalidate', ({ namespace, key, file }) => console.log(`${namespace} ${key}: ${file} changed`))
   * await watcher.ready
   */
  watch(roots: string | readonly string[], options?: WatchOptions): Watcher
  /** Ends its watchers, writes pending statistics and closes all files. Later calls on the cache and its namespaces throw `ERR_CACHE_CLOSED`. */
  close(): void
}
