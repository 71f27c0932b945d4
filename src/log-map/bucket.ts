// One bucket of a log map: a log of records, in which the last record of a key counts.
//
// A process that looks up a few keys searches the file's bytes: the header of a record holds hash and tag of its key, 64 bits,
// and a native search finds the last record of a key in a tenth of the time that a walk takes. The frames after it are walked
// once, from header to header, because one of them may be a damaged record of the same key, or a clear. A process that looks up
// more keys builds a table from the headers, 8 bytes for each record. Both ways give the same results. Payloads are checked
// when they are used. If headers are damaged, all records before them are void, since any of them may have been replaced there.
//
// The file's bytes are kept while the map can afford it; without them a lookup reads its record from the file. A sealed bucket
// never changes again: its records are the frames before the seal.

import { errnoOf } from '../base/errors.js'
import { FRAME, FRAME_HEADER_BYTES } from '../base/layout.js'
import { locateBatch } from '../log/batch.js'
import {
  emptyFrameHeader,
  type FrameWriter,
  frameEnd,
  isPayloadIntact,
  payloadChecksum,
  u32,
  viewOf,
} from '../log/frames.js'
import { type LogFile, OPEN_SEED_AT, unlessMissing } from '../log/log-file.js'
import type { BucketName } from './directory.js'
import { isChange, isConditional, NO_RECORD, type Position, RecordView } from './record.js'
import { type BucketTable, createTable, type Successor } from './table.js'

/** After this many searches of a bucket, a table is faster. */
const MAX_SEARCHES = 16
/** After this many searches of all buckets, this code is compiled: then a table is faster after the first search of a bucket. */
const SEARCHES_UNTIL_COMPILED = 64
/** Bytes that are read for a record of unknown length. Most are shorter. */
const RECORD_GUESS_BYTES = 512
/** Room that is left for appends after the bytes that were read. */
const ROOM_BYTES = 8 * 1024
const POSITION_AT = 8
/** Up to so many new bytes are read alone. Of more, many would replace records, each of which would be read from the file. */
const MAX_TAIL_BYTES = 4096

const NOT_THERE = -1
/** The search can't tell. */
const UNSURE = -2

/** By all buckets of this process. */
let searchCount = 0

const needle = Buffer.allocUnsafeSlow(8)
const needleView = viewOf(needle)

export class Bucket {
  readonly name: BucketName
  readonly file: LogFile
  /** The length of the file as far as it was read. */
  end = 0
  /** The seed under which its keys are hashed, as its first frame says. */
  hashSeed: number | undefined
  /** Whether a seed was established for a bucket without frames. */
  isSeedEstablished = false
  /** Past this size, the bucket gets successors. */
  limitBytes: number
  /** Resident bytes that the map has counted for this bucket. */
  accountedBytes = 0
  /** The file up to `end`, in a larger buffer; undefined if the map has freed it. */
  #bytes: Buffer | undefined
  #view = needleView
  #searchCount = 0
  /** How far searches have walked, and the last clear on the way. */
  #walkedFrom = 0
  #walkedTo = 0
  #clearedAt = NOT_THERE
  #table: BucketTable | undefined
  /** The record that was read from the file last, and its offset. */
  #stored: RecordView | undefined
  #storedAt = -1
  /** The bytes of a seal's header in this file. */
  readonly #sealHeader: Buffer
  readonly #positionOf: (key: Buffer) => Position | undefined

  constructor(file: LogFile, name: BucketName, limitBytes: number, positionOf: (key: Buffer) => Position | undefined) {
    this.file = file
    this.name = name
    this.limitBytes = limitBytes
    this.#positionOf = positionOf
    this.#sealHeader = emptyFrameHeader(FRAME.seal, file.environment.hashing, file.seed)
  }

  get residentBytes(): number {
    return this.#bytes?.length ?? 0
  }

  /** Offset of the seal, or -1. */
  get sealedAt(): number {
    return this.#table?.sealedAt ?? -1
  }

  get successor(): Successor | undefined {
    return this.#table?.successor
  }

  /** Whether the file must be checked again, because other processes have written or are writing, or it was opened again. */
  get hasMore(): boolean {
    try {
      return this.#isUnfinished || this.file.hasMore(this.end)
    } catch (error) {
      // For example a pipe instead of the file: `refresh` reports it.
      if (errnoOf(error) === undefined) throw error
      return true
    }
  }

  /** Reads what was appended. Returns false if the file is no longer this bucket's. @throws errno-style errors */
  refresh(): boolean {
    const length = this.file.length()
    if (length < this.end) return false
    if (length > this.end || this.#isUnfinished) this.#readOn(length)
    return true
  }

  /** Whether the last frame was incomplete when the table was built. */
  get #isUnfinished(): boolean {
    return this.#table?.isUnfinished ?? false
  }

  /**
   * Appends frames and reads up to them. Returns their offset, or -1 if the file is no longer this bucket's. With `isAsking`,
   * `isOutdated` tells which are void.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  append(writer: FrameWriter, isAsking = false): number {
    if (this.end === 0 && !this.refresh()) return -1
    if (isAsking) this.table.forgetOutdated()
    else this.#table?.forgetOutdated()
    const start = this.end
    let batch: FrameWriter
    try {
      batch = this.file.append(writer, start === 0)
    } catch (error) {
      return unlessMissing(error, -1)
    }
    const end = start + batch.length
    const length = this.file.length()
    if (length < end) return -1
    let offset = start
    if (length > end || start === 0) {
      this.#readOn(length)
      offset = locateBatch(this.file, batch, start, this.end)
    } else {
      if (this.#bytes) {
        const bytes = this.#reserve(this.#bytes, end)
        batch.bytes.copy(bytes, start, 0, batch.length)
        this.#keep(bytes, end)
      }
      this.end = end
      if (this.sealedAt >= 0 || writer.bytes[1] === FRAME.seal) this.#indexed()
    }
    return offset + batch.length - writer.length
  }

  /** Whether the record at this offset, of the latest append, was void because it expected another one. */
  isOutdated(offset: number): boolean {
    return this.table.isOutdated(offset)
  }

  /** Frames at this offset came after the seal, so they do not count. */
  isVoid(offset: number): boolean {
    return this.sealedAt >= 0 && offset > this.sealedAt
  }

  /** Returns the key's record; undefined if there is none, or it is damaged. */
  find(hash: number, tag: number, key: Uint8Array): RecordView | undefined {
    let offset = UNSURE
    const maxSearches = searchCount < SEARCHES_UNTIL_COMPILED ? MAX_SEARCHES : 1
    if (!this.#table && this.#searchCount < maxSearches) {
      this.#searchCount++
      searchCount++
      offset = this.#search(hash, tag)
    }
    if (offset === UNSURE) offset = this.table.offsetOf(hash, tag)
    if (offset < 0) return undefined
    const record = this.#at(offset)
    return record.isGood(this.file.environment.hashing) && record.hasKey(key) ? record : undefined
  }

  /** All its records, as of `end`. */
  get table(): BucketTable {
    return this.#indexed()
  }

  /** Frees the file's bytes. Lookups read from the file from now on. */
  evict(): void {
    this.#bytes = undefined
    this.#view = needleView
  }

  /** The offset of the key's record, `NOT_THERE`, or `UNSURE` where the table must tell. */
  #search(hash: number, tag: number): number {
    if (this.sealedAt >= 0) return UNSURE
    const bytes = this.#load()
    const view = this.#view
    const { end } = this
    needleView.setUint32(0, hash, true)
    needleView.setUint32(4, tag, true)
    // The key's changes, latest first, back to the last unconditional one.
    const changes: number[] = []
    for (let at = end - needle.length; at >= POSITION_AT; at--) {
      at = bytes.lastIndexOf(needle, at)
      const frame = at - POSITION_AT
      if (frame < 0) break
      const next = frameEnd(view, frame, end, this.file.seed)
      if (next < 0) return UNSURE
      const type = view.getUint8(frame + 1)
      if (next === 0 || !isChange(type)) continue
      changes.push(frame)
      if (!isConditional(type)) break
    }
    const earliest = changes.at(-1)
    if (earliest === undefined) return NOT_THERE
    if (!this.#walk(earliest)) return UNSURE
    let found = NOT_THERE
    for (const frame of changes.reverse()) {
      if (frame > this.#clearedAt)
        found = isConditional(view.getUint8(frame + 1)) ? this.#decide(bytes, frame, found) : frame
    }
    return found
  }

  /** Whether all frames from this offset on are complete. Frames that were walked before aren't walked again. */
  #walk(from: number): boolean {
    if (this.#walkedTo === 0) {
      this.#walkedFrom = this.end
      this.#walkedTo = this.end
    }
    if (!this.#walkOver(this.#walkedTo, this.end)) return false
    this.#walkedTo = this.end
    if (!this.#walkOver(from, this.#walkedFrom)) return false
    this.#walkedFrom = Math.min(this.#walkedFrom, from)
    return true
  }

  #walkOver(from: number, to: number): boolean {
    let at = from
    while (at < to) {
      const next = frameEnd(this.#view, at, this.end, this.file.seed)
      if (next <= 0) return false
      if (this.#view.getUint8(at + 1) === FRAME.clear) this.#clearedAt = Math.max(this.#clearedAt, at)
      at = next
    }
    return at === to || from > to
  }

  /** Which record counts after a conditional one. */
  #decide(bytes: Buffer, frame: number, found: number): number {
    const start = frame + FRAME_HEADER_BYTES
    const end = start + u32(bytes, frame + 4)
    if (!isPayloadIntact(this.file.environment.hashing, bytes, start, end)) return NOT_THERE
    const isPut = found >= 0 && (bytes[found + 1] === FRAME.put || bytes[found + 1] === FRAME.putIf)
    const current = isPut ? payloadChecksum(bytes, found + FRAME_HEADER_BYTES) : NO_RECORD
    return u32(bytes, start) === current ? frame : found
  }

  #at(offset: number): RecordView {
    if (this.#bytes) return new RecordView(this.#bytes, offset)
    if (this.#stored && offset === this.#storedAt) return this.#stored
    let bytes = this.file.readAt(offset, RECORD_GUESS_BYTES)
    const length = FRAME_HEADER_BYTES + u32(bytes, 4)
    if (length > bytes.length) bytes = this.file.readAt(offset, length)
    this.#stored = new RecordView(bytes, 0)
    this.#storedAt = offset
    return this.#stored
  }

  #indexed(): BucketTable {
    if (!this.#table) {
      this.#load()
      const source = { recordAt: (offset: number) => this.#at(offset), load: () => this.#load() }
      this.#table = createTable(this.file, source, this.#positionOf)
    }
    if (this.#table.end !== this.end) this.#update(this.#table, this.end)
    return this.#table
  }

  #update(table: BucketTable, length: number): void {
    if (!this.#bytes && length - table.end > MAX_TAIL_BYTES) this.#read(length)
    // The file may have become shorter by then.
    this.end = table.update(this.#bytes, this.#view, this.#bytes ? this.end : length)
  }

  /** The table is enough where the file's bytes were freed. */
  #readOn(length: number): void {
    if (this.#bytes || !this.#table) this.#read(length)
    else this.#update(this.#table, length)
  }

  /** The file up to `end`. */
  #load(): Buffer {
    return this.#bytes ?? this.#read(this.end)
  }

  /** Reads the file up to this length. */
  #read(length: number): Buffer {
    const from = !this.#bytes ? 0 : (this.#table?.firstUnread ?? this.end)
    const bytes = this.#bytes ? this.#reserve(this.#bytes, length) : Buffer.allocUnsafeSlow(length + ROOM_BYTES)
    const count = this.file.read(bytes, from, length - from, from)
    this.#table?.forgetFrom(from)
    this.#grow(bytes, from, from + count)
    return bytes
  }

  #reserve(bytes: Buffer, length: number): Buffer {
    if (length <= bytes.length) return bytes
    const grown = Buffer.allocUnsafeSlow(Math.max(length, Math.min(2 * bytes.length, length + 64 * 1024)))
    bytes.copy(grown, 0, 0, this.end)
    return grown
  }

  #keep(bytes: Buffer, end: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = viewOf(bytes)
    }
    this.end = end
  }

  /** Adds bytes that were read at an offset. */
  #grow(bytes: Buffer, from: number, end: number): void {
    this.#keep(bytes, end)
    if (from === 0) this.hashSeed = hashSeedIn(bytes, end)
    const start = Math.max(0, from - FRAME_HEADER_BYTES + 1)
    if (this.sealedAt >= 0 || bytes.subarray(start, end).includes(this.#sealHeader)) this.#indexed()
  }
}

function hashSeedIn(bytes: Buffer, end: number): number | undefined {
  const at = FRAME_HEADER_BYTES + OPEN_SEED_AT
  return end >= at + 4 && bytes[1] === FRAME.open ? u32(bytes, at) : undefined
}
