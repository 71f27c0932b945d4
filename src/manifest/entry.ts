// The bytes of what a manifest keeps under a key. FORMAT.md has the tables; all numbers are little-endian.
//
// A *head* is the record of a key: the entry that a get gives, or why there is none, and who is computing one. *Answers* are
// the entries of a computed key for other states of its inputs, and *nodes* say which inputs to look at to find them.
//
//   flags u8 | epoch u48 | [entry] | [removal] | [lease]
//
// The epoch is drawn anew whenever a key is set or removed: answers of an earlier one are void.

import { BLOB_ID_BYTES } from '../base/layout.js'
import type { Input } from '../inputs/input.js'
import type { BlobRef } from '../packs/blob.js'

export interface Entry {
  blob: BlobRef
  createdAt: number
  /** When it was last known to be of use, to the second. */
  usedAt: number
  /** Of the key when this was stored. */
  epoch: number
  ttlMs?: number | undefined
  /** How long computing it took; undefined for an entry that was set. */
  computeMs?: number | undefined
  /** Digest of the declared files and inputs; undefined where nothing was declared. */
  question?: Buffer | undefined
  /** The directory of the project in which a portable entry was last stored: where its inputs can be looked at. */
  seenIn?: string | undefined
  /** Undefined: not bound to inputs. */
  inputs?: readonly Input[] | undefined
}

export const REMOVAL_CAUSES = [
  'deleted',
  'invalidated',
  'expired',
  'source-changed',
  'source-missing',
  'source-appeared',
  'evicted',
] as const
/** Why an entry was removed. */
export type RemovalCause = (typeof REMOVAL_CAUSES)[number]

export interface Removal {
  cause: RemovalCause
  /** The source that was the cause, as an absolute path. */
  path?: string | undefined
}

/** Who is computing a value, so that others may wait for it. A hint, never a lock. */
export interface Lease {
  /** Of the instance of the library, 8 bytes. */
  owner: Buffer
  pid: number
  host: string
  /** When the owner last said that it goes on, ms by its own clock. */
  beatAt: number
  /** Whether the owner's thread is busy with it, and can't say so. */
  isSync: boolean
}

export interface Head {
  epoch: number
  entry?: Entry | undefined
  removal?: Removal | undefined
  lease?: Lease | undefined
}

/** Lists of references, one of which leads to the answer. */
export interface Node {
  lists: readonly (readonly Input[])[]
}

export const HAS_ENTRY = 1
export const HAS_REMOVAL = 2
export const HAS_LEASE = 4
export const IS_NODE = 8

export const HAS_TTL = 1
export const HAS_INPUTS = 2
export const IS_COMPUTED = 4
export const HAS_QUESTION = 8
export const HAS_SEEN_IN = 16

/** From the record's start: flags, epoch. */
export const HEAD_BYTES = 1 + 6
/** Flags, blob id, pack, offset, created, used. */
export const ENTRY_BYTES = 1 + BLOB_ID_BYTES + 4 + 4 + 6 + 4
export const QUESTION_BYTES = 16
export const OWNER_BYTES = 8
