// What a look for an entry asks, and what it comes to.

import type { MissReason } from '../api/index.js'
import type { Asker, Snapshot } from '../inputs/snapshot.js'
import type { Validity } from '../inputs/validity.js'
import type { Entry } from '../manifest/entry.js'
import type { Lookup } from '../manifest/records.js'

/** What a computing call asks, beyond the key. */
export interface Question {
  /** Digest of what was declared; undefined for nothing. */
  digest: Buffer | undefined
  /** Older entries don't count. */
  ttlMs: number | undefined
  asker: Asker
}

export interface Hit {
  value: unknown
  entry: Entry
  reason?: undefined
}

export interface Miss {
  value?: undefined
  entry?: undefined
  reason: MissReason
  /** What there was under the key; undefined where that could not be read. */
  found: Lookup | undefined
  /** What made the current entry stale. */
  validity: Validity | undefined
  /** What was looked at to find that out. */
  snapshot?: Snapshot | undefined
}

export type Outcome = Hit | Miss

export function missing(reason: MissReason, found?: Lookup): Miss {
  return { reason, found, validity: undefined }
}
