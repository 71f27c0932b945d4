// Splits a stream of bytes into lines of limited length.

const NEWLINE = 0x0a

/** Replaces a line that was too long. Its bytes are discarded as they arrive. */
export const TOO_LONG = Symbol('a line that is too long')

export class LineSplitter {
  readonly #maxBytes: number
  #pieces: Uint8Array[] = []
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The lines that end in the chunk, without their line ends. */
  *add(chunk: Uint8Array): Iterable<Buffer | typeof TOO_LONG> {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end))
      start = end + 1
      yield this.#take()
    }
    this.#keep(chunk.subarray(start))
  }

  /** The bytes after the last line end, if any. */
  rest(): Buffer | typeof TOO_LONG {
    return this.#take()
  }

  #keep(piece: Uint8Array): void {
    this.#length += piece.length
    if (this.#length > this.#maxBytes) this.#pieces = []
    else if (piece.length > 0) this.#pieces.push(piece)
  }

  #take(): Buffer | typeof TOO_LONG {
    const [first] = this.#pieces
    const isTooLong = this.#length > this.#maxBytes
    const isOne = first !== undefined && this.#pieces.length === 1
    const line = isOne ? Buffer.from(first.buffer, first.byteOffset, first.length) : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#length = 0
    return isTooLong ? TOO_LONG : line
  }
}
