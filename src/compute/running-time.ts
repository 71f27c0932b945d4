// The time of computations that run at once in this thread. They share it: while two run, each takes half of the time that goes
// by. So the times of all computations add up to the time in which any ran, however many wait for something at the same moment.

let runningCount = 0
/** How much one computation would have taken that ran all along, and when that was worked out, in s. */
let shared = 0
let workedOutAt = 0

function sharedNow(): number {
  const now = process.uptime()
  if (runningCount > 0) shared += (now - workedOutAt) / runningCount
  workedOutAt = now
  return shared
}

/** The share of one computation, from `begin` to `end`, but for its pauses. */
export class RunningTime {
  #seconds = 0
  #since: number | undefined
  #hasBegun = false

  begin(): void {
    this.#hasBegun = true
    this.goOn()
  }

  pause(): void {
    if (this.#since === undefined) return
    this.#seconds += sharedNow() - this.#since
    this.#since = undefined
    runningCount--
  }

  /** Nothing happens before `begin` and after `end`. */
  goOn(): void {
    if (!this.#hasBegun || this.#since !== undefined) return
    this.#since = sharedNow()
    runningCount++
  }

  /** The time in ms. */
  end(): number {
    this.pause()
    this.#hasBegun = false
    return this.#seconds * 1000
  }
}
