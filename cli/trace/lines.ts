// Reads the lines of a trace. Only `\n` ends a line. Node's readline also ends lines at U+2028 and U+2029, which JSON doesn't
// escape.

import { createReadStream } from 'node:fs'

/** Longer lines, in bytes, aren't questions: those have at most a thousand inputs. */
const MAX_LINE_BYTES = 64 * 1024 * 1024
const LF = 0x0a

/** The lines of a file, `undefined` for each that is too long. @throws errno-style errors */
export async function* linesOf(file: string, maxBytes = MAX_LINE_BYTES): AsyncGenerator<string | undefined> {
  let pieces: Buffer[] = []
  let length = 0
  const add = (piece: Buffer) => {
    length += piece.length
    // Discard the bytes of a line that is too long.
    if (length > maxBytes) pieces = []
    else pieces.push(piece)
  }
  const take = () => {
    const line = length > maxBytes ? undefined : Buffer.concat(pieces).toString()
    pieces = []
    length = 0
    return line
  }
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      add(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    if (start < chunk.length) add(chunk.subarray(start))
  }
  if (length > 0) yield take()
}
