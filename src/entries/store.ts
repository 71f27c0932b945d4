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
  /** Identifies the namespace in this process. */
  readonly id: string
  /** The namespace's directory. */
  readonly directory: string
  /** The path of the namespace's directory. */
  readonly path: string
  readonly manifest: Manifest
  readonly blobs: Blobs
  readonly counters: Counters
  readonly lists: InputListStore
  readonly projects: Projects
  readonly mode: CacheMode
  /** The trace file, to which each question appends a line; undefined if there is none. */
  readonly trace: string | undefined
  /** When the cache was opened, by the cache's clock. */
  readonly openedAt: number
  readonly snapshotMeans: SnapshotMeans
  /** Returns the snapshot of a running `cache.snapshot`, otherwise a new one. */
  snapshot(): Snapshot
  /** Makes a running `cache.snapshot` check entries again, after one was set or removed. */
  forgetEntries(): void
  /** Writes file hashes if many are pending. */
  flushFileHashes(): void
  /** Returns the remote tier, opened by the first call; undefined if there is none. */
  remote(): RemoteTier | undefined
  now(): number
  /** Throws `ERR_CACHE_CLOSED` once the cache is closed. */
  assertOpen(): void
  /** False for a read-only cache and for a root that cannot be used. */
  readonly canWrite: boolean
  /** Reports a problem, once for each code. */
  report(error: unknown): void
  /** Schedules indexing of new blobs for the end of the tick; does it now if there are many. */
  indexSoon(): void
  /** Runs a slice of the background gc now and then. */
  afterSet(count: number, bytes: number): void
}
