// The records of the blob index: by a blob's id, where the blob is.

import type { Environment } from '../log/environment.js'
import { hashedPosition, type Position, type RecordView } from '../log-map/record.js'
import type { Location } from '../packs/blob.js'

/** Where in the index the blob's record is, or would be. */
export function indexPosition(environment: Environment, id: Buffer): Position {
  return hashedPosition(environment, id)
}

export function locationIn({ value }: RecordView): Location {
  return { pack: value.readUInt32LE(0), offset: value.readUInt32LE(4) }
}

/** A blob by 64 bits of its hash, for tables in memory. */
export function positionOf(id: Buffer): Position {
  return { hash: id.readUInt32BE(0), tag: id.readUInt32BE(4) }
}
