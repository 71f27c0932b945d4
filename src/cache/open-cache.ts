import type { Watcher } from '../api/index.js'
import type { NamespaceStore } from '../entries/store.js'
import type { Bounds } from '../policy/limits.js'
import type { Storage } from './storage.js'

/** What an open cache is made of, for all that is done with it as a whole. */
export interface OpenCache {
  readonly storage: Storage
  readonly isReadOnly: boolean
  readonly ownBounds: Bounds
  /** Bounds that were given with a namespace, the latest. */
  readonly namespaceBounds: Map<string, Bounds>
  readonly watchers: Set<Watcher>
  now(): number
  report(error: unknown): void
  storeOf(directory: string): NamespaceStore
}
