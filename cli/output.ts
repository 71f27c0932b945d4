// Writes to standard output or error. A reader that closes the pipe early (`| head`) isn't an error: write() returns false,
// and the caller stops. Each write waits until the stream has accepted the text, so that a long listing doesn't fill the
// memory.

import { printableJson } from './printable.js'

/** The program's name in its messages. */
export const NAME = 'wicked-cache'

export type Env = Readonly<Record<string, string | undefined>>
export type Stream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number }

/** EIO: the terminal was closed. */
const GONE = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'])

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const
export type Colour = keyof typeof CODES

export class Output {
  readonly isTerminal: boolean
  /** Marks text that was left out. */
  readonly ellipsis: string
  readonly #stream: Stream
  readonly #hasColour: boolean
  #isGone = false

  constructor(stream: Stream, env: Env) {
    this.#stream = stream
    this.isTerminal = stream.isTTY === true
    this.#hasColour = hasColour(env, this.isTerminal)
    this.ellipsis = /^(C|POSIX)$/.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '') ? '...' : '…'
    // The failure is reported to the callback of the write; without a listener it would also end the process.
    stream.on('error', () => {
      this.#isGone = true
    })
  }

  get columns(): number | undefined {
    return this.#stream.columns
  }

  /** The width of the terminal in cells, 80 if unknown; undefined if it isn't a terminal. */
  get room(): number | undefined {
    return this.isTerminal ? this.#stream.columns || 80 : undefined
  }

  /** The number of lines of the terminal. */
  get rows(): number {
    return this.#stream.rows || 24
  }

  /** Returns false once the output is closed. Throws for any other failure, such as a full disk behind `> file`. */
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

  /** Replaces the terminal's current line. */
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

/** NO_COLOR wins over FORCE_COLOR. An empty variable counts as not set. https://no-color.org */
function hasColour({ NO_COLOR, FORCE_COLOR, TERM }: Env, isTerminal: boolean): boolean {
  if (NO_COLOR) return false
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return isTerminal && TERM !== 'dumb'
}
