// An open-addressing table from 32-bit hash to file offset: 8 bytes a slot, at most 3/4 full. A Map of numbers would
// take ten times as much, and a long-lived process may look into every bucket of a million entries. `skim.wat` fills it, too.

const MIN_SLOTS = 16

export class Slots {
  /** Pairs of hash and offset + 1; 0 marks a free slot. */
  #table = new Uint32Array(2 * MIN_SLOTS)
  #mask = MIN_SLOTS - 1
  count = 0
  /** Memory in which the table is as long as there is enough of it. */
  #lent: Uint32Array<ArrayBuffer> | undefined

  /**
   * The first slot in which there is an offset under this hash, or -1. The next one is that `from` the slot after it:
   *
   *     for (let slot = slots.find(hash); slot >= 0; slot = slots.find(hash, slot + 1)) slots.offsetAt(slot)
   */
  find(hash: number, from = hash): number {
    const table = this.#table
    for (let slot = from & this.#mask; table[2 * slot + 1] !== 0; slot = (slot + 1) & this.#mask) {
      if (table[2 * slot] === hash) return slot
    }
    return -1
  }

  offsetAt(slot: number): number {
    return (this.#table[2 * slot + 1] as number) - 1
  }

  /** Makes room for so many more. */
  reserve(count: number): void {
    let slots = this.#mask + 1
    while ((this.count + count) * 4 > slots * 3) slots *= 2
    if (slots > this.#mask + 1) this.#resize(slots)
  }

  /** Has the table in this memory until `settle`, unless it grows too large for it. */
  borrow(memory: Uint32Array<ArrayBuffer>): void {
    if (this.#lent) return
    this.#lent = memory
    this.#resize(this.#mask + 1)
  }

  /** Gives back what was borrowed. */
  settle(): void {
    if (this.isLent) this.#table = this.#table.slice()
    this.#lent = undefined
  }

  /** Whether the table is in the memory that was borrowed. */
  get isLent(): boolean {
    return this.#lent?.buffer === this.#table.buffer
  }

  get mask(): number {
    return this.#mask
  }

  /** How many more there may be before the table has to grow. */
  get room(): number {
    return Math.floor(((this.#mask + 1) * 3) / 4) - this.count
  }

  add(hash: number, offset: number): void {
    if (++this.count * 4 > (this.#mask + 1) * 3) this.#resize(2 * (this.#mask + 1))
    this.#insert(hash, offset)
  }

  replaceAt(slot: number, offset: number): void {
    this.#table[2 * slot + 1] = offset + 1
  }

  remove(hash: number, offset: number): void {
    const rest: [number, number][] = []
    for (let i = 0; i < this.#table.length; i += 2) {
      const [each, at] = [this.#table[i] as number, this.#table[i + 1] as number]
      if (at !== 0 && (each !== hash || at !== offset + 1)) rest.push([each, at - 1])
    }
    this.clear()
    for (const [each, at] of rest) this.add(each, at)
  }

  clear(): void {
    this.#table = new Uint32Array(2 * MIN_SLOTS)
    this.#mask = MIN_SLOTS - 1
    this.count = 0
  }

  /** All offsets, in no order. */
  offsets(): number[] {
    const all: number[] = []
    for (let i = 1; i < this.#table.length; i += 2) if (this.#table[i] !== 0) all.push((this.#table[i] as number) - 1)
    return all
  }

  #insert(hash: number, offset: number): void {
    let slot = hash & this.#mask
    while (this.#table[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask
    this.#table[2 * slot] = hash
    this.#table[2 * slot + 1] = offset + 1
  }

  #resize(slots: number): void {
    const old = this.isLent ? this.#table.slice() : this.#table
    this.#table = this.#zeroed(2 * slots)
    this.#mask = slots - 1
    for (let i = 0; i < old.length; i += 2) {
      const offset = old[i + 1] as number
      if (offset !== 0) this.#insert(old[i] as number, offset - 1)
    }
  }

  #zeroed(length: number): Uint32Array<ArrayBuffer> {
    const lent = this.#lent
    return lent && length <= lent.length ? lent.subarray(0, length).fill(0) : new Uint32Array(length)
  }
}
