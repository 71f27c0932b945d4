// A driver for unstorage.

import { open, type Place, type PlaceOptions } from './place.js'

export type { Place, PlaceOptions } from './place.js'

/** What can be said with an item. */
export interface ItemOptions {
  /** Lifetime in seconds, as other drivers have it. */
  ttl?: number
}

/** An item of `setItems`, as unstorage has it. */
export interface Item {
  key: string
  value: string
  options?: ItemOptions
}

/** Nitro hands the options of a mount on as they are, with the name of the driver. */
export type MountOptions = PlaceOptions & { driver?: unknown }

/**
 * `place` is a namespace, or the options of one in the default cache, where its name is `unstorage`.
 *
 * @example
 * const storage = createStorage({ driver: unstorageDriver({ name: 'my-app' }) })
 */
export function unstorageDriver(place?: Place | MountOptions) {
  const entries = open(withoutDriver(place), { name: 'unstorage' })
  return {
    name: 'wicked-cache',
    flags: { ttl: true, maxDepth: false },
    options: place,
    getInstance: () => entries,

    hasItem: (key: string) => entries.has(key),
    getItem: (key: string) => entries.get<string>(key) ?? null,
    getItems: (items: { key: string }[]) => {
      const values = entries.getMany<string>(items.map(({ key }) => key))
      return items.map(({ key }, at) => ({ key, value: values[at] ?? null }))
    },
    /** What was given to `setItemRaw`: bytes, or any value that can be stored. */
    getItemRaw: (key: string): unknown => entries.get(key) ?? null,

    setItem(key: string, value: string, options?: ItemOptions): void {
      entries.set(key, value, lifetime(options))
    },
    setItems(items: Item[], common?: ItemOptions): void {
      entries.setMany(items.map(({ key, value, options }) => ({ key, value, ...lifetime({ ...common, ...options }) })))
    },
    setItemRaw(key: string, value: unknown, options?: ItemOptions): void {
      if (value === undefined || value === null) entries.delete(key)
      else entries.set(key, value, lifetime(options))
    },
    removeItem(key: string): void {
      entries.delete(key)
    },

    /** When it was set, its size in bytes, and how many seconds it has left. */
    getMeta(key: string) {
      const { isHit, entry } = entries.explain(key)
      if (!isHit || !entry) return null
      const { createdAt, ageMs, sizeBytes, expiresAt } = entry
      const ttl = expiresAt === undefined ? {} : { ttl: Math.ceil((expiresAt - createdAt - ageMs) / 1000) }
      return { mtime: new Date(createdAt), size: sizeBytes, ...ttl }
    },
    /** Without a base: all of them. */
    getKeys: (base?: string) => [...entries.keys({ prefix: base ?? '' })],
    clear(base?: string): void {
      entries.clear(base ? { prefix: base } : {})
    },
  }
}

export default unstorageDriver

function withoutDriver(place: Place | MountOptions | undefined): Place | undefined {
  if (!place || !('driver' in place)) return place
  const { driver: _, ...options } = place
  return options
}

function lifetime(options: ItemOptions | undefined): { ttl?: number } {
  const ttl = options?.ttl
  return typeof ttl === 'number' && ttl > 0 && Number.isFinite(ttl) ? { ttl: ttl * 1000 } : {}
}
