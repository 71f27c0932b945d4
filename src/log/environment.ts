// What every storage object needs from outside itself, passed in once.

import type { Descriptors } from '../files/descriptors.js'
import type { Files } from '../files/files.js'
import type { Hashing } from '../hashing/hashing.js'

export interface Environment {
  files: Files
  descriptors: Descriptors
  hashing: Hashing
  turn: Turn
  /** From 0 to 1, different in each process: `Math.random`. */
  random(): number
  readOnly: boolean
  /** Called before directories are made; throws when the root must not be written to. */
  prepare(): void
  /** Another number once the root is another directory than before: what was learned of the old one is of no use. */
  rootGeneration(): number
}

/**
 * Counts the turns of the event loop. Whether a file was replaced is asked once a turn and file, not once a get: an fstat
 * costs as much as the rest of a get. Whether it has grown is asked each time, by a read of one byte: what another process
 * has set is seen at once, also by one that waited for it without leaving the turn.
 *
 * A turn ends with the microtasks of the callback it began in. An immediate would come too late: timers and I/O of the
 * loop's next round run before it.
 */
export class Turn {
  #id = 1
  #isEnding = false
  readonly #begins: () => void

  /** `begins` is called when something is asked of the cache for the first time in a turn of the event loop. */
  constructor(begins: () => void = () => undefined) {
    this.#begins = begins
  }

  /** Has everything looked at again, as if a new turn had begun. */
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
