// An open-addressing table from 32-bit tag to file offset: 8 bytes a slot, at most 3/4 full. A Map of numbers would
// take ten times as much, and a long-lived process may look into every bucket of a million entries.

const MIN_SLOTS = 16
const HASH_BITS = 14

export class Slots {
  /** Pairs of tag and offset + 1; 0 marks a free slot. */
  #table = new Uint32Array(2 * MIN_SLOTS)
  #mask = MIN_SLOTS - 1
  #count = 0
  /** A bit for each hash that was added, by its last bits. */
  #hashes = new Uint8Array(2 ** (HASH_BITS - 3))

  /**
   * The first slot in which there is an offset under this tag, or -1. The next one is that `from` the slot after it:
   *
   *     for (let slot = slots.find(tag); slot >= 0; slot = slots.find(tag, slot + 1)) slots.offsetAt(slot)
   */
  find(tag: number, from = tag): number {
    const table = this.#table
    for (let slot = from & this.#mask; table[2 * slot + 1] !== 0; slot = (slot + 1) & this.#mask) {
      if (table[2 * slot] === tag) return slot
    }
    return -1
  }

  /** The offset in a slot, or -1 for slot -1. */
  offsetAt(slot: number): number {
    return slot < 0 ? -1 : (this.#table[2 * slot + 1] as number) - 1
  }

  /** Whether anything may have been added with this hash. */
  mayHaveHash(hash: number): boolean {
    return ((this.#hashes[(hash >>> 3) & HASH_MASK] as number) & (1 << (hash & 7))) !== 0
  }

  /** Makes room for so many more. */
  reserve(count: number): void {
    let slots = this.#mask + 1
    while ((this.#count + count) * 4 > slots * 3) slots *= 2
    if (slots > this.#mask + 1) this.#resize(slots)
  }

  add(hash: number, tag: number, offset: number): void {
    if (++this.#count * 4 > (this.#mask + 1) * 3) this.#resize(2 * (this.#mask + 1))
    this.#insert(tag, offset)
    this.#hashes[(hash >>> 3) & HASH_MASK] = (this.#hashes[(hash >>> 3) & HASH_MASK] as number) | (1 << (hash & 7))
  }

  replaceAt(slot: number, offset: number): void {
    this.#table[2 * slot + 1] = offset + 1
  }

  removeAt(slot: number): void {
    this.#table[2 * slot + 1] = 0
    this.#count--
    // Entries after the removed one may be in their slots only because its slot was taken.
    this.#resize(this.#mask + 1)
  }

  clear(): void {
    this.#table = new Uint32Array(2 * MIN_SLOTS)
    this.#mask = MIN_SLOTS - 1
    this.#count = 0
    this.#hashes.fill(0)
  }

  /** All offsets, the lowest first. */
  offsets(): Uint32Array {
    const all = new Uint32Array(this.#count)
    let count = 0
    for (let i = 1; i < this.#table.length; i += 2) {
      if (this.#table[i] !== 0) all[count++] = (this.#table[i] as number) - 1
    }
    return all.sort()
  }

  #insert(tag: number, offset: number): void {
    let slot = tag & this.#mask
    while (this.#table[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask
    this.#table[2 * slot] = tag
    this.#table[2 * slot + 1] = offset + 1
  }

  #resize(slots: number): void {
    const old = this.#table
    this.#table = new Uint32Array(2 * slots)
    this.#mask = slots - 1
    for (let i = 0; i < old.length; i += 2) {
      const offset = old[i + 1] as number
      if (offset !== 0) this.#insert(old[i] as number, offset - 1)
    }
  }
}

const HASH_MASK = 2 ** (HASH_BITS - 3) - 1
