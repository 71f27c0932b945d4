// The public API. Everything else in src/ is internal and may change at any time.

import type { Cache, CacheOptions, Namespace, NamespaceOptions } from './base/types.js'
import { CacheHandle } from './cache/cache.js'

export { CacheError, type CacheErrorCode, type CacheWarning } from './base/errors.js'
export type {
  AnalyzeContext,
  AnalyzeOptions,
  Bounds,
  Cache,
  CacheOptions,
  CacheStats,
  ComputeContext,
  Digest,
  EntryInfo,
  Explanation,
  Finding,
  GcOptions,
  GcProgress,
  GcReport,
  Invalidation,
  MissReason,
  Mode,
  Namespace,
  NamespaceOptions,
  NamespaceStats,
  Note,
  NoteKind,
  Problem,
  ProblemKind,
  SetManyEntry,
  SetOptions,
  SourceState,
  Strictness,
  VerifyOptions,
  VerifyProgress,
  VerifyReport,
  Watcher,
  WatcherEvents,
  WatcherStatus,
  WatchOptions,
  WrapOptions,
} from './base/types.js'
export { parseDuration, parseSize } from './base/units.js'
export { defaultDir } from './cache/root.js'

/**
 * Opens a cache directory; it is made by the first write.
 *
 * @throws CacheError `ERR_CACHE_OPTION`. A root that cannot be used is no error: it is reported as a warning, gets miss
 *   and sets store nothing.
 * @example
 * const cache = await openCache()
 * const outlines = cache.namespace('outline', { version: '1.4.0' })
 * outlines.set('src/a.js', { exports: ['a'] }, { files: ['src/a.js'] })
 * outlines.get('src/a.js')
 */
export async function openCache(options?: CacheOptions): Promise<Cache> {
  return openCacheSync(options)
}

/** The same for callers that cannot wait, such as a linter plugin loaded with `require`. */
export function openCacheSync(options?: CacheOptions): Cache {
  return new CacheHandle(options)
}

let defaultCache: Cache | undefined

/**
 * A namespace of the default cache, which all callers in the process share.
 *
 * @throws CacheError `ERR_CACHE_NAMESPACE`, `ERR_CACHE_OPTION`
 * @example
 * const cache = await namespace('code-analyzer')
 */
export async function namespace(name: string, options?: NamespaceOptions): Promise<Namespace> {
  defaultCache ??= openCacheSync()
  return defaultCache.namespace(name, options)
}
