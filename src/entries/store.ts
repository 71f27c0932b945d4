import type { CacheMode } from '../api/index.js'
import type { Blobs } from '../blobs/blobs.js'
import type { Counters } from '../counters/counters.js'
import type { Snapshot, SnapshotMeans } from '../inputs/snapshot.js'
import type { FileHashes } from '../inputs/source.js'
import type { Environment } from '../log/environment.js'
import type { Manifest } from '../manifest/manifest.js'
import type { Projects } from '../project/project.js'
import type { InputListStore } from './input-lists.js'

/** What a namespace needs of the cache that it belongs to; shared by all handles of one name. */
export interface NamespaceStore {
  readonly environment: Environment
  readonly name: string
  /** Names the namespace in this process. */
  readonly id: string
  /** The namespace's directory. */
  readonly directory: string
  readonly manifest: Manifest
  readonly blobs: Blobs
  readonly counters: Counters
  readonly fileHashes: FileHashes & { flushIfDue(report: (error: unknown) => void): void }
  readonly lists: InputListStore
  readonly projects: Projects
  readonly mode: CacheMode
  /** When the cache was opened, by its clock. */
  readonly openedAt: number
  readonly snapshotMeans: SnapshotMeans
  /** What the world is now: of `cache.snapshot`, if that runs, else looked at anew. */
  snapshot(): Snapshot
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
