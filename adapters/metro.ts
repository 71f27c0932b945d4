// A store for Metro's `cacheStores`.

import type { Namespace } from '../src/index.js'
import { open, type Place } from './place.js'

export type { Place, PlaceOptions } from './place.js'

/**
 * Metro's keys are digests of a file's content, its path in the project, the transformer and all options. So results are
 * the user's, for all checkouts.
 *
 * @example
 * const config = { cacheStores: [new MetroStore()] }
 */
export class MetroStore<T> {
  readonly name = 'wicked-cache'
  readonly #entries: Namespace

  /** `place` is a namespace, or the options of one in the default cache, where its name is `metro`. */
  constructor(place?: Place) {
    this.#entries = open(place, { name: 'metro', project: false, classInstances: 'plain' })
  }

  /** Null for a miss; never throws, since that would end the build. */
  get(key: Buffer): T | null {
    try {
      const value = this.#entries.get(key.toString('hex'))
      return ((value instanceof Uint8Array ? toBuffer(value) : value) ?? null) as T | null
    } catch {
      // A closed cache, or a key that is none: what the store can't give is computed.
      return null
    }
  }

  /** @throws CacheError `ERR_CACHE_VALUE` for a value that can't be stored, which Metro reports */
  set(key: Buffer, value: T): void {
    this.#entries.set(key.toString('hex'), value)
  }

  clear(): void {
    this.#entries.clear()
  }
}

export default MetroStore

function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
