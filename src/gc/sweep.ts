// Gives back the space of blobs that no entry refers to.
//
// A pack with enough garbage is retired, which tells every set from now on that a blob in it needs storing again; only
// after that are the manifests read to find what is alive in it. That is copied to other packs, the index
// is pointed there, and once all of that is synced, the pack is removed. Killed at any point, all blobs that entries refer to
// are found through the index, and whoever comes next goes on with the packs that are retired; a power cut takes nothing that
// was on disk before.
//
// Not guaranteed: that all garbage goes. A pack that is mostly alive is not worth copying while there is room.

import { type Blobs, locationIn, positionOf, type StoredBlob, type Unindexed } from '../blobs/blobs.js'
import { NO_RECORD, type Position } from '../log-map/record.js'
import type { Manifest, StoredEntry } from '../manifest/manifest.js'
import type { BlobRef } from '../packs/packs.js'
import { isWorthRewriting } from '../policy/policy.js'
import type { BlobTable } from './blob-table.js'
import type { Census } from './census.js'

/** Read of a pack, and copied in one write, at a time. */
const MIN_CHUNK_BYTES = 16 * 1024
const MAX_CHUNK_BYTES = 1024 * 1024
export interface PackUse {
  pack: number
  sizeBytes: number
  garbageBytes: number
}

export interface PackChoice {
  /** To be rewritten. */
  chosen: PackUse[]
  /** To be left as they are, with garbage in them. */
  left: PackUse[]
  /** What is not alive in the chosen ones. */
  garbageBytes: number
}

/**
 * Packs to rewrite: those with garbage worth it, those that are retired already or empty for good, and, where entries and
 * packs take more than `maxBytes`, the next worst.
 */
export function choosePacks({ packs }: Blobs, census: Census, maxBytes: number): PackChoice {
  const contents = census.contents()
  const numbers = packs.numbers()
  const found = numbers.map(pack => {
    const { blobCount, blobBytes } = contents.get(pack) ?? { blobCount: 0, blobBytes: 0 }
    return { pack, sizeBytes: packs.sizeOf(pack), garbageBytes: packs.garbageBytes(pack, blobCount, blobBytes) }
  })
  let totalBytes = found.reduce((sum, { garbageBytes }) => sum + garbageBytes, census.liveCost)
  const choice: PackChoice = { chosen: [], left: [], garbageBytes: 0 }
  for (const { pack, sizeBytes, garbageBytes } of found.sort((a, b) => b.garbageBytes - a.garbageBytes)) {
    const isMuch = isWorthRewriting(sizeBytes, garbageBytes) || totalBytes > maxBytes
    const isEmptied = packs.isRetired(pack) || (sizeBytes === 0 && pack !== numbers.at(-1))
    if (!isEmptied && !(garbageBytes > 0 && isMuch)) {
      if (garbageBytes > 0) choice.left.push({ pack, sizeBytes, garbageBytes })
      continue
    }
    choice.chosen.push({ pack, sizeBytes, garbageBytes })
    choice.garbageBytes += garbageBytes
    totalBytes -= garbageBytes
  }
  choice.chosen.sort((a, b) => a.pack - b.pack)
  return choice
}

/** Adds the blobs that the bucket's entries refer to; returns the place to go on at. */
export function markBlobs(
  manifest: Manifest,
  place: number,
  marks: BlobTable,
  visit: (stored: StoredEntry, isNew: boolean) => void = () => undefined,
  isMarked: (stored: StoredEntry) => boolean = () => true,
): number {
  const { entries, next } = manifest.partAt(place)
  for (const stored of entries) {
    if (!isMarked(stored)) continue
    const { count } = marks
    marks.add(positionOf(stored.entry.blob.id))
    visit(stored, marks.count > count)
  }
  return next
}

export interface Rewritten {
  removedBlobs: number
  /** Where to go on in the pack; undefined when it is done. */
  next: number | undefined
  /** How long the disk took to sync, in ms. */
  syncMs: number
}

/**
 * Rewrites packs in chunks of about as many bytes as take so long: in a process that is new, and where the index is large, each
 * blob costs the reading of a bucket of it.
 */
export class Rewrite {
  readonly #blobs: Blobs
  readonly #isLive: (blob: Position) => boolean
  readonly #pieceMs: number
  readonly #reliance: Reliance
  #chunkBytes = MIN_CHUNK_BYTES

  constructor(blobs: Blobs, isLive: (blob: Position) => boolean, pieceMs: number) {
    this.#blobs = blobs
    this.#isLive = isLive
    this.#pieceMs = pieceMs
    this.#reliance = new Reliance(blobs)
  }

  /** Rewrites the next chunk of a retired pack. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  next(pack: number, from: number): Rewritten {
    const start = performance.now()
    const done = rewriteSome(this.#blobs, pack, from, this.#isLive, this.#chunkBytes, this.#reliance)
    // A sync takes as long for a small chunk.
    const isQuick = performance.now() - start - done.syncMs < this.#pieceMs
    const wanted = isQuick ? this.#chunkBytes * 2 : this.#chunkBytes / 2
    this.#chunkBytes = Math.min(Math.max(wanted, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES)
    return done
  }

  /** Removes a pack that was rewritten by this object alone, once what took its place is on disk. */
  remove(pack: number): void {
    this.#reliance.sync()
    this.#blobs.packs.remove(pack)
  }
}

/** So many leading bits of a place tell which part of the index was relied upon. */
const PART_BITS = 12

/** The packs and parts of the index that blobs of a pack are found in once it is removed. */
export class Reliance {
  readonly #blobs: Blobs
  readonly #packs = new Set<number>()
  readonly #parts = new Set<number>()

  constructor(blobs: Blobs) {
    this.#blobs = blobs
  }

  add(blob: Position, pack: number): void {
    this.#packs.add(pack)
    this.#parts.add(blob.place >>> (32 - PART_BITS))
  }

  sync(): void {
    const { packs, index } = this.#blobs
    if (this.#packs.size === 0) return
    for (const pack of this.#packs) packs.sync(pack)
    packs.syncNames()
    let done = 0
    for (const part of [...this.#parts].sort((a, b) => a - b)) {
      const start = part * 2 ** (32 - PART_BITS)
      const end = start + 2 ** (32 - PART_BITS)
      // One bucket may hold many parts, one part may lie in many buckets.
      for (let place = Math.max(start, done); place < end; place = done) done = index.syncAt(place)
    }
    this.#packs.clear()
    this.#parts.clear()
  }
}

/** Copies the live blobs of about a chunk of a retired pack elsewhere and forgets the dead ones. */
export function rewriteSome(
  blobs: Blobs,
  pack: number,
  from: number,
  isLive: (blob: Position) => boolean,
  chunkBytes: number,
  reliance = new Reliance(blobs),
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
      if (blobs.isElsewhere(id, location, known)) {
        if (known && known.pack !== pack) reliance.add(position, known.pack)
        return
      }
      const ref = { id: Buffer.from(id), location }
      moved.push({ id: ref.id, bytes: Buffer.from(bytes), ref, expected: record?.check ?? NO_RECORD })
    } else if (isHere || !known) {
      removedBlobs++
      if (isHere) dead.push({ id: Buffer.from(id), location })
    }
  })
  blobs.unindex(dead)
  const syncMs = blobs.move(pack, moved)
  for (const { id, ref } of moved) {
    // Or where somebody has stored it again meanwhile.
    reliance.add(positionOf(id), (blobs.locate(id) ?? ref.location).pack)
    reliance.add(positionOf(id), ref.location.pack)
  }
  return { removedBlobs, next, syncMs }
}
