// What every storage object needs from outside, passed in once.

import type { Descriptors } from '../files/descriptors.js'
import type { Files } from '../files/files.js'
import type { Hashing } from '../hashing/hashing.js'
import type { HashSeed } from './hash-seed.js'

export interface Environment {
  files: Files
  descriptors: Descriptors
  hashing: Hashing
  hashSeed: Pick<HashSeed, 'current' | 'establish' | 'isEstablished' | 'reconcile' | 'changeCount'>
  tick: Tick
  /** `Math.random`: a number from 0 to 1, different in each process. */
  random(): number
  readOnly: boolean
  /** Called before directories are created. Throws if the root must not be written to. */
  prepare(): void
  /** Changes when the root is replaced by another directory: everything known about the old one is void. */
  rootGeneration(): number
}

/**
 * Counts the ticks of the event loop. Whether a file was replaced is checked once per file and tick, not at each get, because
 * an fstat costs as much as the rest of a get. Whether a file has grown is checked at each get, by a read of one byte. So a set
 * of another process is seen at once, even by a process that waited for it within a tick.
 *
 * A tick ends with the microtasks of the callback it began in. An immediate would come too late: timers and I/O of the
 * loop's next round run before it.
 */
export class Tick {
  #id = 1
  #isEnding = false
  readonly #begins: () => void

  /** `begins` is called at the first use of the cache in each tick. */
  constructor(begins: () => void = () => undefined) {
    this.#begins = begins
  }

  /** Makes everything be checked again, as if a new tick had begun. */
  end(): void {
    this.#id++
  }

  current(): number {
    if (!this.#isEnding) {
      this.#isEnding = true
      queueMicrotask(() => {
        this.#isEnding = false
        this.#id++
      })
      this.#begins()
    }
    return this.#id
  }
}
