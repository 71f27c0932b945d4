// The input of a gc.

import type { GcProgress } from '../api/index.js'
import type { Layout } from '../base/layout.js'
import type { Blobs } from '../blobs/blobs.js'
import type { Counters } from '../counters/counters.js'
import type { FileHashMap } from '../file-hashes/file-hashes.js'
import type { SnapshotMeans } from '../inputs/snapshot.js'
import type { Environment } from '../log/environment.js'
import type { Manifest } from '../manifest/manifest.js'
import type { CacheLimits } from '../policy/configured-limits.js'

export interface CollectedNamespace {
  /** The namespace's name, or the directory's name if no namespace has it. */
  name: string
  directory: string
  manifest: Manifest
  counters: Counters
  /** Closes what was opened for the gc alone. */
  close(): void
}

/** The namespaces on disk. There may be tens of thousands, so that they are opened one by one. */
export interface Namespaces {
  /** Names of their directories as of now, sorted. */
  directories(): string[]
  /** Opens a namespace; undefined if it isn't a directory. Writes this process's pending uses of it first. */
  open(directory: string): CollectedNamespace | undefined
}

export interface CycleInput {
  environment: Environment
  blobs: Blobs
  layout: Layout
  namespaces: Namespaces
  now(): number
  /** Whether entries are only chosen. */
  isDryRun?: boolean
  /** If given, hashes of deleted files are removed, and leftovers too. */
  fileHashes?: FileHashMap
}

export interface GcInput extends CycleInput {
  fileHashes: FileHashMap
  snapshotMeans: SnapshotMeans
  limits: CacheLimits
  /** The only namespace of which entries are dropped. */
  only?: string | undefined
  isDryRun: boolean
  signal?: AbortSignal | undefined
  onProgress?: ((progress: GcProgress) => void) | undefined
}
