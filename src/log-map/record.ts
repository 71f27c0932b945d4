// The records of a log map as frames. The header of each has its hash, tag and the length of the key; the payload is
//
//   put, remove:      key | value
//   putIf, removeIf:  expected u32 | nonce u32 | key | value
//
// `hash` picks the bucket, `tag` tells its keys apart; both are hashes of the key. `expected` is the payload checksum of the
// key's current record: when it no longer is, the frame is void. So an amendment of a record can't overwrite a newer record.
// The nonce tells one process's amendment from an equal one of another process, of which only the first is made.

import { FRAME, FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES } from '../base/layout.js'
import type { Hashing } from '../hashing/hashing.js'
import type { Environment } from '../log/environment.js'
import { type FrameWriter, isPayloadIntact, payloadChecksum, u32 } from '../log/frames.js'

/** Two hashes of a key, unsigned: `hash` picks the bucket, `tag` tells the keys of a bucket apart. */
export interface Position {
  hash: number
  tag: number
}

export interface Change extends Position {
  kind: 'put' | 'remove'
  key: Buffer
  value: Buffer
  /** The checksum that the key's current put must have, or `NO_RECORD` if there must be none. */
  expected: number | undefined
}

/** Creates a change. All changes are created here, because the engine reads objects with one common shape faster. */
export function changeOf(
  kind: Change['kind'],
  { hash, tag }: Position,
  key: Buffer,
  value: Buffer,
  expected?: number,
): Change {
  return { kind, hash, tag, key, value, expected }
}

/** The position of a key. Keys that are equal from `start` on have equal hashes. */
export function hashedPosition(
  { hashing, hashSeed }: Pick<Environment, 'hashing' | 'hashSeed'>,
  key: Uint8Array,
  start = 0,
): Position {
  const seed = hashSeed.current()
  return {
    hash: hashing.hash32(key, start, key.length, seed),
    tag: hashing.hash32(key, 0, key.length, ~seed),
  }
}

/** The value of `expected` for a key without a put. */
export const NO_RECORD = 0

/** Expected and nonce. */
const CONDITION_BYTES = 8
const NO_BYTES = Buffer.alloc(0)

export function writeChange(writer: FrameWriter, change: Change, nonce = 0): void {
  const { kind, hash, tag, key, value, expected } = change
  if (expected === undefined) {
    writer.begin(kind === 'put' ? FRAME.put : FRAME.remove, hash, tag, key.length)
  } else {
    writer.begin(kind === 'put' ? FRAME.putIf : FRAME.removeIf, hash, tag, key.length)
    writer.u32(expected).u32(nonce)
  }
  writer.put(key).put(value).end()
}

export function isConditional(type: number): boolean {
  return type === FRAME.putIf || type === FRAME.removeIf
}

export function isChange(type: number): boolean {
  return type === FRAME.put || type === FRAME.remove || isConditional(type)
}

/** A record in bytes that don't change. Its parts are views of these bytes. */
export class RecordView implements Position {
  bytes: Buffer
  type = 0
  /** The payload's. */
  start = 0
  end = 0

  /** Views the frame that begins at this offset of the bytes. */
  constructor(bytes: Buffer = NO_BYTES, frame = -1) {
    this.bytes = bytes
    if (frame < 0) return
    const start = frame + FRAME_HEADER_BYTES
    this.look(bytes[frame + 1] as number, bytes, start, start + u32(bytes, frame + 4))
  }

  /** `start` is the payload's; returns false for a payload too short to be a record. */
  look(type: number, bytes: Buffer, start: number, end: number): boolean {
    this.bytes = bytes
    this.type = type
    this.start = start
    this.end = end
    return this.valueStart <= end
  }

  get expected(): number {
    return u32(this.bytes, this.start)
  }
  get hash(): number {
    return u32(this.bytes, this.start - FRAME_HEADER_BYTES + 8)
  }
  get tag(): number {
    return u32(this.bytes, this.start - FRAME_HEADER_BYTES + 12)
  }
  get keyStart(): number {
    return isConditional(this.type) ? this.start + CONDITION_BYTES : this.start
  }
  get valueStart(): number {
    const header = this.start - FRAME_HEADER_BYTES
    return this.keyStart + ((this.bytes[header + 2] as number) | ((this.bytes[header + 3] as number) << 8))
  }
  get isPut(): boolean {
    return this.type === FRAME.put || this.type === FRAME.putIf
  }
  /** The checksum of its payload, for a later `expected`. */
  get check(): number {
    return payloadChecksum(this.bytes, this.start)
  }
  get kind(): Change['kind'] {
    return this.isPut ? 'put' : 'remove'
  }
  get key(): Buffer {
    return this.bytes.subarray(this.keyStart, this.valueStart)
  }
  get value(): Buffer {
    return this.bytes.subarray(this.valueStart, this.end)
  }
  /** The length of the record's frame, as a plain put. */
  get frameBytes(): number {
    return FRAME_HEADER_BYTES + this.end - this.keyStart + FRAME_TRAILER_BYTES
  }

  hasKey(key: Uint8Array): boolean {
    const { keyStart, valueStart } = this
    return valueStart - keyStart === key.length && this.bytes.compare(key, 0, key.length, keyStart, valueStart) === 0
  }

  /** Whether key and value are intact. */
  isGood(hashing: Hashing): boolean {
    return this.valueStart <= this.end && isPayloadIntact(hashing, this.bytes, this.start, this.end)
  }
}
