// What is alive: every entry that stays, so far, and every blob that such an entry refers to, in a few numbers each (about
// 50 bytes for an entry with a value of its own).

import { BLOB_BYTES_START, BLOB_ID_BYTES, FRAME_HEADER_BYTES } from '../base/layout.js'
import { positionOf } from '../blobs/blobs.js'
import type { Position } from '../log-map/record.js'
import type { Entry } from '../manifest/entry.js'
import type { StoredEntry } from '../manifest/manifest.js'
import { blobLength, type Location } from '../packs/packs.js'
import { BlobTable, Column } from './blob-table.js'

/** What a blob takes in the index as a conditional put, besides the slack of its bucket. */
const INDEX_FRAME_BYTES = FRAME_HEADER_BYTES + 8 + 10 + BLOB_ID_BYTES + 8
/** A bucket holds up to this many times what is alive in it when a gc has passed. */
const BUCKET_SLACK = 1.25
const NO_PACK = 0xffffffff

const floats = (length: number) => new Float64Array(length)
const integers = (length: number) => new Uint32Array(length)

export interface PackContent {
  blobCount: number
  blobBytes: number
}

export class Census {
  readonly #lastUse = new Column(floats)
  readonly #frameBytes = new Column(integers)
  /** The blob's row plus 1; 0 for an entry that was struck. */
  readonly #blob = new Column(integers)
  readonly #blobs = new BlobTable()
  readonly #blobBytes = new Column(integers)
  readonly #pack = new Column(integers)
  readonly #referrers = new Column(integers)
  readonly #isThere: (location: Location) => boolean
  /** Entries that were taken out, and what their records take. */
  struckCount = 0
  struckBytes = 0
  #unlocatedCount = 0
  #liveBlobs = 0
  #liveCost = 0

  /** `isThere` tells of a place whether it is in a pack on disk: an entry may name one that a gc has removed. */
  constructor(isThere: (location: Location) => boolean) {
    this.#isThere = isThere
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

  /** What all that is alive takes on disk. */
  get liveCost(): number {
    return this.#liveCost
  }

  /** Distinct blobs that are alive. */
  get liveBlobs(): number {
    return this.#liveBlobs
  }

  /** Whether there are blobs whose pack is not known. */
  get isIncomplete(): boolean {
    return this.#unlocatedCount > 0
  }

  /** `nowMs` is the time by which it counts when the entry was last used. */
  add({ entry, frameBytes }: StoredEntry, nowMs: number): void {
    const { id, location } = entry.blob
    const row = this.#blobs.add(positionOf(id))
    if (row === this.#referrers.length) {
      this.#referrers.push(0)
      this.#blobBytes.push(blobLength(id))
      this.#pack.push(NO_PACK)
      this.#unlocatedCount++
      this.#liveBlobs++
      this.#liveCost += blobCost(blobLength(id))
    }
    this.#referrers.set(row, this.#referrers.at(row) + 1)
    this.#locate(row, location)
    this.#lastUse.push(lastUseOf(entry, nowMs))
    this.#frameBytes.push(frameBytes)
    this.#blob.push(row + 1)
    this.#liveCost += entryCost(frameBytes)
  }

  /** Takes an entry out, and its blob with the last one that refers to it. */
  strike(entry: number): void {
    const row = this.#blob.at(entry) - 1
    this.#blob.set(entry, 0)
    this.#referrers.set(row, this.#referrers.at(row) - 1)
    this.#liveCost -= entryCost(this.#frameBytes.at(entry))
    this.struckCount++
    this.struckBytes += this.#frameBytes.at(entry)
    if (this.#referrers.at(row) > 0) return
    this.#liveBlobs--
    this.#liveCost -= blobCost(this.#blobBytes.at(row))
  }

  /** How many entries from `start` to `end` were taken out. */
  struckIn({ start, end }: { start: number; end: number }): number {
    let count = 0
    for (let entry = start; entry < end; entry++) if (this.isStruck(entry)) count++
    return count
  }

  isStruck(entry: number): boolean {
    return this.#blob.at(entry) === 0
  }

  lastUse(entry: number): number {
    return this.#lastUse.at(entry)
  }

  /** What the entry takes on disk, its blob included. */
  costOf(entry: number): number {
    return entryCost(this.#frameBytes.at(entry)) + blobCost(this.#blobBytes.at(this.#blob.at(entry) - 1))
  }

  /** Says where a blob is, if it is one of the census. */
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

/** How far the clocks of those who share a cache may be apart. */
const CLOCK_SKEW_MS = 60_000

/**
 * When the entry was last known to be of use, in ms: its record has the second, which its creation makes more precise. One that
 * was used by a clock that is ahead counts as the oldest: it would outlive all others.
 */
export function lastUseOf({ usedAt, createdAt }: Entry, nowMs: number): number {
  const lastUse = Math.max(usedAt, createdAt)
  return lastUse > nowMs + CLOCK_SKEW_MS ? 0 : lastUse
}

/** What an entry takes without its blob; `frameBytes` is its record's length. */
export function entryCost(frameBytes: number): number {
  return frameBytes * BUCKET_SLACK
}

/** What a blob takes, however many entries refer to it. */
export function blobCost(blobBytes: number): number {
  return blobBytes + BLOB_BYTES_START + INDEX_FRAME_BYTES * BUCKET_SLACK
}
