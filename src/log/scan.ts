// Reads the frames of a file in order, and finds damage.
//
// Bytes that are not a complete frame are either the beginning of a frame whose writer was killed, so that the next frame
// begins inside of it, or damage. The two can be told apart: a truncated frame never has its trailer, and damage is never
// shorter than a header.

import { FRAME_HEADER_BYTES, FRAME_MAGIC, FRAME_TRAILER_BYTES } from '../base/layout.js'
import type { Hashing } from '../hashing/hashing.js'
import { frameEnd, isPayloadIntact, viewOf } from './frames.js'

/** Visits the frames of a file in order. */
export interface FrameReader {
  /** The payload is `bytes[start, end)`; `offset` is that of the frame in the file. */
  frame(type: number, bytes: Buffer, start: number, end: number, offset: number): void
  /** Called for bytes that are not a complete frame. */
  damage?(bytes: Buffer, start: number, end: number, damage: Damage, offset: number): void
  /** Set if the reader checks the payloads that it uses, and so visits frames with damaged payloads too. */
  readonly checksPayloads?: boolean
}

/**
 * `torn`: the beginning of a frame whose writer was killed before its write returned. `corrupt`: a frame with an intact header
 * and damage in the rest. `lost`: an unknown number of frames.
 */
export type Damage = 'torn' | 'corrupt' | 'lost'

export interface ScanRange {
  /** Offset of the bytes in their file. */
  base?: number
  /** Position to begin at. */
  from?: number
}

/**
 * Visits the frames in the bytes. Returns the offset up to which they were read. The rest may be a frame that is still being
 * written, or that continues beyond these bytes.
 */
export function scanFrames(
  hashing: Hashing,
  bytes: Buffer,
  seed: number,
  reader: FrameReader,
  { base = 0, from = 0 }: ScanRange = {},
): number {
  const view = viewOf(bytes)
  const end = bytes.length
  const tell = (start: number, stop: number, damage: Damage) => {
    reader.damage?.(bytes, start, stop, damage, base + start)
    return stop
  }
  const show = (at: number, next: number, hasTrailer: boolean) => {
    const start = at + FRAME_HEADER_BYTES
    const stop = next - FRAME_TRAILER_BYTES
    const isShown = reader.checksPayloads || isPayloadIntact(hashing, bytes, start, stop)
    if (!isShown || !hasTrailer) tell(at, next, 'corrupt')
    if (isShown) reader.frame(bytes[at + 1] as number, bytes, start, stop, base + at)
  }
  /** Where in the last bytes another process may have begun a frame that is still incomplete. */
  const begunFrom = (from: number, to: number) => {
    const begun = bytes.indexOf(FRAME_MAGIC, from)
    return begun < 0 || begun > to ? to : begun
  }
  for (let at = from; at < end; ) {
    const next = frameEnd(view, at, end, seed)
    if (next > 0) {
      show(at, next, true)
      at = next
      continue
    }
    const resumed = findHeader(bytes, view, at + 1, end, seed)
    if (next < 0 && resumed > 0 && resumed < -next) {
      // The next frame begins inside of this one, which was truncated.
      at = tell(at, resumed, 'torn')
    } else if (next < 0) {
      if (-next > end) return at
      show(at, -next, false)
      at = begunFrom(Math.max(at + 1, end - FRAME_HEADER_BYTES + 1), -next)
    } else if (resumed > 0) {
      at = tell(at, resumed, resumed - at < FRAME_HEADER_BYTES ? 'torn' : 'lost')
    } else if (end - at < FRAME_HEADER_BYTES) {
      return at
    } else {
      at = tell(at, begunFrom(end - FRAME_HEADER_BYTES + 1, end), 'lost')
    }
  }
  return end
}

/** The first position from `from` on with a valid header, or -1. */
function findHeader(bytes: Buffer, view: DataView, from: number, end: number, seed: number): number {
  for (let at = bytes.indexOf(FRAME_MAGIC, from); at >= 0; at = bytes.indexOf(FRAME_MAGIC, at + 1)) {
    if (frameEnd(view, at, end, seed) !== 0) return at
  }
  return -1
}
