// What an open cache offers.

import type { CacheWarning } from '../base/errors.js'
import type { Limits } from './limits.js'
import type { GcOptions, GcReport, VerifyOptions, VerifyReport } from './maintenance.js'
import type { Namespace, NamespaceOptions, NamespaceStats } from './namespace.js'
import type { MissReason } from './reasons.js'
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
  /** The root directory. Default: `$WICKED_CACHE_DIR`, else `wicked-cache` in the platform's user cache directory. */
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
  /** Called at most once per code when the cache is broken. Default: `process.emitWarning`. */
  onWarning?: (warning: CacheWarning) => void
  /** The current time in ms since the epoch, for entry ages and ttl. Default: `Date.now`. */
  clock?: () => number
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

/** An open cache directory. */
export interface Cache {
  /** The absolute path of the root directory. */
  readonly dir: string
  readonly mode: CacheMode
  /**
   * The namespace of a plugin.
   *
   * @throws CacheError `ERR_CACHE_NAMESPACE`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`
   * @example
   * const outlines = cache.namespace('outline', { version: '1.4.0' })
   */
  namespace<T = unknown>(name: string, options?: NamespaceOptions): Namespace<T>
  /** Names of the namespaces on disk, sorted. */
  namespaces(): string[]
  /**
   * Calls `fn`, during which no source changes: that is the caller's promise. Each source is then looked at once, however many
   * entries depend on it. Returns what `fn` returns; a snapshot of an asynchronous `fn` ends when its promise settles.
   *
   * @example
   * const results = cache.snapshot(() => files.map(file => lint.analyzeSync('lint', file, analyze)))
   */
  snapshot<R>(fn: () => R): R
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
   *   `ERR_CACHE_ROOT`; errors of the file system; the reason of `signal`. In any case all that entries refer to is intact.
   */
  gc(options?: GcOptions): Promise<GcReport>
  /**
   * Removes all entries of a namespace, of all projects, and its statistics; returns how many entries there were.
   *
   * @throws CacheError `ERR_CACHE_NAMESPACE`, `ERR_CACHE_CLOSED`
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
  /**
   * Ends its watchers, writes pending statistics and closes all files. Later calls on the cache and its namespaces throw
   * `ERR_CACHE_CLOSED`.
   */
  close(): void
  /** Closes the cache: `await using cache = await openCache()`. */
  [Symbol.asyncDispose](): Promise<void>
  /** Closes the cache: `using cache = openCacheSync()`. */
  [Symbol.dispose](): void
}
