// The locations of all intact blobs, 13 bytes for each. Entries and index records are checked against it without reading the
// packs again, and blobs without an entry are known at the end. A match means the exact location and 32 bits of the id. What
// doesn't match is looked up on disk before it is reported.

import { blobLength, type Location } from '../packs/blob.js'

const IS_USED = 1
const IS_INDEXED = 2
const MIN_CAPACITY = 256
const MAX_OFFSET = 0xffffffff

export interface Orphans {
  count: number
  bytes: number
  /** Bytes of the blobs that are in use, in the same pack. */
  keptBytes: number
  firstOffset: number
}

export class Shelf {
  readonly #hash: (id: Buffer) => number
  readonly #rows = new Map<number, Row>()

  constructor(hash: (id: Buffer) => number) {
    this.#hash = hash
  }

  /** Starts a pack, or starts it again. Add its blobs in the order of their offsets. */
  begin(pack: number): void {
    this.#rows.set(pack, new Row())
  }

  forget(pack: number): void {
    this.#rows.delete(pack)
  }

  add({ pack, offset }: Location, id: Buffer): void {
    if (offset <= MAX_OFFSET) this.#rows.get(pack)?.add(offset, this.#hash(id), blobLength(id))
  }

  /** Notes that an entry refers to this blob; undefined if it isn't there. */
  use(location: Location, id: Buffer): { isIndexed: boolean } | undefined {
    const flags = this.#mark(location, id, IS_USED)
    return flags === 0 ? undefined : { isIndexed: (flags & IS_INDEXED) !== 0 }
  }

  /** Checks an index record: whether the blob is at this location. */
  index(location: Location, id: Buffer): boolean {
    return this.#mark(location, id, IS_INDEXED) !== 0
  }

  get blobCount(): number {
    let count = 0
    for (const row of this.#rows.values()) count += row.count
    return count
  }

  /** The blobs that no entry refers to, by pack. */
  *orphans(): IterableIterator<[pack: number, orphans: Orphans]> {
    for (const [pack, row] of this.#rows) {
      const orphans = row.without(IS_USED)
      if (orphans.count > 0) yield [pack, orphans]
    }
  }

  #mark({ pack, offset }: Location, id: Buffer, flag: number): number {
    return this.#rows.get(pack)?.mark(offset, this.#hash(id), flag) ?? 0
  }
}

class Row {
  count = 0
  #offsets = new Uint32Array(MIN_CAPACITY)
  #hashes = new Uint32Array(MIN_CAPACITY)
  #lengths = new Uint32Array(MIN_CAPACITY)
  #flags = new Uint8Array(MIN_CAPACITY)

  add(offset: number, hash: number, length: number): void {
    if (this.count === this.#flags.length) this.#grow()
    this.#offsets[this.count] = offset
    this.#hashes[this.count] = hash
    this.#lengths[this.count++] = length
  }

  /** Sets a flag of the blob and returns all; 0 if it isn't there. */
  mark(offset: number, hash: number, flag: number): number {
    let low = 0
    for (let high = this.count; low < high; ) {
      const middle = (low + high) >>> 1
      if ((this.#offsets[middle] as number) < offset) low = middle + 1
      else high = middle
    }
    if (low === this.count || this.#offsets[low] !== offset || this.#hashes[low] !== hash) return 0
    const flags = (this.#flags[low] as number) | flag
    this.#flags[low] = flags
    return flags
  }

  without(flag: number): Orphans {
    const orphans: Orphans = { count: 0, bytes: 0, keptBytes: 0, firstOffset: 0 }
    for (let at = 0; at < this.count; at++) {
      if ((this.#flags[at] as number) & flag) {
        orphans.keptBytes += this.#lengths[at] as number
        continue
      }
      if (orphans.count++ === 0) orphans.firstOffset = this.#offsets[at] as number
      orphans.bytes += this.#lengths[at] as number
    }
    return orphans
  }

  #grow(): void {
    const length = this.count * 2
    const words = (old: Uint32Array<ArrayBuffer>) => {
      const grown = new Uint32Array(length)
      grown.set(old)
      return grown
    }
    this.#offsets = words(this.#offsets)
    this.#hashes = words(this.#hashes)
    this.#lengths = words(this.#lengths)
    const flags = new Uint8Array(length)
    flags.set(this.#flags)
    this.#flags = flags
  }
}
