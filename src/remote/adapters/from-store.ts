// Adapters for key-value clients: any Keyv instance (Postgres, MySQL, MongoDB, Memcached, etcd, …) and any unstorage driver.
// Objects are passed as base64, because most clients corrupt bytes. After a timeout the tier goes on and ignores whatever the
// client still does.

import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { RemoteAdapter } from '../../api/index.js'
import { refuseOption } from '../../base/options.js'

/** The part of a Keyv instance that is used. */
export interface KeyvLike {
  get(key: string): unknown
  set(key: string, value: string): unknown
  getMany?(keys: string[]): unknown
  disconnect?(): unknown
  store?: unknown
  on?(event: 'error', listener: () => void): unknown
}

/** The part of an unstorage driver or storage that is used. */
export interface UnstorageLike {
  getItem(key: string, options?: object): unknown
  setItem?(key: string, value: string, options?: object): unknown
  dispose?(): unknown
}

/** Node publishes each opened connection on it. https://nodejs.org/api/diagnostics_channel.html */
const CHANNEL = 'net.client.socket'
const PREFIX = 'wicked-cache:'
/** Concurrent calls to stores without `getMany`. */
const MAX_CALLS = 32

/**
 * Uses your Keyv instance as the remote store. Give it a namespace of its own.
 *
 * @throws CacheError `ERR_CACHE_OPTION`
 * @example
 * const cache = await openCache({ remote: { adapter: fromKeyv(new Keyv(new KeyvPostgres(url))), keys } })
 */
export function fromKeyv(keyv: KeyvLike): RemoteAdapter {
  if (typeof keyv?.get !== 'function' || typeof keyv.set !== 'function') {
    throw refuseOption('fromKeyv takes a Keyv instance.', keyv)
  }
  // Without a listener, a connection error would end the process.
  keyv.on?.('error', () => undefined)
  const client = clientToEnd(keyv.store)
  const sockets = client && new Sockets()
  const within = <T>(call: () => T): T => (sockets ? sockets.watch(call) : call())
  return {
    getMany: names =>
      within(async () => {
        const keys = names.map(name => PREFIX + name)
        if (typeof keyv.getMany === 'function') {
          const values = await keyv.getMany(keys)
          if (Array.isArray(values)) return values.map(bytesOf)
        }
        return oneByOne(keys, key => keyv.get(key))
      }),
    put: (name, bytes) =>
      within(async () => {
        const isStored = await keyv.set(PREFIX + name, Buffer.from(bytes).toString('base64'))
        if (isStored === false) throw new Error('It was not stored.')
      }),
    close: once(async () => {
      await keyv.disconnect?.()
      client?.close()
      sockets?.close()
    }),
  }
}

/**
 * Uses an unstorage driver as the remote store.
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

/** Ends the connections of a client without `disconnect`, such as Keyv's for Memcached. They would keep the process alive. */
function clientToEnd(store: unknown): { close(): unknown } | undefined {
  const { disconnect, client } = (store ?? {}) as { disconnect?: unknown; client?: { close?: unknown } }
  const isEnded = disconnect === undefined && typeof client?.close === 'function'
  return isEnded ? (client as { close(): unknown }) : undefined
}

/**
 * Tracks the connections that a client opens during calls. A client that closes them politely waits for ever for a silent
 * server, and no longer knows the ones that it gave up before.
 */
class Sockets {
  readonly #calls = new AsyncLocalStorage<Sockets>()
  readonly #open = new Set<Socket>()
  #isClosed = false
  readonly #add = (message: unknown) => {
    if (this.#calls.getStore() !== this) return
    const { socket } = message as { socket: Socket }
    // Only once it connects: to connect a destroyed socket would bring it back.
    if (this.#isClosed) process.nextTick(() => socket.destroy())
    else this.#open.add(socket.once('close', () => this.#open.delete(socket)))
  }

  constructor() {
    subscribe(CHANNEL, this.#add)
  }

  watch<T>(call: () => T): T {
    return this.#calls.run(this, call)
  }

  /** Connections that the client opens after this are ended at once. */
  close(): void {
    this.#isClosed = true
    for (const socket of this.#open) socket.destroy()
  }
}

/** Ignores errors: connection pools throw when they are ended twice. */
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
