// The shapes that callers see. Times are milliseconds since the epoch, sizes are bytes.

import type { CacheWarning } from './errors.js'

/** Hex of the 128-bit hash of a blob, `-`, its length in bytes, and `+n` for the n-th blob after a hash collision. */
export type Digest = string & { readonly __brand: 'Digest' }

/** Why a read found nothing to return. */
export type MissReason =
  | 'never-set'
  | 'deleted'
  | 'invalidated'
  | 'expired'
  | 'source-changed'
  | 'source-missing'
  | 'source-appeared'
  | 'blob-missing'
  | 'corrupt'
  | 'unreadable'

export type Mode = 'manual' | 'ttl' | 'file'

export interface CacheOptions {
  /** The root directory. Default: `$WICKED_CACHE_DIR`, else `wicked-cache` in the platform's user cache directory. */
  dir?: string
  /** Never write, not even statistics: `set` and `delete` return false. */
  readOnly?: boolean
  /** Called at most once per code when the cache is broken. Default: `process.emitWarning`. */
  onWarning?: (warning: CacheWarning) => void
  /** The current time in ms since the epoch, for entry ages and ttl. Default: `Date.now`. */
  clock?: () => number
}

export interface NamespaceOptions {
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

/** What a garbage collection did. */
export interface GcReport {
  expiredEntries: number
  staleEntries: number
  keptEntries: number
  removedBlobs: number
  keptBlobs: number
  /** Bytes on disk before and after, all files below the root's version directory. */
  diskBytesBefore: number
  diskBytesAfter: number
}

/** What a plugin works with: its own entries, by key. All operations are synchronous. */
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
  /** Drops expired and stale entries, then the blobs that nothing refers to. */
  gc(): Promise<GcReport>
  /** Writes pending statistics and closes all files. Later calls on the cache and its namespaces throw `ERR_CACHE_CLOSED`. */
  close(): void
}
