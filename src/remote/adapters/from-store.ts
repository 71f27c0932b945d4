// Key-value clients that the host's code has: any Keyv instance (Postgres, MySQL, MongoDB, Memcached, etcd, …) and any driver
// of unstorage. Objects are given to them as base64: most of them corrupt bytes. What they do after their time is over is of no
// interest: the tier goes on without them.

import type { RemoteAdapter } from '../../api/index.js'
import { refuseOption } from '../../base/options.js'

/** What is used of a Keyv instance. */
export interface KeyvLike {
  get(key: string): unknown
  set(key: string, value: string): unknown
  getMany?(keys: string[]): unknown
  disconnect?(): unknown
  store?: unknown
  on?(event: 'error', listener: () => void): unknown
}

/** What is used of a driver of unstorage, or of its storage. */
export interface UnstorageLike {
  getItem(key: string, options?: object): unknown
  setItem?(key: string, value: string, options?: object): unknown
  dispose?(): unknown
}

const PREFIX = 'wicked-cache:'
/** For stores that are asked key by key. */
const MAX_CALLS = 32

/**
 * A store of a Keyv instance of your own, with a namespace of its own.
 *
 * @throws CacheError `ERR_CACHE_OPTION`
 * @example
 * const cache = await openCache({ remote: { adapter: fromKeyv(new Keyv(new KeyvPostgres(url))), keys } })
 */
export function fromKeyv(keyv: KeyvLike): RemoteAdapter {
  if (typeof keyv?.get !== 'function' || typeof keyv.set !== 'function') {
    throw refuseOption('fromKeyv takes a Keyv instance.', keyv)
  }
  // Without a listener, an error of the connection would end the process.
  keyv.on?.('error', () => undefined)
  return {
    async getMany(names) {
      const keys = names.map(name => PREFIX + name)
      if (typeof keyv.getMany === 'function') {
        const values = await keyv.getMany(keys)
        if (Array.isArray(values)) return values.map(bytesOf)
      }
      return oneByOne(keys, key => keyv.get(key))
    },
    async put(name, bytes) {
      const isStored = await keyv.set(PREFIX + name, Buffer.from(bytes).toString('base64'))
      if (isStored === false) throw new Error('It was not stored.')
    },
    close: once(async () => {
      await keyv.disconnect?.()
      endClient(keyv.store)
    }),
  }
}

/**
 * A store of a driver of unstorage.
 *
 * @throws CacheError `ERR_CACHE_OPTION`
 * @example
 * const cache = await openCache({ remote: { adapter: fromUnstorage(azureStorageBlob({ accountName })), keys } })
 */
export function fromUnstorage(driver: UnstorageLike): RemoteAdapter {
  if (typeof driver?.getItem !== 'function') throw refuseOption('fromUnstorage takes a driver of unstorage.', driver)
  return {
    getMany: names =>
      oneByOne(
        names.map(name => PREFIX + name),
        key => driver.getItem(key, {}),
      ),
    async put(name, bytes) {
      await driver.setItem?.(PREFIX + name, Buffer.from(bytes).toString('base64'), {})
    },
    close: once(() => driver.dispose?.()),
  }
}

/** Keyv's own store for Memcached has no `disconnect`: its connections would keep the process alive. */
function endClient(store: unknown): void {
  const { disconnect, client } = (store ?? {}) as { disconnect?: unknown; client?: { close?: unknown } }
  if (disconnect === undefined && typeof client?.close === 'function') client.close()
}

/** Pools of connections throw when they are ended twice. */
function once(end: () => unknown): () => Promise<void> {
  let ended: Promise<void> | undefined
  return () => {
    ended ??= Promise.resolve().then(async () => void (await end()))
    return ended
  }
}

async function oneByOne(keys: readonly string[], get: (key: string) => unknown): Promise<(Uint8Array | undefined)[]> {
  const values: (Uint8Array | undefined)[] = new Array(keys.length)
  let next = 0
  const work = async () => {
    while (next < keys.length) {
      const at = next++
      values[at] = bytesOf(await get(keys[at] as string))
    }
  }
  await Promise.all(Array.from({ length: MAX_CALLS }, work))
  return values
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
}
