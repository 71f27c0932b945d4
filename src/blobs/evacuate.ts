// Moves the blobs of a pack elsewhere and removes the pack, so that what in it is damaged or of no use goes with it.
//
// Guarantees: the pack is retired first, which tells every set from then on that its blobs there need storing again;
// each blob is in its new place before the index points to it, and the pack goes last. Killed in between, all blobs are
// still found, and the next one goes on with the retired pack. A set that stores a blob again meanwhile wins over its
// move.

import { NO_RECORD } from '../log-map/record.js'
import type { Blob, Location } from '../packs/packs.js'
import { type Blobs, indexRecord, locationIn, positionOf } from './blobs.js'

/** Blobs are copied in writes of about this length. */
const COPY_BYTES = 1024 * 1024

/**
 * `isWanted` is asked for each whole blob of which the index knows no other copy.
 *
 * @throws errno-style errors; CacheError `ERR_CACHE_IO`; nothing is lost then
 */
export function evacuate(blobs: Blobs, pack: number, isWanted: (id: Buffer, bytes: Buffer) => boolean): void {
  const { packs, index } = blobs
  const moved = new Set<string>()
  let batch: Blob[] = []
  let batchBytes = 0
  const move = () => {
    if (batch.length === 0) return
    const locations = packs.append(batch)
    for (const [at, { id }] of batch.entries()) {
      const expected = checkInPack(blobs, id, pack)
      if (expected !== undefined) index.swap({ ...indexRecord(id, locations[at] as Location), expected })
    }
    blobs.keep(batch.map((blob, at) => ({ ...blob, ref: { id: blob.id, location: locations[at] as Location } })))
    batch = []
    batchBytes = 0
  }
  packs.retire(pack)
  packs.scan(pack, (location, id, bytes) => {
    const name = id.toString('latin1')
    if (moved.has(name) || isElsewhere(blobs, location, id) || !isWanted(id, bytes)) return
    moved.add(name)
    batch.push({ id: Buffer.from(id), bytes: Buffer.from(bytes) })
    batchBytes += bytes.length
    if (batchBytes >= COPY_BYTES) move()
  })
  move()
  packs.remove(pack)
}

/** Whether the index knows of another copy, which is whole. */
function isElsewhere({ index, packs }: Blobs, { pack, offset }: Location, id: Buffer): boolean {
  const found = index.get(positionOf(id), id)
  if (found?.kind !== 'put') return false
  const known = locationIn(found)
  return (known.pack !== pack || known.offset !== offset) && packs.read(known, id) !== undefined
}

/**
 * The check of the index record that points into this pack, `NO_RECORD` for none at all, undefined for one elsewhere.
 */
function checkInPack({ index }: Blobs, id: Buffer, pack: number): number | undefined {
  const found = index.get(positionOf(id), id)
  if (found?.kind !== 'put') return NO_RECORD
  return locationIn(found).pack === pack ? found.check : undefined
}
