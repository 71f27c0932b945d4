// The public API. Everything else in src/ is internal and may change at any time.

import type { Cache, CacheOptions, Namespace, NamespaceOptions } from './api/index.js'
import { CacheHandle } from './cache/cache.js'

export type * from './api/index.js'
export { CacheError, type CacheErrorCode, type CacheWarning } from './base/errors.js'
export { parseDuration, parseSize } from './base/units.js'
export { defaultDir } from './cache/root.js'
export { fromKeyv, fromUnstorage, type KeyvLike, type UnstorageLike } from './remote/adapters/from-store.js'
export { createRemoteKeys } from './remote/keys.js'

/**
 * Opens a cache directory. The directory is created on the first write.
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

/**
 * Opens a cache directory, for callers that can't wait, such as a linter plugin loaded with `require`.
 *
 * @example
 * const cache = openCacheSync({ dir: ':memory:' })
 */
export function openCacheSync(options?: CacheOptions): Cache {
  return new CacheHandle(options)
}

let shared: Cache | undefined

/**
 * The cache in the default directory, which all callers in the process share: `close` writes what is due, and it stays open.
 *
 * @example
 * const cache = defaultCache()
 * cache.namespace('notes').set('owner', 'this project')
 */
export function defaultCache(): Cache {
  shared ??= new CacheHandle({}, undefined, true)
  return shared
}

/**
 * A namespace of the default cache.
 *
 * @throws CacheError `ERR_CACHE_NAMESPACE`, `ERR_CACHE_OPTION`
 * @example
 * const cache = await namespace('code-analyzer')
 */
export async function namespace<T = unknown>(name: string, options?: NamespaceOptions): Promise<Namespace<T>> {
  return namespaceSync<T>(name, options)
}

/**
 * A namespace of the default cache, for callers that can't wait.
 *
 * @example
 * const cache = namespaceSync('my-rule', { version: '1.0.0' })
 */
export function namespaceSync<T = unknown>(name: string, options?: NamespaceOptions): Namespace<T> {
  return defaultCache().namespace<T>(name, options)
}
