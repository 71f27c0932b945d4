// What an open cache offers.

import type { CacheWarning } from '../base/errors.js'
import type { Mode, NamespaceStats, NamespaceSummary } from './entries.js'
import type { Limits } from './limits.js'
import type { GcOptions, GcReport, VerifyOptions, VerifyReport } from './maintenance.js'
import type { Namespace, NamespaceOptions } from './namespace.js'
import type { MissReason } from './reasons.js'
import type { Remote, RemoteOptions, RemoteTotals } from './remote.js'
import type { Watcher, WatchOptions } from './watch.js'

/**
 * What a cache may do.
 *
 * - `'readwrite'`: read and write (the default).
 * - `'readonly'`: never write, not even statistics; `set` and `delete` return false.
 * - `'refresh'`: treat everything stored before the cache was opened as a miss, and store anew.
 * - `'off'`: find nothing, store nothing.
 */
export type CacheMode = 'readwrite' | 'readonly' | 'refresh' | 'off'

/** Limits given here override those of the environment and of `config.json`. Default: `maxSize: '2GB'`. */
export interface CacheOptions extends Limits {
  /**
   * The root directory. Default: `$WICKED_CACHE_DIR`, else `wicked-cache` in the platform's user cache directory. `':memory:'`: a new cache
   * in memory, for tests; other processes and threads don't see it, and it ends with `close`.
   */
  dir?: string
  /**
   * Default: `'readwrite'`. `$WICKED_CACHE` (`readonly`, `refresh` or `off`) sets the mode of every process that inherits the
   * variable. If both are given, the more restrictive one applies.
   */
  mode?: CacheMode
  /**
   * Use the root directory even if it belongs to another user or others can write to it. They could forge values. Default:
   * whether `$WICKED_CACHE_TRUST_ROOT` is `1`. POSIX only.
   */
  trustRoot?: boolean
  /**
   * The remote tier, which shares results with other machines. `false` turns it off, whatever the environment and `config.json`
   * say.
   */
  remote?: RemoteOptions | false
  /** Called at most once per code when the cache is broken. Default: `process.emitWarning`. */
  onWarning?: (warning: CacheWarning) => void
  /** The current time in ms since the epoch, for entry ages and ttl. Default: `Date.now`. */
  clock?: () => number
}

/** Statistics of the whole cache. */
export interface CacheStats {
  /**
   * The statistics of each namespace, by name. A value that several namespaces share counts in equal parts, so that their
   * `savedBytes` add up to the cache's.
   */
  namespaces: Record<string, NamespaceStats & { savedBytes: number }>
  /** Entries of all namespaces, versions and projects. */
  entryCount: number
  /** The sums of the namespaces' `byProject`. */
  byProject?: Record<string, NamespaceSummary>
  /** Reads that found a value, by all processes since the cache was created. */
  hitCount: number
  /** Reads that found no value, by all processes since the cache was created. */
  missCount: number
  /** Misses by their reason; they add up to `missCount`. */
  missReasons: Partial<Record<MissReason, number>>
  /** Values that were stored, by any call. */
  setCount: number
  /** Sum of the lengths of all values in bytes, as if nothing were shared. */
  totalSize: number
  /** Age of the oldest entry in ms, null when there is none. */
  oldestEntryAgeMs: number | null
  /** Bytes of all files below the root's version directory. */
  diskBytes: number
  /** Time saved, in ms: what the computations took whose results were found. */
  savedMs: number
  /** How long computations took after misses, in ms. */
  computedMs: number
  /** Bytes of the distinct values that entries refer to. */
  uniqueSize: number
  /** `totalSize - uniqueSize`: what storing each value once has saved. */
  savedBytes: number
  /** The 50 groups of namespaces that share the most bytes. `bytes` counts the values that exactly these namespaces refer to. */
  sharing: { namespaces: string[]; bytes: number }[]
  /**
   * What happened on each of the latest 31 days on which the cache was used, earliest first. Counts that are not written yet
   * are left out.
   */
  days: DayStats[]
  /** What was asked of the remote tier and given to it, and whether it fails; missing where it was never asked. */
  remote?: RemoteTotals
}

/** Options of `stats`. */
export interface StatsOptions {
  /** Only this namespace. */
  namespace?: string
  /**
   * Count hits, misses, sets and times only from the start of the UTC day of this time (ms since the epoch), as far as they are
   * written. The latest 31 days are known. Default: since the cache was created.
   */
  since?: number
  /** Return the counts without reading entries. Figures about entries are then 0 or empty. */
  countsOnly?: boolean
  /** Reset the counts of hits, misses, sets and times to 0. Entries stay. */
  reset?: boolean
  /** Called from time to time with the share of the entries that was read, from 0 to 1. */
  onProgress?: (fraction: number) => void
  /** Called for each entry that is read, and for each answer to an earlier state of the inputs, in no particular order. */
  onEntry?: (entry: EntrySummary) => void
}

/** An entry as it is recorded. Its inputs are not checked. */
export interface EntrySummary {
  /** The namespace that the entry is in. */
  namespace: string
  /** The key. For an analysis it is `name file`, for a wrapped function `name(arguments)`. */
  key: string
  /** The namespace version that the entry was stored under. */
  version: string
  /** The project's directory; null if the entry is user-wide or valid in every checkout (see `isPortable`). */
  project: string | null
  isPortable: boolean
  /** Whether the entry is an answer to an earlier state of its inputs. */
  isPastAnswer: boolean
  /** How long the entry lives. */
  mode: Mode
  /** Length of the stored value in bytes. */
  sizeBytes: number
  /** When the entry was stored, in ms since the epoch. */
  createdAt: number
  /** When the entry was last known to be used, in ms since the epoch. */
  usedAt: number
  /** How long the computation took, in ms; null for an entry that was set. */
  computeMs: number | null
}

/** What happened on a day (UTC) in all namespaces. */
export interface DayStats {
  /** The date, for example `2026-01-31`. */
  day: string
  /** Reads that found a value. */
  hitCount: number
  /** Reads that found no value. */
  missCount: number
  /** Values that were stored. */
  setCount: number
  /** Time saved, in ms: what the computations took whose results were found. */
  savedMs: number
  /** The largest size of the cache's files that a gc measured on this day, in the background or not; null if none did. */
  diskBytes: number | null
  /** Entries that were dropped because the cache was over a limit or they had not been used for too long. */
  evictedEntries: number
  /** Total length of the values of these evicted entries, in bytes. */
  evictedBytes: number
  /** Entries that were dropped because they were expired or stale. */
  uselessEntries: number
}

/** An open cache directory. */
export interface Cache {
  /** The absolute path of the root directory. */
  readonly dir: string
  /** What this cache may do: the more restrictive one of the option and `$WICKED_CACHE`. */
  readonly mode: CacheMode
  /**
   * The namespace of a plugin.
   *
   * @throws CacheError `ERR_CACHE_NAMESPACE`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const outlines = cache.namespace('outline', { version: '1.4.0' })
   */
  namespace<T = unknown>(name: string, options?: NamespaceOptions): Namespace<T>
  /**
   * Names of the namespaces on disk, sorted.
   *
   * @example
   * for (const name of cache.namespaces()) console.log(name)
   */
  namespaces(): string[]
  /**
   * Calls `fn` and returns what it returns. The caller promises that no source changes meanwhile, so each source is checked
   * once, however many entries depend on it. If `fn` is asynchronous, the snapshot ends when its promise settles.
   *
   * @example
   * const results = cache.snapshot(() => files.map(file => lint.analyzeSync('length', file, ctx => ctx.source.length)))
   */
  snapshot<R>(fn: () => R): R
  /**
   * Statistics of all namespaces. Reads all entries, and no values.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_NAMESPACE`, `ERR_CACHE_CLOSED`
   * @example
   * const { hitCount, savedMs } = cache.stats({ countsOnly: true })
   */
  stats(options?: StatsOptions): CacheStats
  /**
   * What this thread has read from the cache and stored in it so far, by namespace. Other caches that this thread opened on the
   * same directory in the same way are included. It can be called after `close`. With `$WICKED_CACHE_SUMMARY=1`, each thread
   * prints it to stderr when it ends.
   *
   * @example
   * const { hitCount, savedMs } = cache.summary()['my-plugin'] ?? { hitCount: 0, savedMs: 0 }
   */
  summary(): Record<string, NamespaceSummary>
  /**
   * Checks every frame, record and blob of every file. Writes nothing unless `repair` is set. Other processes can use the cache
   * meanwhile.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`, `ERR_CACHE_ROOT`; `ERR_CACHE_BUSY` for a repair while a gc
   *   or another repair runs
   * @example
   * const { isWhole, problems } = await cache.verify()
   * if (!isWhole) console.log(problems.map(({ file, message }) => `${file}: ${message}`).join('\n'))
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /**
   * Drops expired, stale and long unused entries. If the cache is still over a limit, evicts the entries that are worth least.
   * Then removes the blobs that nothing refers to. Other processes can use the cache meanwhile.
   *
   * @throws CacheError `ERR_CACHE_BUSY` while another gc runs, `ERR_CACHE_OPTION`, `ERR_CACHE_NAMESPACE`, `ERR_CACHE_CLOSED`,
   * `ERR_CACHE_ROOT`; errors of the file system; the reason of `signal`. Whatever fails, everything that entries refer to stays
   * intact.
   * @example
   * const { evictedEntries, diskBytesAfter } = await cache.gc({ maxSize: '500MB', maxAge: '30d' })
   */
  gc(options?: GcOptions): Promise<GcReport>
  /**
   * Removes all entries of a namespace, of all projects, and its statistics; returns how many entries there were.
   *
   * @throws CacheError `ERR_CACHE_NAMESPACE`, `ERR_CACHE_CLOSED`
   * @example
   * cache.removeNamespace('a-plugin-that-is-gone')
   */
  removeNamespace(name: string): number
  /**
   * Drops entries of all namespaces when one of their sources below these directories changes. A directory may be created
   * later. A read-only cache only reports the entries.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const watcher = cache.watch('src')
   * watcher.on('invalidate', ({ namespace, key, file }) => console.log(`${namespace} ${key}: ${file} changed`))
   * await watcher.ready
   */
  watch(roots: string | readonly string[], options?: WatchOptions): Watcher
  /** The remote tier, for tools; undefined if none is configured. */
  readonly remote: Remote | undefined
  /**
   * Closes the cache's watchers, writes pending statistics and closes all files. Later calls on the cache and its namespaces
   * throw `ERR_CACHE_CLOSED`. The promise resolves once pending answers are stored in the remote tier, after at most 5 s.
   */
  close(): Promise<void>
  /** Closes the cache: `await using cache = await openCache()`. */
  [Symbol.asyncDispose](): Promise<void>
  /** Closes the cache: `using cache = openCacheSync()`. */
  [Symbol.dispose](): void
}
