import type { Blobs } from '../blobs/blobs.js'
import type { Claims } from '../claims/claims.js'
import type { Counters } from '../counters/counters.js'
import type { Environment } from '../log/environment.js'
import type { Manifest } from '../manifest/manifest.js'
import type { Memo } from '../memo/memo.js'
import type { Flights } from './flights.js'

/** What a namespace needs of the cache that it belongs to; shared by all handles of one name. */
export interface NamespaceStore {
  readonly environment: Environment
  readonly manifest: Manifest
  readonly blobs: Blobs
  readonly counters: Counters
  readonly claims: Claims
  readonly memo: Memo
  readonly flights: Flights
  now(): number
  /** Throws `ERR_CACHE_CLOSED` once the cache is closed. */
  expectOpen(): void
  /** False for a read-only cache and for a root that cannot be used. */
  readonly canWrite: boolean
  /** Says once for each kind of trouble that something is broken. */
  report(error: unknown): void
  diskBytes(): number
  /** Has the blobs that were put be indexed when the turn ends, or now where they are many. */
  indexSoon(): void
  /** Does a slice of the cache's upkeep now and then. */
  afterSet(count: number, bytes: number): void
}
