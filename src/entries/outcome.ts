// What a look for an entry asks, and what it comes to.

import type { MissReason } from '../api/index.js'
import type { Asker, Snapshot, Validity } from '../inputs/snapshot.js'
import type { Entry } from '../manifest/entry.js'

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
  reason: MissReason
  /** Of the head, where there is one. */
  epoch: number | undefined
  /** Of the head's record, 0 where there is none or it could not be read. */
  check: number
  /** What made the current entry stale. */
  validity: Validity | undefined
  /** What was looked at to find that out. */
  snapshot?: Snapshot | undefined
}

export type Outcome = Hit | Miss

export function missing(reason: MissReason): Miss {
  return { reason, epoch: undefined, check: 0, validity: undefined }
}
