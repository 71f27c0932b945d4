// One store for all caches of a process on one root. A dozen plugins that each open the cache share its connections and its
// breaker.

import type { RemoteAdapter } from '../api/index.js'
import type { Breaker } from './breaker.js'

export interface SharedStore {
  readonly breaker: Breaker
  /** The adapter, opened on first use. @throws RemoteFailure */
  adapter(): RemoteAdapter
  /** Whether other caches use its connections. */
  readonly isShared: boolean
  /** Call it once for each open. */
  close(): void | Promise<void>
}

export interface StoreMeans {
  createBreaker(): Breaker
  createAdapter(): RemoteAdapter
}

/** The stores in use, by name. */
const stores = new Map<string, { breaker: Breaker; adapter: RemoteAdapter | undefined; userCount: number }>()

/** `name` covers everything that the connections depend on; undefined: don't share the store. */
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
