// The question of a lookup, and its outcome.

import type { MissReason } from '../api/index.js'
import type { Asker, Snapshot } from '../inputs/snapshot.js'
import type { Validity } from '../inputs/validity.js'
import type { Entry } from '../manifest/entry.js'
import type { Lookup } from '../manifest/records.js'

/** What a computing call asks in addition to the key. */
export interface Question {
  /** Digest of the declared files and inputs; undefined if there are none. */
  digest: Buffer | undefined
  /** Entries that are older are a miss. */
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
  /** The record of the key; undefined if it could not be read. */
  found: Lookup | undefined
  /** The input that made the current entry stale. */
  validity: Validity | undefined
  /** The snapshot that was used to validate the entry. */
  snapshot?: Snapshot | undefined
}

export type Outcome = Hit | Miss

export function missing(reason: MissReason, found?: Lookup): Miss {
  return { reason, found, validity: undefined }
}
