// A store as all caches of a process on one root use it: a dozen plugins that each open the cache have one set of connections to
// it, and know together when it is down.

import type { RemoteAdapter } from '../api/index.js'
import type { Breaker } from './breaker.js'

export interface SharedStore {
  readonly breaker: Breaker
  /** Opened when it is asked for first. @throws RemoteFailure */
  adapter(): RemoteAdapter
  /** Whether other caches use its connections. */
  readonly isShared: boolean
  /** Once for each that has opened it. */
  close(): void | Promise<void>
}

export interface StoreMeans {
  createBreaker(): Breaker
  createAdapter(): RemoteAdapter
}

/** By name, while a cache uses them. */
const stores = new Map<string, { breaker: Breaker; adapter: RemoteAdapter | undefined; userCount: number }>()

/** `name` tells stores apart, with all that makes a difference to their connections; undefined: it is not shared. */
export function openStore(name: string | undefined, { createBreaker, createAdapter }: StoreMeans): SharedStore {
  const known = name === undefined ? undefined : stores.get(name)
  const store = known ?? { breaker: createBreaker(), adapter: undefined, userCount: 0 }
  store.userCount++
  if (name !== undefined) stores.set(name, store)
  return {
    breaker: store.breaker,
    get isShared() {
      return store.userCount > 1
    },
    adapter() {
      store.adapter ??= createAdapter()
      return store.adapter
    },
    close() {
      if (--store.userCount > 0) return
      if (name !== undefined) stores.delete(name)
      return store.adapter?.close()
    },
  }
}
