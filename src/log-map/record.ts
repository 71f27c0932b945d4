// The records of a log map as frame payloads:
//
//   put, remove:      place u32 | slot u32 | key length u16 | key | value
//   putIf, removeIf:  expected u32 | nonce u32 | the same
//
// `place` picks the bucket, `slot` the position in its table; both are hashes of the key. `expected` is the check of the
// frame that is the key's current record: when it no longer is, the frame is void. So an amendment that was decided on
// what was there cannot overwrite what came after it. The nonce tells one process's amendment from an equal one of another,
// of which only the first is made.

import { FRAME, FRAME_HEADER_BYTES } from '../base/layout.js'
import type { Hashing } from '../hashing/hashing.js'
import { type FrameWriter, u16, u32 } from '../log/frames.js'

/** Where a key lives: both unsigned 32-bit. */
export interface Position {
  place: number
  slot: number
}

export interface Change extends Position {
  kind: 'put' | 'remove'
  key: Buffer
  value: Buffer
  /** Apply only while this is the check of the key's current put, or `NO_RECORD` and there is none. */
  expected: number | undefined
}

/** All changes come from here: the engine reads objects that were made in one place quickly, others each in its own way. */
export function changeOf(
  kind: Change['kind'],
  { place, slot }: Position,
  key: Buffer,
  value: Buffer,
  expected?: number,
): Change {
  return { kind, place, slot, key, value, expected }
}

const PLACE_SEED = 1
const SLOT_SEED = 2

/** Where a key lies that is found by its bytes from `start` on. */
export function hashedPosition(hashing: Hashing, key: Uint8Array, start = 0): Position {
  return {
    place: hashing.hash32(key, start, key.length, PLACE_SEED),
    slot: hashing.hash32(key, start, key.length, SLOT_SEED),
  }
}

/** As `expected`: the key has no put. */
export const NO_RECORD = 0

/** Place, slot and the key's length. */
export const FIXED_BYTES = 10
/** Expected and nonce. */
export const CONDITION_BYTES = 8
const NO_BYTES = Buffer.alloc(0)

export function writeChange(writer: FrameWriter, change: Change, nonce = 0): void {
  const isConditional = change.expected !== undefined
  if (change.kind === 'put') writer.begin(isConditional ? FRAME.putIf : FRAME.put)
  else writer.begin(isConditional ? FRAME.removeIf : FRAME.remove)
  if (change.expected !== undefined) writer.u32(change.expected).u32(nonce)
  writer.u32(change.place).u32(change.slot).u16(change.key.length).put(change.key).put(change.value).end()
}

export function isConditional(type: number): boolean {
  return type === FRAME.putIf || type === FRAME.removeIf
}

export function isChange(type: number): boolean {
  return type === FRAME.put || type === FRAME.remove || isConditional(type)
}

/** A record where it lies, in bytes that stay as they are. Its parts are views of these. */
export class RecordView implements Position {
  bytes: Buffer
  type = 0
  start = 0
  end = 0

  /** Looks at the frame that begins at this offset of the bytes. */
  constructor(bytes: Buffer = NO_BYTES, frame = -1) {
    this.bytes = bytes
    if (frame < 0) return
    const start = frame + FRAME_HEADER_BYTES
    this.look(bytes[frame + 6] as number, bytes, start, start + u32(bytes, frame + 8))
  }

  /** `start` is the payload's; returns false for a payload too short to be a record. */
  look(type: number, bytes: Buffer, start: number, end: number): boolean {
    this.bytes = bytes
    this.type = type
    this.start = start + (isConditional(type) ? CONDITION_BYTES : 0)
    this.end = end
    return this.start + FIXED_BYTES <= end && this.valueStart <= end
  }

  get expected(): number {
    return u32(this.bytes, this.start - CONDITION_BYTES)
  }
  get place(): number {
    return u32(this.bytes, this.start)
  }
  get slot(): number {
    return u32(this.bytes, this.start + 4)
  }
  get keyStart(): number {
    return this.start + FIXED_BYTES
  }
  get valueStart(): number {
    return this.start + FIXED_BYTES + u16(this.bytes, this.start + 8)
  }
  get isPut(): boolean {
    return this.type === FRAME.put || this.type === FRAME.putIf
  }
  /** The check of its frame, for a later `expected`. */
  get check(): number {
    return u32(this.bytes, this.start - (isConditional(this.type) ? CONDITION_BYTES : 0) - FRAME_HEADER_BYTES)
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
  /** Of its frame, as a plain put. */
  get frameBytes(): number {
    return this.end - this.start + FRAME_HEADER_BYTES
  }

  hasKey(key: Uint8Array): boolean {
    const { keyStart, valueStart } = this
    return valueStart - keyStart === key.length && this.bytes.compare(key, 0, key.length, keyStart, valueStart) === 0
  }

  /** Writes the record as an unconditional put, for a successor. */
  writeTo(writer: FrameWriter): void {
    writer.begin(FRAME.put).put(this.bytes.subarray(this.start, this.end)).end()
  }
}

/** The slot of a damaged record where it and the key prove each other as they stand. */
export function recognize(payload: Buffer, positionOf: (key: Buffer) => Position | undefined): number | undefined {
  const view = new RecordView()
  for (const type of [FRAME.put, FRAME.putIf]) {
    if (!view.look(type, payload, 0, payload.length)) continue
    const key = payload.subarray(view.keyStart, view.valueStart)
    const position = positionOf(key)
    if (position?.place === view.place && position.slot === view.slot) return view.slot
  }
  return undefined
}

/** A longer record is not searched for its damage. */
const MAX_GUESSED_BYTES = 256

/** The same with one byte put right, whichever it is; takes tens of milliseconds. */
export function guess(payload: Buffer, positionOf: (key: Buffer) => Position | undefined): number | undefined {
  if (payload.length > MAX_GUESSED_BYTES) return undefined
  const changed = Buffer.from(payload)
  for (const [at, byte] of payload.entries()) {
    for (let change = 1; change < 256; change++) {
      changed[at] = byte ^ change
      const found = recognize(changed, positionOf)
      if (found !== undefined) return found
    }
    changed[at] = byte
  }
  return undefined
}
