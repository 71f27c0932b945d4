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

/** The limits given here go before those of the environment and of `config.json`. Default: `maxSize: '2GB'`. */
export interface CacheOptions extends Limits {
  /**
   * The root directory. Default: `$WICKED_CACHE_DIR`, else `wicked-cache` in the platform's user cache directory. `':memory:'`: a new cache
   * in memory, for tests; other processes and threads don't see it, and it ends with `close`.
   */
  dir?: string
  /**
   * Default: `'readwrite'`. `$WICKED_CACHE` (`readonly`, `refresh` or `off`) says the same for every process that inherits it;
   * where the two differ, the more restrictive one counts.
   */
  mode?: CacheMode
  /**
   * Use the root even if it belongs to another user or others can write to it, who could then forge values. Default:
   * whether `$WICKED_CACHE_TRUST_ROOT` is `1`. POSIX only.
   */
  trustRoot?: boolean
  /** Where answers are shared with other machines; `false`: nowhere, whatever is configured. */
  remote?: RemoteOptions | false
  /** Called at most once per code when the cache is broken. Default: `process.emitWarning`. */
  onWarning?: (warning: CacheWarning) => void
  /** The current time in ms since the epoch, for entry ages and ttl. Default: `Date.now`. */
  clock?: () => number
}

/** Statistics of the whole cache. */
export interface CacheStats {
  /** By name; `savedBytes` of all namespaces add up to that of the cache, shared values counted in equal parts. */
  namespaces: Record<string, NamespaceStats & { savedBytes: number }>
  /** Of all namespaces, versions and projects. */
  entryCount: number
  /** Reads that found something, of all processes since the cache was made. */
  hitCount: number
  /** Reads that found nothing, of all processes since the cache was made. */
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
  /** How long the computations would have taken whose results were found, in ms. */
  savedMs: number
  /** How long computations took after misses, in ms. */
  computedMs: number
  /** Bytes of the distinct values that entries refer to. */
  uniqueSize: number
  /** `totalSize - uniqueSize`: what storing each value once has saved. */
  savedBytes: number
  /** Groups of namespaces that share values, the 50 with the most bytes; `bytes` of the values that exactly these refer to. */
  sharing: { namespaces: string[]; bytes: number }[]
  /** What happened on each of the latest 31 days on which the cache was used, the earliest first. What is not written yet is left out. */
  days: DayStats[]
  /** What was asked of the remote tier and given to it, and whether it fails; missing where it was never asked. */
  remote?: RemoteTotals
}

/** Which statistics are asked for. */
export interface StatsOptions {
  /** Of this namespace alone. */
  namespace?: string
  /**
   * Hits, misses, sets and times since the start of the day (UTC) of this time, in ms, as far as they are written; the latest 31 days
   * are known. Default: since the beginning.
   */
  since?: number
  /** Count without reading entries: what is said of these is 0 or empty. */
  countsOnly?: boolean
  /** Hits, misses, sets and times are counted anew, from 0 on. Entries stay. */
  reset?: boolean
  /** Called now and then with the part of the entries that was read, from 0 to 1. */
  onProgress?: (fraction: number) => void
  /** Called for each entry that is read for the statistics, and for each past answer, in no order. */
  onEntry?: (entry: EntrySummary) => void
}

/** An entry as its record says; its inputs are not looked at. */
export interface EntrySummary {
  /** The namespace that it is in. */
  namespace: string
  /** The key; of an analysis `name file`, of a wrapped function `name(arguments)`. */
  key: string
  /** The namespace version it was stored under. */
  version: string
  /** The project's directory; null: user-wide, or of every checkout (see `isPortable`). */
  project: string | null
  isPortable: boolean
  /** Whether it is an answer to an earlier state of its inputs. */
  isPastAnswer: boolean
  /** How long it lives. */
  mode: Mode
  /** Length of the stored value in bytes. */
  sizeBytes: number
  /** When it was stored. */
  createdAt: number
  /** When it was last known to be of use. */
  usedAt: number
  /** How long computing it took; null for an entry that was set. */
  computeMs: number | null
}

/** What happened on a day (UTC) in all namespaces. */
export interface DayStats {
  /** Such as `2026-01-31`. */
  day: string
  /** Reads that found something. */
  hitCount: number
  /** Reads that found nothing. */
  missCount: number
  /** Values that were stored. */
  setCount: number
  /** How long the computations would have taken whose results were found, in ms. */
  savedMs: number
  /** The largest size of the cache's files that the gc saw on this day, in the background or not; null where it did not look. */
  diskBytes: number | null
  /** Entries that were dropped because there was too much or they had not been used for long, */
  evictedEntries: number
  /** the length of their values, */
  evictedBytes: number
  /** and entries that were dropped because they were expired or stale. */
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
   * Calls `fn`, during which no source changes: that is the caller's promise. Each source is then looked at once, however many
   * entries depend on it. Returns what `fn` returns; a snapshot of an asynchronous `fn` ends when its promise settles.
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
   * What this thread has asked of the cache and stored in it so far, by namespace, also through other caches that were opened
   * on the same directory in the same way. It can be called after `close`. With `$WICKED_CACHE_SUMMARY=1`, each thread
   * prints it to stderr when it ends.
   *
   * @example
   * const { hitCount, savedMs } = cache.summary()['my-plugin'] ?? { hitCount: 0, savedMs: 0 }
   */
  summary(): Record<string, NamespaceSummary>
  /**
   * Checks every frame, record and blob of every file; nothing is written unless it is to repair. Others can go on using
   * the cache meanwhile.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`, `ERR_CACHE_ROOT`; `ERR_CACHE_BUSY` for a repair while a gc
   *   or another repair runs
   * @example
   * const { isWhole, problems } = await cache.verify()
   * if (!isWhole) console.log(problems.map(({ file, message }) => `${file}: ${message}`).join('\n'))
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /**
   * Drops expired, stale and long unused entries, then those that are worth least of what is too much, then the blobs
   * that nothing refers to. Other processes go on meanwhile.
   *
   * @throws CacheError `ERR_CACHE_BUSY` while another gc runs, `ERR_CACHE_OPTION`, `ERR_CACHE_NAMESPACE`, `ERR_CACHE_CLOSED`,
   *   `ERR_CACHE_ROOT`; errors of the file system; the reason of `signal`. In any case all that entries refer to is intact.
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
   * Drops the entries of all namespaces as their sources below these directories change; a directory may come later.
   * A read-only cache only reports them.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const watcher = cache.watch('src')
   * watcher.on('invalidate', ({ namespace, key, file }) => console.log(`${namespace} ${key}: ${file} changed`))
   * await watcher.ready
   */
  watch(roots: string | readonly string[], options?: WatchOptions): Watcher
  /** The remote tier, for tools; undefined where none is configured. */
  readonly remote: Remote | undefined
  /**
   * Ends its watchers, writes pending statistics and closes all files. Later calls on the cache and its namespaces throw
   * `ERR_CACHE_CLOSED`. The promise resolves once answers for the remote tier are stored there, after 5 s at most.
   */
  close(): Promise<void>
  /** Closes the cache: `await using cache = await openCache()`. */
  [Symbol.asyncDispose](): Promise<void>
  /** Closes the cache: `using cache = openCacheSync()`. */
  [Symbol.dispose](): void
}
