// The bytes of frames, and nothing of files. A frame is a checked record:
//
//   check u32 | magic u16 | type u8 | zero u8 | payload length u32 | payload        (little-endian)
//
// The check is xxh32 of all that follows it, under a seed that stands for the file's place in the cache. So a frame
// that turns up anywhere else, in a swapped file or inside a cached value, is no frame there.

import { FRAME_HEADER_BYTES, FRAME_MAGIC } from '../base/layout.js'
import type { Hashing, Held } from '../hashing/hashing.js'

/** What is shown the frames of a file, in order. */
export interface FrameReader {
  /** Bytes that are shown next, from this offset on; what comes later at the same offset replaces them. */
  keep?(bytes: Buffer, offset: number): void
  /** The payload is `bytes[start, end)`; `offset` is that of the frame in the file. */
  frame(type: number, bytes: Buffer, start: number, end: number, offset: number): void
  /** Of bytes that are no whole frame. */
  damage?(bytes: Buffer, start: number, end: number, damage: Damage, offset: number): void
  /** Takes in by itself what it likes of the frames from this position in the bytes on, and returns where it stopped. */
  skim?(held: Held, at: number): number
}

const MIN_CAPACITY = 1024

/** Collects frames for one write. Payloads are written in place; checks are filled in when the file is known. */
export class FrameWriter {
  bytes = Buffer.allocUnsafeSlow(MIN_CAPACITY)
  /** Length of all finished frames and of the payload under way. */
  length = 0
  /** Numbers go through it: its methods are quick from the first call on, those of a Buffer only once they are compiled. */
  #view = viewOf(this.bytes)
  #frameStart = 0

  reset(): this {
    // One huge value must not keep its memory for the rest of the process.
    if (this.bytes.length > 1024 * 1024) this.#move(MIN_CAPACITY)
    this.length = 0
    return this
  }

  begin(type: number): this {
    this.#reserve(FRAME_HEADER_BYTES)
    this.#frameStart = this.length
    this.#view.setUint32(this.length + 4, FRAME_MAGIC | (type << 16), true)
    this.length += FRAME_HEADER_BYTES
    return this
  }

  end(): this {
    this.#view.setUint32(this.#frameStart + 8, this.length - this.#frameStart - FRAME_HEADER_BYTES, true)
    return this
  }

  u8(value: number): this {
    this.#reserve(1)
    this.bytes[this.length++] = value
    return this
  }

  u16(value: number): this {
    this.#reserve(2)
    this.#view.setUint16(this.length, value, true)
    this.length += 2
    return this
  }

  u32(value: number): this {
    this.#reserve(4)
    this.#view.setUint32(this.length, value, true)
    this.length += 4
    return this
  }

  put(value: Uint8Array): this {
    this.#reserve(value.length)
    this.bytes.set(value, this.length)
    this.length += value.length
    return this
  }

  /** Fills in the check of every frame for the file with this seed. */
  check(hashing: Hashing, seed: number): void {
    for (let at = 0; at < this.length; ) {
      const end = this.#endOf(at)
      this.#view.setUint32(at, hashing.hash32(this.bytes, at + 4, end, seed), true)
      at = end
    }
  }

  /** Shows the finished frames, the first of which is at this offset in the file. */
  show(reader: FrameReader, offset: number): void {
    reader.keep?.(this.bytes.subarray(0, this.length), offset)
    for (let at = 0; at < this.length; ) {
      const end = this.#endOf(at)
      reader.frame(this.bytes[at + 6] as number, this.bytes, at + FRAME_HEADER_BYTES, end, offset + at)
      at = end
    }
  }

  #endOf(frame: number): number {
    return frame + FRAME_HEADER_BYTES + this.#view.getUint32(frame + 8, true)
  }

  #reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.#move(Math.max(this.bytes.length * 2, this.length + count))
  }

  #move(capacity: number): void {
    const old = this.bytes
    this.bytes = Buffer.allocUnsafeSlow(capacity)
    this.#view = viewOf(this.bytes)
    old.copy(this.bytes, 0, 0, this.length)
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

/**
 * What is wrong with bytes that are no whole frame. `lost`: they were frames once, and what they said is gone. `mended`: one
 * frame of which only the header was damaged, which is visited as well. `torn`: beginnings of frames whose writers were
 * killed, so that nobody was told of them.
 */
export type Damage = 'lost' | 'mended' | 'torn'

export interface ScanResult {
  /** How far the bytes were understood; what is left may be a frame that is still being written. */
  end: number
  /** Bytes skipped because no valid frame begins in them. */
  tornBytes: number
}

/**
 * A frame that lacks so many of its last bytes may be completed by what comes first in the next one: by chance, once in 256 if
 * it lacks one. A check has four bytes, so that more never happen to be the right ones.
 */
export const MAX_SHARED_BYTES = 3

/**
 * Shows the frames in the bytes from `from` on, which begin at `base` in their file. Where none begins, the bytes up to the next valid one
 * are either the beginnings of frames whose writers were killed, which nobody was told of, or damage. An unfinished frame at
 * the end is left alone, as its writer may be at it; so is what looks damaged there while the file goes on. A frame of which
 * only the header is damaged is mended in `bytes`. A frame may begin in the last bytes of the one before it, which was cut short
 * and is whole with them; `from` leaves so many before it where they can be had.
 */
export function scanFrames(
  hashing: Hashing,
  bytes: Buffer,
  seed: number,
  reader: FrameReader,
  { base = 0, from = 0, isLast = true } = {},
): ScanResult {
  const end = bytes.length
  reader.keep?.(bytes, base)
  let tornBytes = 0
  let held = hashing.hold(bytes, seed)
  const search = { leftBytes: end * MAX_HASHED_TIMES }
  for (let at = from; ; ) {
    if (reader.skim) at = reader.skim(held, at)
    if (at >= end) return { end: at, tornBytes }
    const frameEnd = endOfHashed(held.hash, bytes, at, end)
    if (frameEnd >= 0) {
      reader.frame(bytes[at + 6] as number, bytes, at + FRAME_HEADER_BYTES, frameEnd, base + at)
      at = frameEnd
      continue
    }
    const sharedBytes = sharedBytesAt(bytes, at, end)
    if (sharedBytes > 0) {
      at -= sharedBytes
      continue
    }
    const next = findFrame(hashing, bytes, at + 1, end, seed, search)
    let limit = next < 0 ? end : next
    if (mendHeader(hashing, bytes, at, limit, seed)) {
      held = hashing.hold(bytes, seed)
      reader.damage?.(bytes, at, limit, 'mended', base + at)
      reader.frame(bytes[at + 6] as number, bytes, at + FRAME_HEADER_BYTES, limit, base + at)
    } else {
      const isTorn = isCutShort(bytes, at, limit)
      // What follows a damaged frame may be unfinished alone.
      const saidEnd = saidEndOfFrame(bytes, at, limit)
      if (!isTorn && saidEnd < limit && isCutShort(bytes, saidEnd, limit)) limit = saidEnd
      if (limit === end && (isTorn || !isLast)) return { end: at, tornBytes }
      reader.damage?.(bytes, at, limit, isTorn ? 'torn' : 'lost', base + at)
      tornBytes += limit - at
    }
    at = limit
  }
}

/** Where the frame at this position ends, or -1 where there is no valid one. */
export function endOfFrame(hashing: Hashing, bytes: Buffer, at: number, end: number, seed: number): number {
  return endOfHashed((from, to) => hashing.hash32(bytes, from, to, seed), bytes, at, end)
}

function endOfHashed(hash: Held['hash'], bytes: Buffer, at: number, end: number): number {
  if (at + FRAME_HEADER_BYTES > end) return -1
  if (u16(bytes, at + 4) !== FRAME_MAGIC || bytes[at + 7] !== 0) return -1
  const frameEnd = at + FRAME_HEADER_BYTES + u32(bytes, at + 8)
  if (frameEnd > end) return -1
  return hash(at + 4, frameEnd) === u32(bytes, at) ? frameEnd : -1
}

/**
 * Little-endian, as Buffer's methods read it, without their checks: a process that makes one get reads thousands of numbers
 * before anything is compiled, and the checks are most of it then.
 */
export function u32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}

export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
}

/** Where a frame at this position would end, if its header is to be believed; `end` otherwise. */
function saidEndOfFrame(bytes: Buffer, at: number, end: number): number {
  if (at + FRAME_HEADER_BYTES > end || !isLikeHeader(bytes, at, end)) return end
  return Math.min(at + FRAME_HEADER_BYTES + bytes.readUInt32LE(at + 8), end)
}

const MAGIC_BYTES = Buffer.from([FRAME_MAGIC & 0xff, FRAME_MAGIC >> 8])

/** Bytes made to look like the beginnings of long frames would all be hashed to their ends: 45 GB for 1 MB of them. */
const MAX_HASHED_TIMES = 32

/** The first position from `from` on where a valid frame begins, or -1; also -1 once the search has cost too much. */
function findFrame(
  hashing: Hashing,
  bytes: Buffer,
  from: number,
  end: number,
  seed: number,
  search: { leftBytes: number },
): number {
  for (let at = findMagic(bytes, from, end); at >= 0; at = findMagic(bytes, at + 1, end)) {
    const saidBytes = FRAME_HEADER_BYTES + bytes.readUInt32LE(at + 8)
    if (bytes[at + 7] !== 0 || at + saidBytes > end) continue
    search.leftBytes -= saidBytes
    if (search.leftBytes < 0) return -1
    if (endOfFrame(hashing, bytes, at, end, seed) >= 0) return at
  }
  return -1
}

/** The first position from `from` on where the magic of a frame would be in its place, or -1. */
function findMagic(bytes: Buffer, from: number, end: number): number {
  const magic = bytes.indexOf(MAGIC_BYTES, from + 4)
  return magic >= 0 && magic + 8 <= end ? magic - 4 : -1
}

/** Puts magic and length right where the check then holds, which proves the rest; returns whether it did. */
function mendHeader(hashing: Hashing, bytes: Buffer, at: number, end: number, seed: number): boolean {
  if (at + FRAME_HEADER_BYTES > end) return false
  const damaged = Buffer.from(bytes.subarray(at, at + FRAME_HEADER_BYTES))
  bytes.writeUInt16LE(FRAME_MAGIC, at + 4)
  bytes[at + 7] = 0
  bytes.writeUInt32LE(end - at - FRAME_HEADER_BYTES, at + 8)
  const isMended = endOfFrame(hashing, bytes, at, end, seed) === end
  if (!isMended) damaged.copy(bytes, at)
  return isMended
}

/** Whether the bytes are nothing but beginnings of frames, each shorter than it says that it is. */
function isCutShort(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const next = findMagic(bytes, at + 1, end)
    const limit = next < 0 ? end : next
    if (!isLikeHeader(bytes, at, limit)) return false
    if (at + FRAME_HEADER_BYTES <= limit) {
      const saidEnd = at + FRAME_HEADER_BYTES + bytes.readUInt32LE(at + 8)
      // One that ends where the bytes do is whole: what looks like another beginning in it is its payload.
      if (saidEnd <= limit || saidEnd === end) return false
    }
    at = limit
  }
  return true
}

/** How many bytes before this position a frame seems to begin, within the one that ends here; 0 also where none does. */
function sharedBytesAt(bytes: Buffer, at: number, end: number): number {
  for (let count = 0; count <= Math.min(at, MAX_SHARED_BYTES); count++) {
    if (isLikeHeader(bytes, at - count, end)) return count
  }
  return 0
}

/** Whether magic and zero are where a frame at this position has them, as far as the bytes go. */
function isLikeHeader(bytes: Buffer, at: number, end: number): boolean {
  const has = (index: number, byte: number | undefined) => index >= end || bytes[index] === byte
  return has(at + 4, MAGIC_BYTES[0]) && has(at + 5, MAGIC_BYTES[1]) && has(at + 7, 0)
}
