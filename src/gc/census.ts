// Counts everything that is alive: the entries that stay, and the blobs that they refer to. Takes about 50 bytes of memory for
// an entry with a value of its own.

import { BLOB_FRAME_BYTES, BLOB_ID_BYTES, FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES } from '../base/layout.js'
import { positionOf } from '../blobs/blob-index.js'
import type { Position } from '../log-map/record.js'
import type { StoredEntry } from '../manifest/records.js'
import { blobLength, type Location } from '../packs/blob.js'
import { BlobTable, Column } from './blob-table.js'
import { rankOf } from './rank.js'

/** What a blob takes in the index as a conditional put, besides the slack of its bucket. */
const INDEX_FRAME_BYTES = FRAME_HEADER_BYTES + 8 + BLOB_ID_BYTES + 8 + FRAME_TRAILER_BYTES
/** After a gc, a bucket has up to this many times the size of its live records. */
const BUCKET_SLACK = 1.25
const NO_PACK = 0xffffffff

const floats = (length: number) => new Float64Array(length)
const integers = (length: number) => new Uint32Array(length)

export interface PackContent {
  blobCount: number
  blobBytes: number
}

export class Census {
  readonly #rank = new Column(floats)
  readonly #frameBytes = new Column(integers)
  /** The blob's row plus 1; 0 for an entry that was struck. */
  readonly #blob = new Column(integers)
  readonly #blobs = new BlobTable()
  readonly #blobBytes = new Column(integers)
  readonly #pack = new Column(integers)
  readonly #referrers = new Column(integers)
  readonly #isThere: (location: Location) => boolean
  /** The size on disk of everything that is alive. */
  liveCost = 0
  /** Distinct blobs that are alive. */
  liveBlobs = 0
  #unlocatedCount = 0

  readonly #packBytes: number

  /**
   * `isThere` tells whether a location is in a pack on disk: an entry may name a pack that a gc removed. `packBytes`, the size
   * of all packs, caps blob lengths: an entry with a forged length would evict all others.
   */
  constructor(isThere: (location: Location) => boolean, packBytes: number) {
    this.#isThere = isThere
    this.#packBytes = packBytes
  }

  /** Whether an entry that stays refers to the blob. */
  isLive(blob: Position): boolean {
    const row = this.#blobs.rowOf(blob)
    return row >= 0 && this.#referrers.at(row) > 0
  }

  /** Entries, struck ones included. */
  get length(): number {
    return this.#blob.length
  }

  /** Whether there are blobs whose pack is not known. */
  get isIncomplete(): boolean {
    return this.#unlocatedCount > 0
  }

  /** `nowMs` is the time by which it counts when the entry was last used. */
  add({ entry, frameBytes }: StoredEntry, nowMs: number, isList: boolean): void {
    const { id, location } = entry.blob
    const row = this.#blobs.add(positionOf(id))
    if (row === this.#referrers.length) {
      const bytes = Math.min(blobLength(id), this.#packBytes)
      this.#referrers.push(0)
      this.#blobBytes.push(bytes)
      this.#pack.push(NO_PACK)
      this.#unlocatedCount++
      this.liveBlobs++
      this.liveCost += blobCost(bytes)
    }
    this.#referrers.set(row, this.#referrers.at(row) + 1)
    this.#locate(row, location)
    this.#rank.push(rankOf(entry, nowMs, isList))
    this.#frameBytes.push(frameBytes)
    this.#blob.push(row + 1)
    this.liveCost += entryCost(frameBytes)
  }

  /** Removes an entry, and its blob if no other entry refers to it. */
  strike(entry: number): void {
    const row = this.#blob.at(entry) - 1
    this.#blob.set(entry, 0)
    this.#referrers.set(row, this.#referrers.at(row) - 1)
    this.liveCost -= entryCost(this.#frameBytes.at(entry))
    if (this.#referrers.at(row) > 0) return
    this.liveBlobs--
    this.liveCost -= blobCost(this.#blobBytes.at(row))
  }

  isStruck(entry: number): boolean {
    return this.#blob.at(entry) === 0
  }

  /** See `rankOf`. */
  rank(entry: number): number {
    return this.#rank.at(entry)
  }

  /** The size of the entry on disk, including its blob. */
  costOf(entry: number): number {
    return entryCost(this.#frameBytes.at(entry)) + blobCost(this.#blobBytes.at(this.#blob.at(entry) - 1))
  }

  /** Sets the location of a blob, if it is part of the census. */
  locate(blob: Position, location: Location): void {
    const row = this.#blobs.rowOf(blob)
    if (row >= 0) this.#locate(row, location)
  }

  /** The live blobs by pack. */
  contents(): Map<number, PackContent> {
    const packs = new Map<number, PackContent>()
    let latest = NO_PACK
    let content: PackContent | undefined
    for (let row = 0; row < this.#referrers.length; row++) {
      if (this.#referrers.at(row) === 0) continue
      const pack = this.#pack.at(row)
      // Neighbours mostly lie in one pack.
      if (!content || pack !== latest) {
        content = packs.get(pack) ?? { blobCount: 0, blobBytes: 0 }
        packs.set(pack, content)
        latest = pack
      }
      content.blobCount++
      content.blobBytes += this.#blobBytes.at(row)
    }
    return packs
  }

  #locate(row: number, location: Location): void {
    if (this.#pack.at(row) !== NO_PACK || !this.#isThere(location)) return
    this.#pack.set(row, location.pack)
    this.#unlocatedCount--
  }
}

/** The size of an entry without its blob. `frameBytes` is the length of its record. */
export function entryCost(frameBytes: number): number {
  return frameBytes * BUCKET_SLACK
}

/** The size of a blob, however many entries refer to it. */
export function blobCost(blobBytes: number): number {
  return blobBytes + BLOB_FRAME_BYTES + INDEX_FRAME_BYTES * BUCKET_SLACK
}
