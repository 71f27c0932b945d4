// A stream to a person or a program. A reader that leaves early (`| head`) is no error: write() says so, and the caller
// stops. Each write waits until the stream has taken the text, so that a long listing never piles up in memory.

import { printableJson } from './printable.js'

/** What the program calls itself in its messages. */
export const NAME = 'wicked-cache'

export type Env = Readonly<Record<string, string | undefined>>
export type Stream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number }

const GONE = new Set(['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'])

const CODES = { bold: [1, 22], red: [31, 39], yellow: [33, 39] } as const
export type Colour = keyof typeof CODES

export class Output {
  readonly isTerminal: boolean
  readonly #stream: Stream
  readonly #hasColour: boolean
  #isGone = false

  constructor(stream: Stream, env: Env) {
    this.#stream = stream
    this.isTerminal = stream.isTTY === true
    // An empty NO_COLOR counts as not set: https://no-color.org
    this.#hasColour = this.isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'
    // The failure is reported to the callback of the write; without a listener it would also end the process.
    stream.on('error', () => {
      this.#isGone = true
    })
  }

  get columns(): number | undefined {
    return this.#stream.columns
  }

  /** False once nobody reads any more. Throws for any other failure, such as a full disk behind `> file`. */
  async write(text: string | Uint8Array): Promise<boolean> {
    if (this.#isGone) return false
    const error = await new Promise<NodeJS.ErrnoException | null | undefined>(resolve => {
      this.#stream.write(text, resolve)
    })
    if (!error) return true
    this.#isGone = true
    if (GONE.has(error.code ?? '')) return false
    throw error
  }

  line(text: string): Promise<boolean> {
    return this.write(`${text}\n`)
  }

  /** Puts the text in place of the terminal's current line. */
  redraw(text: string): Promise<boolean> {
    return this.write(`\r\u001b[2K${text}`)
  }

  json(value: unknown): Promise<boolean> {
    return this.line(printableJson(value))
  }

  colour(colour: Colour, text: string): string {
    if (!this.#hasColour) return text
    const [on, off] = CODES[colour]
    return `\u001b[${on}m${text}\u001b[${off}m`
  }
}
