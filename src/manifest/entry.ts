// The records of a manifest. FORMAT.md has the tables; all numbers are little-endian.
//
// A *head* is the record of a key: the current entry, or why there is none, and the lease of a process that computes it.
// *Answers* are entries of a computed key for other states of its inputs. *Nodes* say which inputs to check in order to find
// them.
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
  /** When the entry was last known to be used, to the second. */
  usedAt: number
  /** The epoch of the key when the answer was stored. */
  epoch: number
  ttlMs?: number | undefined
  /** How long the computation took, in ms; undefined for an entry that was set. */
  computeMs?: number | undefined
  /** Digest of the declared files and inputs; undefined where nothing was declared. */
  question?: Buffer | undefined
  /** The project directory in which a portable entry was last stored, and where its inputs can be checked. */
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
  /** The absolute path of the source that was the cause. */
  path?: string | undefined
}

/** Who is computing a value, so that others may wait for it. A hint, never a lock. */
export interface Lease {
  /** The id of the library's instance, 8 bytes. */
  owner: Buffer
  pid: number
  host: string
  /** The owner's last heartbeat, in ms by its own clock. */
  beatAt: number
  /** Whether the owner computes synchronously, and so can't send heartbeats. */
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

/** Length of flags and epoch at the start of the record. */
export const HEAD_BYTES = 1 + 6
/** Length of flags, blob id, pack, offset, created and used. */
export const ENTRY_BYTES = 1 + BLOB_ID_BYTES + 4 + 4 + 6 + 4
export const QUESTION_BYTES = 16
export const OWNER_BYTES = 8
