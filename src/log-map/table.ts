// The table of a bucket's records: of each key the latest one, by hash and tag, in 8 bytes.

import { FRAME, FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES, SUCCESSOR_NAME_BYTES } from '../base/layout.js'
import { frameEnd, isPayloadIntact, viewOf } from '../log/frames.js'
import type { LogFile } from '../log/log-file.js'
import { type Damage, type FrameReader, scanFrames } from '../log/scan.js'
import { isChange, isConditional, NO_RECORD, type Position, RecordView } from './record.js'
import { Slots } from './slots.js'

/** What can't be read. */
export interface Damaged {
  bytes: number
  /** At how many places. */
  count: number
}

export interface Successor {
  isSplit: boolean
  /** Hex; part of the names of its candidates. */
  unique: string
}

const TYPICAL_RECORD_BYTES = 96
const NOTHING: Damaged = { bytes: 0, count: 0 }

/** Gives access to the records. */
export interface RecordSource {
  /** A view until the next call, unless the file was loaded. */
  recordAt(offset: number): RecordView
  /** Loads the whole file into memory. */
  load(): void
}

export function createTable(
  file: LogFile,
  source: RecordSource,
  positionOf: (key: Buffer) => Position | undefined,
): BucketTable {
  return new BucketTable(file, source, positionOf)
}

export class BucketTable implements FrameReader {
  readonly checksPayloads = true
  /** Offset of the seal, or -1. */
  sealedAt = -1
  successor: Successor | undefined
  /** Keys whose record is a put. */
  liveCount = 0
  /** How many keys the last clear removed. */
  clearedCount = 0
  /** Bytes of frames that no longer count, approximately. */
  deadBytes = 0
  /** What headers were lost, with all that stands before them. */
  #lost: Damaged = NOTHING
  /** How much of the file was seen; in the end of it a frame may be incomplete. */
  end = 0
  /** How much of it was read as complete frames. */
  #understood = 0
  readonly #slots = new Slots()
  readonly #outdated = new Set<number>()
  readonly #record = new RecordView()
  readonly #file: LogFile
  readonly #source: RecordSource
  readonly #positionOf: (key: Buffer) => Position | undefined

  constructor(file: LogFile, source: RecordSource, positionOf: (key: Buffer) => Position | undefined) {
    this.#file = file
    this.#source = source
    this.#positionOf = positionOf
  }

  /** Whether the last frame is incomplete. */
  get isUnfinished(): boolean {
    return this.#understood < this.end
  }

  /** Where to go on reading the file. */
  get firstUnread(): number {
    return this.isUnfinished ? this.#understood : this.end
  }

  /** The file is read again from this offset on. */
  forgetFrom(offset: number): void {
    this.end = Math.min(this.end, offset)
  }

  /**
   * Adds the frames in the file up to this length. `loaded` are all its bytes, `view` views them; without them, the new ones are
   * read. Returns the length that the table knows then.
   */
  update(loaded: Buffer | undefined, view: DataView, length: number): number {
    if (loaded) {
      this.#add(loaded, view, length, 0)
    } else {
      const bytes = this.#file.readAt(this.#understood, length - this.#understood)
      this.#add(bytes, viewOf(bytes), bytes.length, this.#understood)
    }
    return this.end
  }

  /** Adds the frames in `bytes[0, length)`, which begin at `base` in the file. */
  #add(bytes: Buffer, view: DataView, length: number, base: number): void {
    const { seed, environment } = this.#file
    const slots = this.#slots
    let at = this.#understood - base
    if (this.#understood === 0) slots.reserve(length / TYPICAL_RECORD_BYTES)
    while (at < length) {
      const next = frameEnd(view, at, length, seed)
      if (next <= 0) {
        at = scanFrames(environment.hashing, bytes.subarray(0, length), seed, this, { base, from: at })
        break
      }
      const type = view.getUint8(at + 1)
      const tag = view.getUint32(at + 12, true)
      // The common case: a put of a new key.
      if (type === FRAME.put && this.sealedAt < 0 && slots.find(tag) < 0) {
        slots.add(view.getUint32(at + 8, true), tag, base + at)
        this.liveCount++
      } else {
        this.frame(type, bytes, at + FRAME_HEADER_BYTES, next - FRAME_TRAILER_BYTES, base + at)
      }
      at = next
    }
    this.#understood = base + at
    this.end = base + length
  }

  /** The offset of the latest record at this position, or -1. */
  offsetOf(hash: number, tag: number): number {
    return this.#slots.offsetAt(this.#slotOf(hash, tag))
  }

  /** Whether the conditional record at this offset expected another record. */
  isOutdated(offset: number): boolean {
    return this.#outdated.has(offset)
  }

  /** Clears the results of `isOutdated`. */
  forgetOutdated(): void {
    if (this.#outdated.size > 0) this.#outdated.clear()
  }

  /** The keys' latest puts, in the order of the file. */
  records(): RecordView[] {
    return this.#putsAt(this.#slots.offsets())
  }

  /** What of the file can't be read, so that keys may be missing in `records`. */
  damaged(): Damaged {
    this.#source.load()
    let { bytes, count } = this.#lost
    for (const offset of this.#slots.offsets()) {
      const record = this.#source.recordAt(offset)
      if (!record.isPut || this.#isGood(record)) continue
      bytes += record.frameBytes
      count++
    }
    return { bytes, count }
  }

  #putsAt(offsets: Uint32Array): RecordView[] {
    return this.#recordsAt(offsets).filter(record => record.isPut && this.#isGood(record))
  }

  #recordsAt(offsets: Uint32Array): RecordView[] {
    this.#source.load()
    return Array.from(offsets, offset => this.#source.recordAt(offset))
  }

  #isGood(record: RecordView): boolean {
    return record.isGood(this.#file.environment.hashing)
  }

  /** The keys' latest puts, without useless records and those whose hashes don't match their keys. */
  findable(isUseless?: (record: RecordView) => boolean): RecordView[] {
    return this.records().filter(record => !isUseless?.(record) && this.#isFindable(record))
  }

  /** The removals from this offset on that have a reason. */
  removals(from: number): RecordView[] {
    return this.since(from).filter(record => !record.isPut && record.value.length > 0)
  }

  /** The keys' latest records, puts and removals, if they begin at this offset or later. */
  since(from: number): RecordView[] {
    const offsets = this.#slots.offsets().filter(offset => offset >= from)
    return this.#recordsAt(offsets).filter(record => this.#isGood(record) && this.#isFindable(record))
  }

  #isFindable(record: RecordView): boolean {
    const position = this.#positionOf(record.key)
    return position?.hash === record.hash && position.tag === record.tag
  }

  /** The puts at a hash, whatever their tags, the latest first. */
  atHash(hash: number): RecordView[] {
    if (!this.#slots.mayHaveHash(hash)) return []
    const offsets = this.#slots.offsets().filter(offset => this.#source.recordAt(offset).hash === hash)
    return this.#putsAt(offsets).reverse()
  }

  frame(type: number, bytes: Buffer, start: number, end: number, offset: number): void {
    if (this.sealedAt >= 0) {
      const isFirst = type === FRAME.successor && !this.successor && end - start > SUCCESSOR_NAME_BYTES
      if (!isFirst || !isPayloadIntact(this.#file.environment.hashing, bytes, start, end)) return
      const unique = bytes.toString('hex', start + 1, start + 1 + SUCCESSOR_NAME_BYTES)
      this.successor = { isSplit: bytes[start] === 1, unique }
    } else if (type === FRAME.seal) {
      this.sealedAt = offset
    } else if (type === FRAME.clear) {
      this.clearedCount = this.liveCount
      this.#lost = NOTHING
      this.#voidAll(offset)
    } else if (isChange(type)) {
      this.#record.look(type, bytes, start, end)
      this.#apply(this.#record, offset)
    }
  }

  /**
   * A record of an unknown key is damaged. The record that it replaced must not become valid again, and that might be any
   * record before it.
   */
  damage(_bytes: Buffer, start: number, end: number, damage: Damage, offset: number): void {
    if (damage !== 'lost' || this.sealedAt >= 0) return
    const next = offset + end - start
    this.#lost = { bytes: next, count: this.#lost.count + 1 }
    this.#voidAll(next)
  }

  #voidAll(offset: number): void {
    this.liveCount = 0
    this.deadBytes = offset
    this.#slots.clear()
  }

  #apply(record: RecordView, offset: number): void {
    const { hash, tag, frameBytes, type } = record
    const slot = this.#slotOf(hash, tag)
    const stored = slot < 0 ? undefined : this.#source.recordAt(this.#slots.offsetAt(slot))
    if (isConditional(type)) {
      if (!record.isGood(this.#file.environment.hashing)) {
        // What it expected is unknown, and so is whether it counts.
        if (stored?.isPut) this.liveCount--
        if (stored) this.#slots.removeAt(slot)
        return
      }
      if (record.expected !== (stored?.isPut ? stored.check : NO_RECORD)) {
        this.#outdated.add(offset)
        this.deadBytes += frameBytes
        return
      }
    }
    this.liveCount += (record.isPut ? 1 : 0) - (stored?.isPut ? 1 : 0)
    if (stored) {
      this.deadBytes += stored.frameBytes
      this.#slots.replaceAt(slot, offset)
    } else {
      this.#slots.add(hash, tag, offset)
    }
    if (!record.isPut) this.deadBytes += frameBytes
  }

  /** The slot in the table of the record at this position, or -1. */
  #slotOf(hash: number, tag: number): number {
    const slots = this.#slots
    let slot = slots.find(tag)
    while (slot >= 0 && this.#source.recordAt(slots.offsetAt(slot)).hash !== hash) slot = slots.find(tag, slot + 1)
    return slot
  }
}
