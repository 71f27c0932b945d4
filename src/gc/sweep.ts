// Gives back the space of blobs that no entry refers to.
//
// A pack with enough garbage is retired, which tells every set from now on that a blob in it needs storing again; only
// after that are the manifests read to find what is alive in it. That is copied to other packs, the index
// is pointed there, and the pack is removed. Killed at any point, all blobs that entries refer to are found through the
// index, and whoever comes next goes on with the packs that are retired.
//
// Not guaranteed: that all garbage goes. A pack that is mostly alive is not worth copying while there is room.

import { type Blobs, locationIn, positionOf, type StoredBlob, type Unindexed } from '../blobs/blobs.js'
import { NO_RECORD, type Position } from '../log-map/record.js'
import type { Manifest } from '../manifest/manifest.js'
import type { BlobRef } from '../packs/packs.js'
import type { BlobTable } from './blob-table.js'
import type { Census } from './census.js'

/** Read of a pack, and copied in one write, at a time. */
const MIN_CHUNK_BYTES = 16 * 1024
const MAX_CHUNK_BYTES = 1024 * 1024
/** A pack is rewritten when this share of it is garbage, */
export const MIN_DEAD_SHARE = 0.25
/** or any of it, as long as it is as small as this. */
const SMALL_PACK_BYTES = 1024 * 1024

/**
 * Packs to rewrite: those with garbage worth it, those that are retired already or empty for good, and, where entries and
 * packs take more than `maxBytes`, the next worst.
 */
export function choosePacks({ packs }: Blobs, census: Census, maxBytes: number): number[] {
  const contents = census.contents()
  const numbers = packs.numbers()
  const found = numbers.map(pack => {
    const { blobCount, blobBytes } = contents.get(pack) ?? { blobCount: 0, blobBytes: 0 }
    return { pack, sizeBytes: packs.sizeOf(pack), garbageBytes: packs.garbageBytes(pack, blobCount, blobBytes) }
  })
  let totalBytes = found.reduce((sum, { garbageBytes }) => sum + garbageBytes, census.liveCost)
  const chosen: number[] = []
  for (const { pack, sizeBytes, garbageBytes } of found.sort((a, b) => b.garbageBytes - a.garbageBytes)) {
    const isMuch = garbageBytes >= sizeBytes * MIN_DEAD_SHARE || sizeBytes <= SMALL_PACK_BYTES || totalBytes > maxBytes
    const isEmptied = packs.isRetired(pack) || (sizeBytes === 0 && pack !== numbers.at(-1))
    if (!isEmptied && !(garbageBytes > 0 && isMuch)) continue
    chosen.push(pack)
    totalBytes -= garbageBytes
  }
  return chosen.sort((a, b) => a - b)
}

/** Adds the blobs that the bucket's entries refer to; returns the place to go on at. */
export function markBlobs(manifest: Manifest, place: number, marks: BlobTable): number {
  const { entries, next } = manifest.partAt(place)
  for (const { entry } of entries) marks.add(positionOf(entry.blob.id))
  return next
}

export interface Rewritten {
  removedBlobs: number
  /** Where to go on in the pack; undefined when it is done. */
  next: number | undefined
}

/**
 * Rewrites packs in chunks of about as many bytes as take so long: in a process that is new, and where the index is large, each
 * blob costs the reading of a bucket of it.
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
    const isQuick = performance.now() - start < this.#pieceMs
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
  const { packs, index } = blobs
  const moved: (StoredBlob & Unindexed)[] = []
  const dead: BlobRef[] = []
  let removedBlobs = 0
  const next = packs.scanSome(pack, from, chunkBytes, (location, id, bytes) => {
    const position = positionOf(id)
    const found = index.get(position, id)
    const record = found?.kind === 'put' ? found : undefined
    const known = record && locationIn(record)
    const isHere = known?.pack === pack && known.offset === location.offset
    if (isLive(position)) {
      if (blobs.isElsewhere(id, location, known)) return
      const ref = { id: Buffer.from(id), location }
      moved.push({ id: ref.id, bytes: Buffer.from(bytes), ref, expected: record?.check ?? NO_RECORD })
    } else if (isHere || !known) {
      removedBlobs++
      if (isHere) dead.push({ id: Buffer.from(id), location })
    }
  })
  blobs.unindex(dead)
  blobs.move(pack, moved)
  return { removedBlobs, next }
}
