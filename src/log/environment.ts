// What every storage object needs from outside itself, passed in once.

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
  /** From 0 to 1, different in each process: `Math.random`. */
  random(): number
  readOnly: boolean
  /** Called before directories are made; throws when the root must not be written to. */
  prepare(): void
  /** Changes when another directory takes the root's place: what was learned of the old one is void. */
  rootGeneration(): number
}

/**
 * Counts the ticks of the event loop. Whether a file was replaced is asked once a tick and file, not once a get: an fstat
 * costs as much as the rest of a get. Whether it has grown is asked each time, by a read of one byte: what another process
 * has set is seen at once, also by one that waited for it without leaving the tick.
 *
 * A tick ends with the microtasks of the callback it began in. An immediate would come too late: timers and I/O of the
 * loop's next round run before it.
 */
export class Tick {
  #id = 1
  #isEnding = false
  readonly #begins: () => void

  /** `begins` is called at the first use of the cache in each tick of the event loop. */
  constructor(begins: () => void = () => undefined) {
    this.#begins = begins
  }

  /** Has everything looked at again, as if a new tick had begun. */
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
