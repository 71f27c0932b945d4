// A progress bar for work that takes long. It is shown only on a terminal, and not for work that ends soon.

import { shortened } from './cells.js'
import type { Output } from './output.js'

const WIDTH = 24
const FIRST_AFTER_MS = 300
const REDRAW_MS = 100
/** There is no estimate before this time, and before this share is done. */
const ESTIMATE_AFTER_MS = 1000
const ESTIMATE_FROM = 0.02
/** Moves to the start of the line and clears it. */
const CLEAR_LINE = '\r\u001b[K'

export class ProgressBar {
  readonly #output: Output
  readonly #now: () => number
  #nextMs: number
  #isDrawn = false
  /** The current work, when it began, and its progress then. */
  #step: { what: string; sinceMs: number; from: number } | undefined

  constructor(output: Output, now: () => number = Date.now) {
    this.#output = output
    this.#now = now
    this.#nextMs = now() + FIRST_AFTER_MS
  }

  /** `fraction` is from 0 to 1. */
  show(what: string, fraction: number): void {
    const { room } = this.#output
    if (room === undefined) return
    const nowMs = this.#now()
    if (this.#step?.what !== what) this.#step = { what, sinceMs: nowMs, from: fraction }
    if (nowMs < this.#nextMs) return
    this.#nextMs = nowMs + REDRAW_MS
    this.#isDrawn = true
    const done = Math.min(1, Math.max(0, fraction))
    const filled = Math.round(done * WIDTH)
    const bar = '#'.repeat(filled) + '-'.repeat(WIDTH - filled)
    const percent = `${Math.floor(done * 100)} %`.padStart(5)
    const line = `[${bar}] ${percent} ${what}${this.#estimate(done, nowMs)}`
    void this.#output.write(CLEAR_LINE + shortened(line, room - 1, this.#output.ellipsis))
  }

  async clear(): Promise<void> {
    if (this.#isDrawn) await this.#output.write(CLEAR_LINE)
    this.#isDrawn = false
  }

  /** The remaining time, at the speed so far. */
  #estimate(done: number, nowMs: number): string {
    const { sinceMs = nowMs, from = 0 } = this.#step ?? {}
    const [elapsedMs, advance] = [nowMs - sinceMs, done - from]
    if (elapsedMs < ESTIMATE_AFTER_MS || advance < ESTIMATE_FROM || done >= 1) return ''
    return `, ${formatLeft((elapsedMs * (1 - done)) / advance)} left`
  }
}

function formatLeft(leftMs: number): string {
  const seconds = Math.ceil(leftMs / 1000)
  if (seconds < 100) return `about ${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 100 ? `about ${minutes} min` : `about ${Math.ceil(minutes / 60)} h`
}
