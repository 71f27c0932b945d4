// The blobs that a gc has seen, by the first 8 bytes of their ids. They are in typed arrays: for a million blobs, a Map of
// strings would take five times the memory.
//
// Two blobs with the same 8 bytes count as one. So garbage may be kept, but nothing live is removed.

import type { Position } from '../log-map/record.js'

const MIN_SLOTS = 1024
/** Fields of a slot: the two halves of the hash, the row plus 1 (0: the slot is free). */
const FIELDS = 3

export class BlobTable {
  #slots = new Uint32Array(FIELDS * MIN_SLOTS)
  #mask = MIN_SLOTS - 1
  /** The rows: blobs are numbered from 0 in the order in which they were added. */
  count = 0

  /** The blob's row; a new one if it has none yet. */
  add({ hash, tag }: Position): number {
    const at = this.#find(hash, tag)
    const row = this.#slots[at + 2] as number
    if (row > 0) return row - 1
    this.#slots[at] = hash
    this.#slots[at + 1] = tag
    this.#slots[at + 2] = ++this.count
    if (this.count * 4 > (this.#mask + 1) * 3) this.#grow()
    return this.count - 1
  }

  /** The blob's row, or -1. */
  rowOf({ hash, tag }: Position): number {
    return (this.#slots[this.#find(hash, tag) + 2] as number) - 1
  }

  #find(hash: number, tag: number): number {
    for (let index = tag & this.#mask; ; index = (index + 1) & this.#mask) {
      const at = FIELDS * index
      if (this.#slots[at + 2] === 0 || (this.#slots[at] === hash && this.#slots[at + 1] === tag)) return at
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    this.#mask = this.#mask * 2 + 1
    for (let from = 0; from < old.length; from += FIELDS) {
      if (old[from + 2] === 0) continue
      const [hash, tag] = [old[from] as number, old[from + 1] as number]
      const at = this.#find(hash, tag)
      this.#slots[at] = hash
      this.#slots[at + 1] = tag
      this.#slots[at + 2] = old[from + 2] as number
    }
  }
}

/** A list of numbers that grows in a typed array. */
export class Column<T extends Float64Array | Uint32Array> {
  #values: T
  readonly #make: (length: number) => T
  length = 0

  constructor(make: (length: number) => T) {
    this.#make = make
    this.#values = make(1024)
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = this.#make(this.length * 2)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
  }

  at(index: number): number {
    return this.#values[index] as number
  }

  set(index: number, value: number): void {
    this.#values[index] = value
  }
}
