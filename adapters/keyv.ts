// A store for Keyv 5 and 6, and for all that takes such stores: cache-manager, cacheable, got.
//
// Keyv 5 puts its namespace and `:` before each key, and tells the namespace to the store as well. Keyv 6 wraps a store of Keyv 5's
// kind, and puts the namespace and `::` before each key. So neither finds what the other has set.

import { EventEmitter } from 'node:events'
import { CacheError, type Namespace } from '../src/index.js'
import { open, type Place } from './place.js'

export type { Place, PlaceOptions } from './place.js'

/** An item of `setMany`, as Keyv has it. */
export interface KeyvStoreEntry {
  key: string
  // biome-ignore lint/suspicious/noExplicitAny: as Keyv has it
  value: any
  /** Lifetime in ms. */
  ttl?: number
}

/**
 * Make one for each Keyv.
 *
 * @example
 * const keyv = new Keyv({ store: new KeyvStore({ name: 'pages' }) })
 */
export class KeyvStore extends EventEmitter {
  /** Keyv 5 has an iterator only for stores with a dialect that it knows. */
  // biome-ignore lint/suspicious/noExplicitAny: as Keyv has it
  readonly opts: any = { dialect: 'sqlite' }
  /** Set by Keyv 5. Keyv 6 would not put its own one before the keys if this were there from the start. */
  declare namespace?: string | undefined
  readonly #entries: Namespace

  /** `place` is a namespace, or the options of one in the default cache, where its name is `keyv`. */
  constructor(place?: Place) {
    super()
    this.#entries = open(place, { name: 'keyv' })
  }

  /** Keyv 6 asks for it, and 5 doesn't. @throws CacheError `ERR_CACHE_OPTION` */
  get capabilities(): undefined {
    if (this.namespace === undefined) return undefined
    throw new CacheError('ERR_CACHE_OPTION', 'Keyv 5 uses this store: make another one for Keyv 6.')
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return this.#entries.get<Value>(key)
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return this.#entries.getMany<Value>(keys)
  }

  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    if (isOver(ttl)) {
      this.#entries.delete(key)
      return true
    }
    return this.#entries.set(key, value, lifetime(ttl))
  }

  /** Whether each was stored. Emits an `error` for a value that can't be stored, which keeps the others from nothing. */
  // biome-ignore lint/suspicious/noExplicitAny: Keyv 5 declares nothing here, and returns it as a list
  async setMany(entries: KeyvStoreEntry[]): Promise<any> {
    const items = entries.map(({ key, value, ttl }) => ({ key, value, ...lifetime(ttl) }))
    try {
      if (!entries.some(({ ttl }) => isOver(ttl)) && this.#entries.setMany(items) === items.length) {
        return entries.map(() => true)
      }
    } catch (error) {
      if (!(error instanceof CacheError) || error.code === 'ERR_CACHE_CLOSED') throw error
    }
    const set = ({ key, value, ttl }: KeyvStoreEntry) =>
      this.set(key, value, ttl).catch(error => {
        if (this.listenerCount('error') > 0) this.emit('error', error)
        return false
      })
    return Promise.all(entries.map(set))
  }

  async delete(key: string): Promise<boolean> {
    return this.#entries.delete(key)
  }

  /** Whether all were there. */
  async deleteMany(keys: string[]): Promise<boolean> {
    return this.#entries.deleteMany(keys) === new Set(keys).size
  }

  async has(key: string): Promise<boolean> {
    return this.#entries.has(key)
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return keys.map(key => this.#entries.has(key))
  }

  /** Only what is in Keyv's namespace, if it has one. */
  async clear(): Promise<void> {
    this.#entries.clear(this.namespace === undefined ? {} : { prefix: `${this.namespace}:` })
  }

  // biome-ignore lint/suspicious/noExplicitAny: as Keyv has it
  async *iterator(namespace?: string): AsyncGenerator<any, void> {
    const keys = [...this.#entries.keys(namespace === undefined ? {} : { prefix: `${namespace}:` })]
    for (const key of keys) {
      const value = this.#entries.peek(key)
      if (value !== undefined) yield [key, value]
    }
  }

  /** The cache stays open: others of the process may use it. */
  async disconnect(): Promise<void> {
    this.removeAllListeners()
  }
}

export default KeyvStore

/** A Keyv 6 says when an entry ends, and its wrapper how long that is from now. */
function isOver(ttl: number | undefined): boolean {
  return typeof ttl === 'number' && ttl < 0
}

/** As for Keyv, 0 is no ttl. */
function lifetime(ttl: number | undefined): { ttl?: number } {
  return typeof ttl === 'number' && ttl > 0 && Number.isFinite(ttl) ? { ttl } : {}
}
