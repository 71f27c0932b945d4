// Finds where a batch of frames has landed in a file that other processes append to as well.

import { CacheError } from '../base/errors.js'
import { FRAME_HEADER_BYTES } from '../base/layout.js'
import type { FrameWriter } from './frames.js'
import type { LogFile } from './log-file.js'

/** Other processes rarely write more than this meanwhile. */
const BACK_BYTES = 1024 * 1024

/**
 * The offset of a batch that was appended after `from` to a file that has this length now.
 *
 * @throws errno-style errors; CacheError `ERR_CACHE_IO`
 */
export function locateBatch(file: LogFile, batch: FrameWriter, from: number, length: number): number {
  for (let backBytes = batch.length + BACK_BYTES; ; backBytes *= 2) {
    const start = Math.max(from, length - backBytes)
    const at = findBatch(file.readAt(start, length - start), batch)
    if (at >= 0) return start + at
    if (start === from) throw new CacheError('ERR_CACHE_IO', `${file.path} lacks what was appended to it.`)
  }
}

/** The last offset of exactly these frames in the bytes, or -1. */
function findBatch(bytes: Buffer, batch: FrameWriter): number {
  const own = batch.bytes.subarray(0, batch.length)
  // Searches for the header of the first frame, which is hardly ever equal to another one. Searching for more bytes takes
  // longer.
  const header = own.subarray(0, FRAME_HEADER_BYTES)
  let at = bytes.lastIndexOf(header)
  while (at >= 0 && !bytes.subarray(at, at + own.length).equals(own)) {
    at = at === 0 ? -1 : bytes.lastIndexOf(header, at - 1)
  }
  return at
}
