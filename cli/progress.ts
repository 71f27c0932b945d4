// A bar on the terminal for work that takes long. Nothing is shown of work that is over before a person would look, nor to
// a program that reads the messages.

import type { Output } from './output.js'

const WIDTH = 24
const FIRST_AFTER_MS = 300
const REDRAW_MS = 100
/** To the start of the line, and clears it. */
const CLEAR_LINE = '\r\u001b[K'

export class ProgressBar {
  readonly #output: Output
  readonly #now: () => number
  #nextMs: number
  #isDrawn = false

  constructor(output: Output, now: () => number = Date.now) {
    this.#output = output
    this.#now = now
    this.#nextMs = now() + FIRST_AFTER_MS
  }

  /** `fraction` is from 0 to 1. */
  show(what: string, fraction: number): void {
    if (!this.#output.isTerminal || this.#now() < this.#nextMs) return
    this.#nextMs = this.#now() + REDRAW_MS
    this.#isDrawn = true
    const filled = Math.round(fraction * WIDTH)
    const bar = '#'.repeat(filled) + '-'.repeat(WIDTH - filled)
    void this.#output.write(`${CLEAR_LINE}[${bar}] ${what}`)
  }

  async clear(): Promise<void> {
    if (this.#isDrawn) await this.#output.write(CLEAR_LINE)
  }
}
