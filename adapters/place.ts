// Where an adapter keeps its entries: in a namespace that its caller opened, or in one of the default cache.

import { CacheError, type Namespace, type NamespaceOptions, namespaceSync } from '../src/index.js'

/** A namespace, or the options of one in the default cache. */
export type Place = Namespace | PlaceOptions

export interface PlaceOptions extends NamespaceOptions {
  /** Of the namespace. */
  name?: string
}

/** @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_NAMESPACE` */
export function open(place: Place | undefined, defaults: PlaceOptions & { name: string }): Namespace {
  if (place !== undefined && (typeof place !== 'object' || place === null)) {
    throw new CacheError('ERR_CACHE_OPTION', 'An adapter takes a namespace, or the options of one.', { value: place })
  }
  if (place && 'getOrSet' in place) return place
  const { name, ...options } = { ...defaults, ...place }
  return namespaceSync(name, options)
}
