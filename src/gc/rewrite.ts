// Copies the live blobs of a retired pack to other packs, and updates the index.

import { locationIn, positionOf } from '../blobs/blob-index.js'
import type { StoredBlob, Unindexed } from '../blobs/blob-writer.js'
import type { Blobs } from '../blobs/blobs.js'
import { NO_RECORD, type Position } from '../log-map/record.js'
import type { BlobRef } from '../packs/blob.js'

/** How much of a pack is copied at a time. */
const MIN_CHUNK_BYTES = 16 * 1024
const MAX_CHUNK_BYTES = 1024 * 1024

export interface Rewritten {
  removedBlobs: number
  /** Where to continue in the pack; undefined when it is done. */
  next: number | undefined
  /** How long the disk took to sync, in ms. */
  syncMs: number
}

/**
 * Rewrites packs in chunks that take about `pieceMs`. The time for a chunk varies: in a new process, or with a large index,
 * each blob costs reading a bucket.
 */
export class Rewrite {
  readonly #blobs: Blobs
  readonly #isLive: (blob: Position) => boolean
  readonly #pieceMs: number
  #chunkBytes = MIN_CHUNK_BYTES

  constructor(blobs: Blobs, isLive: (blob: Position) => boolean, pieceMs: number) {
    this.#blobs = blobs
    this.#isLive = isLive
    this.#pieceMs = pieceMs
  }

  /** Rewrites the next chunk of a retired pack. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  next(pack: number, from: number): Rewritten {
    const start = performance.now()
    const done = rewriteSome(this.#blobs, pack, from, this.#isLive, this.#chunkBytes)
    // A sync takes as long for a small chunk.
    const isQuick = performance.now() - start - done.syncMs < this.#pieceMs
    const wanted = isQuick ? this.#chunkBytes * 2 : this.#chunkBytes / 2
    this.#chunkBytes = Math.min(Math.max(wanted, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES)
    return done
  }
}

/** Copies the live blobs of about a chunk of a retired pack elsewhere and forgets the dead ones. */
export function rewriteSome(
  blobs: Blobs,
  pack: number,
  from: number,
  isLive: (blob: Position) => boolean,
  chunkBytes: number,
): Rewritten {
  const { packs } = blobs
  const moved: (StoredBlob & Unindexed)[] = []
  const dead: BlobRef[] = []
  let removedBlobs = 0
  const next = packs.scanSome(pack, from, chunkBytes, (location, id, bytes) => {
    const record = blobs.recordOf(id)
    const known = record && locationIn(record)
    const isHere = known?.pack === pack && known.offset === location.offset
    if (isLive(positionOf(id))) {
      if (blobs.isElsewhere(id, location, known)) return
      const ref = { id: Buffer.from(id), location }
      moved.push({ id: ref.id, bytes: Buffer.from(bytes), ref, expected: record?.check ?? NO_RECORD })
    } else if (isHere || !known) {
      removedBlobs++
      if (isHere) dead.push({ id: Buffer.from(id), location })
    }
  })
  blobs.unindex(dead)
  return { removedBlobs, next, syncMs: blobs.move(pack, moved) }
}
