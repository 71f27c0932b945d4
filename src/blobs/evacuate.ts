// Rewrites a pack: copies its good blobs to other packs and removes it, and with it everything damaged or unused.
//
// Guarantees: the pack is retired first, which tells every set from then on that its blobs there need storing again; each blob
// is copied before the index points to the copy, and the pack is removed last. If the process is killed, all blobs can still be
// found, and the next rewrite continues with the retired pack. A set that stores a blob again meanwhile wins over the copy.

import { NO_RECORD } from '../log-map/record.js'
import { locationIn } from './blob-index.js'
import type { StoredBlob, Unindexed } from './blob-writer.js'
import type { Blobs } from './blobs.js'

/** Syncs everything that is needed once a pack is removed: the packs that stay, and the index. */
export function syncAll({ packs, index }: Blobs): void {
  for (const pack of packs.numbers()) if (!packs.isRetired(pack)) packs.sync(pack)
  packs.syncNames()
  for (let hash = 0; hash < 2 ** 32; ) hash = index.syncAt(hash)
}

/** Blobs are copied in writes of about this length. */
const COPY_BYTES = 1024 * 1024

/**
 * `isWanted` is asked for each whole blob of which the index knows no other copy.
 *
 * @throws errno-style errors; CacheError `ERR_CACHE_IO`; nothing is lost then
 */
export function evacuate(blobs: Blobs, pack: number, isWanted: (id: Buffer, bytes: Buffer) => boolean): void {
  const { packs } = blobs
  const moved = new Set<string>()
  let batch: (StoredBlob & Unindexed)[] = []
  let batchBytes = 0
  const move = () => {
    blobs.move(pack, batch)
    batch = []
    batchBytes = 0
  }
  packs.retire(pack)
  packs.scan(pack, (location, viewedId, bytes) => {
    const name = viewedId.toString('latin1')
    const record = blobs.recordOf(viewedId)
    const known = record && locationIn(record)
    if (moved.has(name) || blobs.isElsewhere(viewedId, location, known) || !isWanted(viewedId, bytes)) return
    moved.add(name)
    const id = Buffer.from(viewedId)
    batch.push({ id, bytes: Buffer.from(bytes), ref: { id, location }, expected: record?.check ?? NO_RECORD })
    batchBytes += bytes.length
    if (batchBytes >= COPY_BYTES) move()
  })
  move()
  syncAll(blobs)
  packs.remove(pack)
}
