// What a gc works on and how far it may go.

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
  /** Or the name of the directory, where no namespace has it. */
  name: string
  directory: string
  manifest: Manifest
  counters: Counters
  /** Gives back what was opened for the gc alone. */
  close(): void
}

/** The namespaces on disk. There may be tens of thousands, so that they are opened one by one. */
export interface Namespaces {
  /** Names of their directories as of now, sorted. */
  directories(): string[]
  /** Undefined for what is no directory. A step of the background gc has what this process used in it written first. */
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
  /** If hashes of files that are gone are to be forgotten, and leftovers removed. */
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
