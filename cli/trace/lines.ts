// Reads a file line by line, as `$WICKED_CACHE_TRACE` writes them: `\n` alone ends one. Node's readline also ends them at U+2028
// and U+2029, which JSON lets stand raw.

import { createReadStream } from 'node:fs'

/** A question has at most a thousand inputs; what is longer than this is none. In bytes. */
const MAX_LINE_BYTES = 64 * 1024 * 1024
const LF = 0x0a

/** The lines of a file; `undefined` for one that is too long to be a question. @throws errno-style errors */
export async function* linesOf(file: string, maxBytes = MAX_LINE_BYTES): AsyncGenerator<string | undefined> {
  let pieces: Buffer[] = []
  let length = 0
  const add = (piece: Buffer) => {
    length += piece.length
    // What is too long isn't kept.
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
