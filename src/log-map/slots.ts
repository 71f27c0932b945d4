// An open-addressing table from 32-bit hash to file offset: 8 bytes a slot, at most 3/4 full. A Map of numbers would
// take ten times as much, and a long-lived process may look into every bucket of a million entries.

const MIN_SLOTS = 16

export class Slots {
  /** Pairs of hash and offset + 1; 0 marks a free slot. */
  #table = new Uint32Array(2 * MIN_SLOTS)
  #mask = MIN_SLOTS - 1
  count = 0

  /** Whether anything is under this hash. */
  has(hash: number): boolean {
    for (let slot = hash & this.#mask; this.#table[2 * slot + 1] !== 0; slot = (slot + 1) & this.#mask) {
      if (this.#table[2 * slot] === hash) return true
    }
    return false
  }

  /** The offset under this hash for which the test holds, or -1. */
  find(hash: number, test: (offset: number) => boolean): number {
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const offset = (this.#table[2 * slot + 1] as number) - 1
      if (offset < 0) return -1
      if (this.#table[2 * slot] === hash && test(offset)) return offset
    }
  }

  add(hash: number, offset: number): void {
    if (++this.count * 4 > (this.#mask + 1) * 3) this.#grow()
    this.#insert(hash, offset)
  }

  replace(hash: number, from: number, to: number): void {
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      if (this.#table[2 * slot] !== hash || this.#table[2 * slot + 1] !== from + 1) continue
      this.#table[2 * slot + 1] = to + 1
      return
    }
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

  #grow(): void {
    const old = this.#table
    this.#table = new Uint32Array(old.length * 2)
    this.#mask = this.#mask * 2 + 1
    for (let i = 0; i < old.length; i += 2) {
      const offset = old[i + 1] as number
      if (offset !== 0) this.#insert(old[i] as number, offset - 1)
    }
  }
}
