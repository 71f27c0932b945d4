// Schedules a watcher's work: in slices between which the host's event loop runs, and by timers that keep the process alive
// only if the caller asked for that.

/** Longer slices would slow down the host noticeably. */
const SLICE_MS = 5

export class Pace {
  #sliceStart = performance.now()
  #busyMs = 0
  #holdsProcess = true
  readonly #timers = new Set<NodeJS.Timeout>()

  /** Returns how long the slices since the last call took. */
  takeBusyMs(): number {
    const busyMs = this.#busyMs + performance.now() - this.#sliceStart
    this.#busyMs = 0
    this.#sliceStart = performance.now()
    return busyMs
  }

  /** Whether the slice is over and `breathe` should be called. */
  get isDue(): boolean {
    return performance.now() - this.#sliceStart > SLICE_MS
  }

  /**
   * Lets the event loop run. After `stop` it never resolves, which ends the work that waits for it.
   *
   * Uses a timer: an unref'ed immediate doesn't run until something else wakes the event loop.
   */
  breathe(): Promise<void> {
    this.#busyMs += performance.now() - this.#sliceStart
    return new Promise(resolve => this.after(1, resolve))
  }

  after(delayMs: number, run: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#sliceStart = performance.now()
      run()
    }, delayMs)
    if (!this.#holdsProcess) timer.unref()
    this.#timers.add(timer)
    return timer
  }

  cancel(timer: NodeJS.Timeout | undefined): void {
    if (!timer) return
    clearTimeout(timer)
    this.#timers.delete(timer)
  }

  /** From now on, pending work doesn't keep the process alive. */
  release(): void {
    this.#holdsProcess = false
    for (const timer of this.#timers) timer.unref()
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }
}
