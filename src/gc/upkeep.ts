// Decides when a process that sets runs a slice of the background gc. `slices` does the work.
//
// Guarantees: a set is delayed by at most one slice of about 20 ms, and near the limit by one of another process. Most sets
// only count. A process that sets only once reads the journal with a probability of 1/16. So a cache that is only used by
// such processes is collected as well.

import { createSlices, type Slices, type UpkeepInput } from './slices.js'

/** Sets between two reads of the journal, and the probability that a process's first set reads it. */
const SETS_PER_LOOK = 64
const FIRST_LOOK_SHARE = 1 / 16

/** The smallest size of an entry on disk. */
const ENTRY_BYTES = 128

/** `input` is called before the first slice. */
export function createUpkeep(random: () => number, input: () => UpkeepInput): Upkeep {
  return new Upkeep(random, input)
}

export class Upkeep {
  readonly #random: () => number
  readonly #input: () => UpkeepInput
  #slices: Slices | undefined
  #isNew = true
  #setsToLook = SETS_PER_LOOK
  /** What this process has set since the last measurement. */
  #setCount = 0
  #setBytes = 0
  /** When it measures again. */
  #maxSetCount = Number.POSITIVE_INFINITY
  #maxSetBytes = Number.POSITIVE_INFINITY
  /** When the next slice of the current cycle is due, in ms of the process's life. */
  #sliceAt: number | undefined
  /** Whether a slice failed here; this process then tries no other. */
  #hasFailed = false

  constructor(random: () => number, input: () => UpkeepInput) {
    this.#random = random
    this.#input = input
  }

  /** Call this after each set. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  afterSet(count: number, bytes: number): void {
    this.#setCount += count
    this.#setBytes += bytes + count * ENTRY_BYTES
    this.#setsToLook -= count
    const isMuch = this.#setCount >= this.#maxSetCount || this.#setBytes >= this.#maxSetBytes
    const isFirst = this.#isNew && this.#random() < FIRST_LOOK_SHARE
    this.#isNew = false
    const isSliceDue = this.#sliceAt !== undefined && performance.now() >= this.#sliceAt
    if (!(isMuch || isSliceDue || isFirst || this.#setsToLook <= 0) || this.#hasFailed) return
    this.#hasFailed = true
    this.#take(isMuch)
    this.#hasFailed = false
  }

  close(): void {
    this.#slices?.close()
  }

  #take(isMuch: boolean): void {
    this.#setsToLook = SETS_PER_LOOK
    this.#slices ??= createSlices(this.#input())
    const { sliceAt, hasLooked, maxSetCount, maxSetBytes } = this.#slices.take(isMuch)
    this.#sliceAt = sliceAt
    this.#maxSetCount = maxSetCount
    this.#maxSetBytes = maxSetBytes
    if (!hasLooked) return
    this.#setCount = 0
    this.#setBytes = 0
  }
}
