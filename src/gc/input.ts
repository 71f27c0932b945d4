// What a gc works on and how far it may go.

import type { Layout } from '../base/layout.js'
import type { GcProgress } from '../base/types.js'
import type { Blobs } from '../blobs/blobs.js'
import type { Claims } from '../claims/claims.js'
import type { Counters } from '../counters/counters.js'
import type { Environment } from '../log/environment.js'
import type { Manifest } from '../manifest/manifest.js'
import type { Memo } from '../memo/memo.js'
import type { CacheBounds } from '../policy/bounds.js'

export interface CollectedNamespace {
  /** Or the name of the directory, where no namespace has it. */
  name: string
  directory: string
  manifest: Manifest
  counters: Counters
  claims: Claims
}

export interface GcInput {
  environment: Environment
  blobs: Blobs
  memo: Memo
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
