// One bucket of a log map: a log of records, and a table that finds the latest record of a key in it.
//
// The table takes 8 bytes a record. The file's bytes are kept as well while the map can afford it; without them a lookup
// reads its record from the file. A sealed bucket never changes again: its records are the frames before the seal.

import { errnoOf } from '../base/errors.js'
import { FRAME, FRAME_HEADER_BYTES } from '../base/layout.js'
import type { Held } from '../hashing/hashing.js'
import type { Damage, FrameReader, FrameWriter } from '../log/frames.js'
import type { Log } from '../log/log.js'
import type { BucketName } from './directory.js'
import { guess, isChange, isConditional, NO_RECORD, type Position, RecordView, recognize } from './record.js'
import { skim } from './skim.js'
import { Slots } from './slots.js'

export interface Successor {
  isSplit: boolean
  /** Hex; part of the names of its candidates. */
  unique: string
}

/** Read for a record of unknown length; most are shorter. */
const RECORD_GUESS_BYTES = 512
export const UNIQUE_BYTES = 8
/** Each takes tens of ms; where there is more damage than this, it was no single byte that changed. */
const MAX_GUESSES = 8

export class Bucket implements FrameReader {
  readonly name: BucketName
  readonly log: Log
  /** Offset of the seal, or -1. */
  sealedAt = -1
  successor: Successor | undefined
  /** Keys whose record is a put. */
  liveCount = 0
  /** How many keys the last clear removed. */
  clearedCount = 0
  /** Bytes of frames that no longer count, roughly. */
  deadBytes = 0
  /** Size at which to think of a successor. */
  limitBytes: number
  /** Resident bytes that the map has counted for this bucket. */
  accountedBytes = 0
  /** The event-loop turn in which the file was last looked at. */
  turn = 0
  readonly #slots = new Slots()
  readonly #outdated = new Set<number>()
  /** The file up to `log.end`, in a larger buffer; undefined when the map gave it up. */
  #resident: Buffer | undefined = Buffer.alloc(0)
  #guessCount = 0
  /** The bytes that are being shown are the file's from its start on, and nobody else's. */
  #mayAdopt = false
  readonly #view = new RecordView()
  /** The record that was read from the file last, and its offset. */
  #stored: RecordView | undefined
  #storedAt = -1
  readonly #positionOf: (key: Buffer) => Position | undefined

  constructor(log: Log, name: BucketName, limitBytes: number, positionOf: (key: Buffer) => Position | undefined) {
    this.log = log
    this.name = name
    this.limitBytes = limitBytes
    this.#positionOf = positionOf
  }

  get residentBytes(): number {
    return this.#resident?.length ?? 0
  }

  /** Takes in what was appended; false when the file is no longer this bucket's. */
  refresh(): boolean {
    this.#mayAdopt = this.log.end === 0
    try {
      return this.log.read(this)
    } finally {
      this.#mayAdopt = false
      this.#slots.settle()
    }
  }

  /** Whether others have written to the file since it was last looked at: a third of what looking at its size costs. */
  hasMore(): boolean {
    try {
      return this.log.hasMore()
    } catch (error) {
      // Such as a pipe in the file's place: what it is, the next look tells.
      if (errnoOf(error) === undefined) throw error
      return true
    }
  }

  /** Appends frames and takes in all up to them; returns their offset, or -1 when the file is no longer this bucket's. */
  append(writer: FrameWriter): number {
    this.#outdated.clear()
    return this.log.append(writer, this)
  }

  /** Whether the record at this offset, of the latest append, was void because it expected another one. */
  isOutdated(offset: number): boolean {
    return this.#outdated.has(offset)
  }

  /** Frames at this offset came after the seal, so they do not count. */
  isVoid(offset: number): boolean {
    return this.sealedAt >= 0 && offset > this.sealedAt
  }

  find(hash: number, key: Uint8Array): RecordView | undefined {
    const slot = this.#slotOf(hash, key)
    return slot < 0 ? undefined : this.#at(this.#slots.offsetAt(slot))
  }

  /** All under this hash, whatever their keys. */
  findAll(hash: number): RecordView[] {
    const all: RecordView[] = []
    const slots = this.#slots
    for (let slot = slots.find(hash); slot >= 0; slot = slots.find(hash, slot + 1)) {
      all.push(this.#at(slots.offsetAt(slot)))
    }
    return all
  }

  /** The keys' latest puts, in the order of the file. */
  records(): RecordView[] {
    return this.located().map(({ record }) => record)
  }

  /** The same, with the offsets of their frames. */
  located(): { record: RecordView; offset: number }[] {
    if (!this.#resident) this.#resident = this.log.readAt(0, this.log.end)
    const offsets = this.#slots.offsets().sort((a, b) => a - b)
    return offsets.map(offset => ({ record: this.#at(offset), offset })).filter(({ record }) => record.isPut)
  }

  /** The same, but for those that stand where no lookup can find them. */
  findable(): RecordView[] {
    return this.records().filter(record => {
      const position = this.#positionOf(record.key)
      return position?.place === record.place && position.slot === record.slot
    })
  }

  /** Frees the file's bytes; lookups read from the file from now on. */
  evict(): void {
    this.#resident = undefined
  }

  keep(bytes: Buffer, offset: number): void {
    if (!this.#resident) return
    if (this.#mayAdopt && offset === 0) {
      this.#resident = bytes
      return
    }
    const length = offset + bytes.length
    if (length > this.#resident.length) {
      const grown = Buffer.alloc(Math.max(length, Math.min(2 * this.#resident.length, length + 64 * 1024)))
      grown.set(this.#resident)
      this.#resident = grown
    }
    this.#resident.set(bytes, offset)
  }

  frame(type: number, bytes: Buffer, start: number, end: number, offset: number): void {
    if (this.sealedAt >= 0) {
      if (type === FRAME.successor && !this.successor && end - start > UNIQUE_BYTES) {
        const unique = bytes.toString('hex', start + 1, start + 1 + UNIQUE_BYTES)
        this.successor = { isSplit: bytes[start] === 1, unique }
      }
    } else if (type === FRAME.seal) {
      this.sealedAt = offset
    } else if (type === FRAME.clear) {
      this.clearedCount = this.liveCount
      this.#voidAll(offset)
    } else if (isChange(type) && this.#view.look(type, bytes, start, end)) {
      this.#index(this.#view, offset)
    }
  }

  /** Puts of new keys, of a file that is read for the first time: most of what a process that makes one get or set reads. */
  skim(held: Held, at: number): number {
    if (held.bytes !== this.#resident || this.sealedAt >= 0) return at
    const { count } = this.#slots
    const end = skim(held, at, this.#slots)
    this.liveCount += this.#slots.count - count
    return end
  }

  /**
   * A record was damaged, and the one that it replaced must not come to life again. Where its position is beyond doubt, all
   * records there go: a key may have parts that its position doesn't depend on. Else every record before it might be the one.
   */
  damage(bytes: Buffer, start: number, end: number, damage: Damage, offset: number): void {
    if (damage === 'mended') this.#resident?.set(bytes.subarray(start, end), offset)
    if (damage !== 'lost' || this.sealedAt >= 0) return
    const payload = start + FRAME_HEADER_BYTES
    const isOneFrame = payload <= end && payload + bytes.readUInt32LE(start + 8) === end
    const hash = isOneFrame ? this.#recognize(bytes.subarray(payload, end)) : undefined
    if (hash === undefined) {
      this.#voidAll(this.log.end)
      return
    }
    const slots = this.#slots
    for (let slot = slots.find(hash); slot >= 0; slot = slots.find(hash)) {
      const offset = slots.offsetAt(slot)
      if (this.#at(offset).isPut) this.liveCount--
      slots.remove(hash, offset)
    }
  }

  #recognize(payload: Buffer): number | undefined {
    const found = recognize(payload, this.#positionOf)
    return found !== undefined || this.#guessCount++ >= MAX_GUESSES ? found : guess(payload, this.#positionOf)
  }

  #voidAll(offset: number): void {
    this.liveCount = 0
    this.deadBytes = offset
    this.#slots.clear()
  }

  #index(view: RecordView, offset: number): void {
    const { slot: hash, frameBytes } = view
    const known = this.#slots.find(hash)
    // Most are new, and a view of the key takes longer than this look.
    const slot = known < 0 ? -1 : this.#slotOf(hash, view.key)
    const stored = slot < 0 ? undefined : this.#at(this.#slots.offsetAt(slot))
    const current = stored?.isPut ? stored.check : NO_RECORD
    const isOutdated = isConditional(view.type) && current !== view.expected
    if (isOutdated) this.#outdated.add(offset)
    if (isOutdated || (!stored && !view.isPut)) {
      this.deadBytes += frameBytes
      return
    }
    this.liveCount += (view.isPut ? 1 : 0) - (stored?.isPut ? 1 : 0)
    if (stored) {
      this.deadBytes += stored.frameBytes
      this.#slots.replaceAt(slot, offset)
    } else {
      this.#slots.add(hash, offset)
    }
    if (!view.isPut) this.deadBytes += frameBytes
  }

  /** The slot in the table of the key's record, or -1. */
  #slotOf(hash: number, key: Uint8Array): number {
    const slots = this.#slots
    let slot = slots.find(hash)
    while (slot >= 0 && !this.#at(slots.offsetAt(slot)).hasKey(key)) slot = slots.find(hash, slot + 1)
    return slot
  }

  #at(offset: number): RecordView {
    if (this.#resident) return new RecordView(this.#resident, offset)
    if (this.#stored && offset === this.#storedAt) return this.#stored
    let bytes = this.log.readAt(offset, RECORD_GUESS_BYTES)
    const length = FRAME_HEADER_BYTES + bytes.readUInt32LE(8)
    if (length > bytes.length) bytes = this.log.readAt(offset, length)
    this.#stored = new RecordView(bytes, 0)
    this.#storedAt = offset
    return this.#stored
  }
}
