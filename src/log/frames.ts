// The bytes of frames, without access to files. FORMAT.md has the table.
//
//   header with a checksum of its own | payload | trailer
//
// Both checksums are xxh32. The seed of the header's checksum depends on the file's path in the cache, so a frame that turns up
// elsewhere, in a swapped file or inside a cached value, isn't a valid frame there. The header alone says which key a record
// has and how long it is. A file is walked from header to header, and only the payload that is needed is checked.

import { FRAME_END, FRAME_HEADER_BYTES, FRAME_MAGIC, FRAME_TRAILER_BYTES } from '../base/layout.js'
import type { Hashing } from '../hashing/hashing.js'

const { imul } = Math
const MIN_CAPACITY = 1024
/** The seed of payload checksums, equal in all files. Only header checksums depend on the file. */
const PAYLOAD_SEED = 0
const TRAILER_MASK = 0x7f7f7f
const TRAILER_END = FRAME_END << 24

export function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length)
}

const PRIME_A = 0xc2b2ae3d | 0
const PRIME_B = 0x27d4eb2f
const CHECKSUM_AT = FRAME_HEADER_BYTES - 4

/**
 * xxh32's step for its last words, applied to the words of a header. Without a loop, it takes half the time before it is
 * compiled.
 */
function headerChecksum(view: DataView, at: number, seed: number): number {
  let hash = (seed + imul(view.getInt32(at, true), PRIME_A)) | 0
  hash = (imul((hash << 17) | (hash >>> 15), PRIME_B) + imul(view.getInt32(at + 4, true), PRIME_A)) | 0
  hash = (imul((hash << 17) | (hash >>> 15), PRIME_B) + imul(view.getInt32(at + 8, true), PRIME_A)) | 0
  hash = (imul((hash << 17) | (hash >>> 15), PRIME_B) + imul(view.getInt32(at + 12, true), PRIME_A)) | 0
  hash = (imul((hash << 17) | (hash >>> 15), PRIME_B) + imul(view.getInt32(at + 16, true), PRIME_A)) | 0
  hash = imul((hash << 17) | (hash >>> 15), PRIME_B)
  return hash ^ (hash >>> 15)
}

function trailerOf(checksum: number): number {
  return (checksum & TRAILER_MASK) | TRAILER_END
}

/**
 * Returns the end of the frame at this position; 0 if no frame begins here; the negative of its end if the frame is incomplete.
 */
export function frameEnd(view: DataView, at: number, end: number, seed: number): number {
  if (at + FRAME_HEADER_BYTES > end || view.getUint8(at) !== FRAME_MAGIC) return 0
  const checksum = headerChecksum(view, at, seed)
  if (checksum !== view.getInt32(at + CHECKSUM_AT, true)) return 0
  const trailer = at + FRAME_HEADER_BYTES + view.getUint32(at + 4, true)
  const next = trailer + FRAME_TRAILER_BYTES
  return next <= end && view.getInt32(trailer, true) === trailerOf(checksum) ? next : -next
}

const PAYLOAD_CHECKSUM_AT = 16

/** Whether the payload in `bytes[start, end)` is intact; its header stands before it. */
export function isPayloadIntact(hashing: Hashing, bytes: Uint8Array, start: number, end: number): boolean {
  return hashing.hash32(bytes, start, end, PAYLOAD_SEED) === payloadChecksum(bytes, start)
}

/** The checksum of the payload that begins at this position. */
export function payloadChecksum(bytes: Uint8Array, start: number): number {
  return u32(bytes, start - FRAME_HEADER_BYTES + PAYLOAD_CHECKSUM_AT)
}

/** The header of a frame of this type without a payload, in the file with this seed. */
export function emptyFrameHeader(type: number, hashing: Hashing, seed: number): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES)
  const view = viewOf(bytes)
  view.setInt32(0, FRAME_MAGIC | (type << 8), true)
  view.setUint32(PAYLOAD_CHECKSUM_AT, hashing.hash32(bytes, 0, 0, PAYLOAD_SEED), true)
  view.setInt32(CHECKSUM_AT, headerChecksum(view, 0, seed), true)
  return bytes
}

/** Collects frames for one write. Payloads are written in place; checksums are filled in when the file is known. */
export class FrameWriter {
  bytes = Buffer.allocUnsafeSlow(MIN_CAPACITY)
  /** Length of all finished frames and of the payload under way. */
  length = 0
  /** Used to write numbers: its methods are fast from the first call on, a Buffer's only once they are compiled. */
  #view = viewOf(this.bytes)
  #frameStart = 0

  reset(): this {
    // The memory of one huge value must not stay allocated.
    if (this.bytes.length > 1024 * 1024) this.#move(MIN_CAPACITY)
    this.length = 0
    return this
  }

  /** Begins a frame. `hash`, `tag` and `keyBytes` are for records; 0 in other frames. */
  begin(type: number, hash = 0, tag = 0, keyBytes = 0): this {
    this.#reserve(FRAME_HEADER_BYTES)
    const at = this.length
    const view = this.#view
    view.setInt32(at, FRAME_MAGIC | (type << 8) | (keyBytes << 16), true)
    view.setInt32(at + 8, hash, true)
    view.setInt32(at + 12, tag, true)
    this.#frameStart = at
    this.length = at + FRAME_HEADER_BYTES
    return this
  }

  end(): this {
    this.#view.setUint32(this.#frameStart + 4, this.length - this.#frameStart - FRAME_HEADER_BYTES, true)
    this.#reserve(FRAME_TRAILER_BYTES)
    this.length += FRAME_TRAILER_BYTES
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

  /** Fills in the checksums of every frame for the file with this seed. */
  check(hashing: Hashing, seed: number): void {
    const view = this.#view
    for (let at = 0; at < this.length; ) {
      const start = at + FRAME_HEADER_BYTES
      const end = start + view.getUint32(at + 4, true)
      view.setUint32(at + PAYLOAD_CHECKSUM_AT, hashing.hash32(this.bytes, start, end, PAYLOAD_SEED), true)
      const checksum = headerChecksum(view, at, seed)
      view.setInt32(at + CHECKSUM_AT, checksum, true)
      view.setInt32(end, trailerOf(checksum), true)
      at = end + FRAME_TRAILER_BYTES
    }
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

/** Reads a little-endian u32, like the Buffer's method but without its checks. */
export function u32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}
