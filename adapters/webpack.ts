// Caches what a webpack loader gives.

import { assertVersion } from './cached.js'
import { type Loader, type LoaderContext, runCached } from './loader.js'
import { open } from './place.js'
import type { CachePluginOptions } from './plugin-options.js'

export type { Loader, LoaderContext } from './loader.js'
export type { Place, PlaceOptions } from './place.js'
export type { CachePluginOptions } from './plugin-options.js'

export interface CacheLoaderOptions extends CachePluginOptions {
  /** Of the loader; tells several analyses of one file apart. */
  name: string
}

/**
 * The loader with its results cached. They must depend on the text, the options and the files given to `this.addDependency`
 * alone. A result is not stored if `this.emitFile`, `this.resolve`, `this.emitWarning` or the like was used for it.
 *
 * @throws CacheError `ERR_CACHE_OPTION` without a version
 * @example
 * const loader = cacheLoader(source => compile(source), { name: 'my-loader', version: '1.4.0' })
 */
export function cacheLoader(
  loader: Loader,
  { name, version, inputs, portable = false, place }: CacheLoaderOptions,
): Loader {
  const known = assertVersion(version)
  const cachedLoader: Loader = function (this: LoaderContext, ...given: unknown[]) {
    const callback = this.async()
    const call = {
      entries: open(place, { name: 'bundlers' }),
      loader,
      name,
      isPortable: portable,
      inputs: [known, inputs ?? this.getOptions()],
    }
    runCached(this, given, call).then(
      results => callback(null, ...results),
      error => callback(error),
    )
  }
  if (loader.raw !== undefined) cachedLoader.raw = loader.raw
  return cachedLoader
}

export default cacheLoader
