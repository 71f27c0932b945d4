// Uses the terminal's alternate screen, and restores the normal one afterwards.

import type { Input } from '../command.js'
import type { Output } from '../output.js'

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_REST = '\u001b[J'

/** The keys that quit: q, Ctrl-C, Ctrl-D. */
const QUIT = ['q', 'Q', '\u0003', '\u0004']

export class Screen {
  readonly #output: Output
  readonly #input: Input
  /** Resolves when a key to quit is pressed, or the keyboard is gone. */
  readonly quit: Promise<void>

  private constructor(output: Output, input: Input) {
    this.#output = output
    this.#input = input
    this.quit = this.#read()
  }

  static async enter(output: Output, input: Input): Promise<Screen> {
    await output.write(ENTER)
    if (input.isTTY) input.setRawMode?.(true)
    return new Screen(output, input)
  }

  /** Returns false once the terminal is closed. */
  show(lines: readonly string[]): Promise<boolean> {
    const shown = lines.slice(0, this.#output.rows - 1)
    return this.#output.write(HOME + shown.map(line => `${line}${CLEAR_LINE}\r\n`).join('') + CLEAR_REST)
  }

  async leave(): Promise<void> {
    if (this.#input.isTTY) this.#input.setRawMode?.(false)
    this.#input.destroy?.()
    await this.#output.write(LEAVE)
  }

  async #read(): Promise<void> {
    // Without a keyboard, only a signal ends it.
    if (!this.#input.isTTY) return new Promise(() => undefined)
    try {
      for await (const chunk of this.#input) {
        const typed = Buffer.from(chunk as Uint8Array).toString('latin1')
        if (QUIT.some(key => typed.includes(key))) return
      }
    } catch {
      // The terminal is gone, or the input was closed.
    }
  }
}
