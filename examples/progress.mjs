// A progress bar on a terminal. Anywhere else each redraw would be a line of its own, so there is one line at the end.

const REDRAW_MS = 50
const MIN_BAR = 5
const MAX_BAR = 40
const ERASE_TO_END = '\u001b[K'

export class Progress {
  #stream
  #label
  #total
  #drawnAtMs = 0

  /**
   * @param {NodeJS.WriteStream} stream
   * @param {string} label
   * @param {number} total
   */
  constructor(stream, label, total) {
    this.#stream = stream
    this.#label = label
    this.#total = total
  }

  /**
   * Resolves at once, or after a turn of the event loop where it was time to redraw.
   *
   * @param {number} done
   */
  async show(done) {
    const nowMs = performance.now()
    if (nowMs - this.#drawnAtMs < REDRAW_MS) return
    this.#drawnAtMs = nowMs
    if (this.#isBar) this.#stream.write(`\r${this.#bar(done)}${ERASE_TO_END}`)
    // On some systems a terminal is written to asynchronously: a loop that never lets go would show nothing.
    await new Promise(resolve => setImmediate(resolve))
  }

  /** @param {string} summary */
  end(summary) {
    this.#stream.write(this.#isBar ? `\r${ERASE_TO_END}` : `${this.#label}: ${summary}\n`)
  }

  get #isBar() {
    return this.#stream.isTTY && process.env.TERM !== 'dumb'
  }

  /** @param {number} done */
  #bar(done) {
    const share = done / Math.max(this.#total, 1)
    const percent = `${Math.floor(share * 100)} %`.padStart(6)
    // Asked each time, because windows are resized; some terminals answer 0. Text in the last column would wrap.
    const columns = (this.#stream.columns || 80) - 1
    const width = Math.min(MAX_BAR, columns - this.#label.length - 1 - percent.length)
    if (width < MIN_BAR) return `${this.#label}${percent}`.slice(0, columns)
    const filled = Math.round(share * width)
    const bar = '█'.repeat(filled) + '░'.repeat(width - filled)
    return `${this.#label} ${process.env.NO_COLOR ? bar : `\u001b[36m${bar}\u001b[39m`}${percent}`
  }
}
