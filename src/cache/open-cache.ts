import type { Watcher } from '../api/index.js'
import type { NamespaceStore } from '../entries/store.js'
import type { ParsedLimits } from '../policy/limits.js'
import type { Storage } from './storage.js'

/** The parts of an open cache, for operations on the whole cache. */
export interface OpenCache {
  readonly storage: Storage
  readonly isReadOnly: boolean
  readonly ownLimits: ParsedLimits
  /** The limits that were last given with a namespace, by its name. */
  readonly namespaceLimits: Map<string, ParsedLimits>
  readonly watchers: Set<Watcher>
  now(): number
  report(error: unknown): void
  storeOf(directory: string): NamespaceStore
}
