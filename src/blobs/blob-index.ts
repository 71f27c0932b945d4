// The records of the blob index, which maps a blob's id to its location.

import type { Environment } from '../log/environment.js'
import { u32 } from '../log/frames.js'
import { hashedPosition, type Position, type RecordView } from '../log-map/record.js'
import type { Location } from '../packs/blob.js'

/** The position of the blob's record in the index. */
export function indexPosition(environment: Environment, id: Buffer): Position {
  return hashedPosition(environment, id)
}

export function locationIn({ bytes, valueStart }: RecordView): Location {
  return { pack: u32(bytes, valueStart), offset: u32(bytes, valueStart + 4) }
}

/** Identifies a blob by 64 bits of its hash, for tables in memory. */
export function positionOf(id: Buffer): Position {
  return { hash: id.readUInt32BE(0), tag: id.readUInt32BE(4) }
}
