// What a gc works on and how far it may go.

import type { GcProgress } from '../api/index.js'
import type { Layout } from '../base/layout.js'
import type { Blobs } from '../blobs/blobs.js'
import type { Counters } from '../counters/counters.js'
import type { FileHashMap } from '../file-hashes/file-hashes.js'
import type { SnapshotMeans } from '../inputs/snapshot.js'
import type { Environment } from '../log/environment.js'
import type { Manifest } from '../manifest/manifest.js'
import type { CacheBounds } from '../policy/bounds.js'

export interface CollectedNamespace {
  /** Or the name of the directory, where no namespace has it. */
  name: string
  directory: string
  manifest: Manifest
  counters: Counters
}

export interface GcInput {
  environment: Environment
  blobs: Blobs
  fileHashes: FileHashMap
  snapshotMeans: SnapshotMeans
  layout: Layout
  /** All that are on disk at the time of the call. */
  namespaces(): CollectedNamespace[]
  now(): number
  bounds: CacheBounds
  /** The only namespace of which entries are dropped. */
  only?: string | undefined
  isDryRun: boolean
  signal?: AbortSignal | undefined
  onProgress?: ((progress: GcProgress) => void) | undefined
}
