import type { CacheMode } from '../api/index.js'
import type { Blobs } from '../blobs/blobs.js'
import type { Counters } from '../counters/counters.js'
import type { Snapshot, SnapshotMeans } from '../inputs/snapshot.js'
import type { Environment } from '../log/environment.js'
import type { Manifest } from '../manifest/manifest.js'
import type { Projects } from '../project/project.js'
import type { RemoteTier } from '../remote/tier.js'
import type { InputListStore } from './input-lists.js'

/** What a namespace needs of the cache that it belongs to; shared by all handles of one name. */
export interface NamespaceStore {
  readonly environment: Environment
  readonly name: string
  /** Names the namespace in this process. */
  readonly id: string
  /** The namespace's directory. */
  readonly directory: string
  /** Its path. */
  readonly path: string
  readonly manifest: Manifest
  readonly blobs: Blobs
  readonly counters: Counters
  readonly lists: InputListStore
  readonly projects: Projects
  readonly mode: CacheMode
  /** The file to which a line is appended for each question; undefined where there is none. */
  readonly trace: string | undefined
  /** When the cache was opened, by its clock. */
  readonly openedAt: number
  readonly snapshotMeans: SnapshotMeans
  /** The snapshot of a running `cache.snapshot`, else a new one. */
  snapshot(): Snapshot
  /** Has a running `cache.snapshot` look at entries anew, after one was set or removed. */
  forgetEntries(): void
  /** Writes what was learned of files, where that is much. */
  flushFileHashes(): void
  /** The remote tier, opened by the first call; undefined where there is none. */
  remote(): RemoteTier | undefined
  now(): number
  /** Throws `ERR_CACHE_CLOSED` once the cache is closed. */
  assertOpen(): void
  /** False for a read-only cache and for a root that cannot be used. */
  readonly canWrite: boolean
  /** Says once for each kind of trouble that something is broken. */
  report(error: unknown): void
  /** Has the blobs that were put be indexed when the tick ends, or now where they are many. */
  indexSoon(): void
  /** Runs a slice of the background gc now and then. */
  afterSet(count: number, bytes: number): void
}
