// Packs are the files that hold blob bytes: logs of blob frames, numbered, to which all processes append.
//
// Guarantees: a location that `append` returned holds its blob until the pack is removed; no two packs with blobs have had
// the same number; bytes that `read` returns have the hash that their id says. Writers append to the highest pack and begin
// the next when it is full. One that stood still just before it made the next may make it again, after others have filled,
// retired and removed it: that file is not the highest, so it stays empty, and means nothing.
//
// A pack is retired (for its blobs to be moved and the file removed) in three steps: its successor is made, it is renamed,
// which tells whoever refers to a blob in it, and a seal is appended for its writers. A writer sees the seal when it lies
// between where it expected to write and where its frame went. One that has just opened the pack looks for the successor
// after it measured the size: when there is none, a seal can only follow.

import { join } from 'node:path'
import { CacheError, errnoOf } from '../base/errors.js'
import { BLOB_BYTES_START, BLOB_ID_BYTES, FRAME, FRAME_HEADER_BYTES, PACK_BYTES } from '../base/layout.js'
import type { PooledFile } from '../files/descriptors.js'
import type { Environment } from '../log/environment.js'
import { type FrameReader, FrameWriter } from '../log/frames.js'
import { Log, writeOpenFrame } from '../log/log.js'
import { BlockCache } from './block-cache.js'

/** Where a blob's frame begins. */
export interface Location {
  pack: number
  offset: number
}

export interface Blob {
  /** 128-bit hash, length u32, variant u8: see FORMAT.md. */
  id: Buffer
  bytes: Uint8Array
}

/** A blob and where it was when it was put; a gc may have moved it since, then the blob index knows. */
export interface BlobRef {
  id: Buffer
  location: Location
}

/** However little room there is, a pack may become as large as this. */
const MIN_PACK_BYTES = 256 * 1024
/** A pack takes at most this share of the room. */
const ROOM_SHARE = 1 / 16
const PACK_FILE = /^(\d{1,10})\.(?:pack|retired)$/
const MAX_ATTEMPTS = 100
/** Before so much memory is taken, it is asked whether the file is as long. */
const LARGE_BYTES = 1024 * 1024
/** Read at a time. */
const SCAN_BYTES = 1024 * 1024

export class Packs {
  readonly path: string
  readonly #environment: Environment
  /** A pack that has reached this size gets a successor. Processes may differ in it. */
  limitBytes: number
  /** What fits on the disk: a gc needs room to copy what is alive in a pack. Not known while packs are small. */
  #roomBytes = Number.POSITIVE_INFINITY
  readonly #readers = new Map<number, PooledFile>()
  readonly #writer = new FrameWriter()
  readonly #blocks = new BlockCache()
  readonly #digest = Buffer.alloc(16)
  #active: ActivePack | undefined
  /** At this size of the active pack, it is asked anew how much room there is. */
  #checkedBytes = MIN_PACK_BYTES

  constructor(environment: Environment, path: string, limitBytes = PACK_BYTES) {
    this.#environment = environment
    this.path = path
    this.limitBytes = limitBytes
  }

  /**
   * Appends the blobs in one write and returns their locations.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  append(blobs: readonly Blob[]): Location[] {
    const writer = this.#writer.reset()
    const starts: number[] = []
    for (const { id, bytes } of blobs) {
      starts.push(writer.length)
      writer.begin(FRAME.blob).put(id).put(bytes).end()
    }
    const { pack, offset } = this.#append(writer)
    return starts.map(start => ({ pack, offset: offset + start }))
  }

  /** The same for one. */
  appendOne({ id, bytes }: Blob): Location {
    return this.#append(this.#writer.reset().begin(FRAME.blob).put(id).put(bytes).end())
  }

  #append(writer: FrameWriter): Location {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const active = this.#current() ?? this.#openActive()
      const offset = active.append(writer)
      if (offset >= 0) return { pack: active.pack, offset }
      // Retired, or deleted together with others that may be open here.
      this.close()
    }
    throw this.#broken()
  }

  /** Whether the pack that was appended to last is kept. @throws errno-style errors */
  isLastKept(): boolean {
    const active = this.#active
    if (active?.isKept(this.#environment.turn.current())) return true
    this.close()
    return false
  }

  /** Whether other processes have been writing at the same time of late. */
  get isContended(): boolean {
    return this.#active?.isContended ?? false
  }

  /** The blob's bytes, a view until the next call; undefined when they are not there or not what the id says. */
  read(location: Location, id: Uint8Array): Buffer | undefined {
    const bytes = this.#read(location, id)
    if (bytes) return bytes
    // A gc may have renamed the file, or the whole cache was deleted and begun anew: look at the one that is there now.
    this.#forget(location.pack)
    return this.#read(location, id)
  }

  /** Numbers of the packs on disk, ascending. */
  numbers(): number[] {
    const { files } = this.#environment
    // What a link leads to is not the cache's.
    const names = (files.linkStat(this.path)?.kind === 'directory' && files.list(this.path)) || []
    return names
      .flatMap(name => PACK_FILE.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
      .filter((pack, at, all) => pack !== all[at - 1])
  }

  /** Announces that the pack will be removed. Appends that land after this are made again elsewhere. */
  retire(pack: number): void {
    if (pack === this.numbers().at(-1)) this.#environment.files.createFile(this.#file(pack + 1), '')
    // Over one that is retired already, only an empty one could be renamed.
    if (!this.isRetired(pack)) {
      try {
        this.#environment.files.rename(this.#file(pack), this.#retiredFile(pack))
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
      }
    }
    const log = this.#log(pack, this.#retiredFile(pack), 'append')
    log.skipToEnd()
    log.append(this.#writer.reset().begin(FRAME.seal).end(), { frame: () => undefined })
    log.close()
    if (this.#active?.pack !== pack) return
    this.#active.log.close()
    this.#active = undefined
  }

  /** Up to where entries may go on referring to blobs in the pack: 0 for one that is gone, or about to be removed. */
  keptBytes(pack: number): number {
    return this.#environment.files.stat(this.#file(pack))?.sizeBytes ?? 0
  }

  /** Whether entries may go on referring to this place. */
  isKept({ pack, offset }: Location): boolean {
    return offset < this.keptBytes(pack)
  }

  /** Whether the pack is about to be removed. */
  isRetired(pack: number): boolean {
    return this.#environment.files.stat(this.#retiredFile(pack)) !== undefined
  }

  /**
   * Visits every whole blob of a pack, also after a seal: a copy of the root by hard links goes on with a pack that is retired
   * elsewhere. Of a damaged frame the blob may still be whole, as its id proves: then a get finds it, and so must a scan.
   */
  scan(pack: number, visit: (location: Location, id: Buffer, bytes: Buffer) => void): void {
    for (let from: number | undefined = 0; from !== undefined; ) from = this.scanSome(pack, from, SCAN_BYTES, visit)
  }

  /** The same in about so many bytes from an offset on; returns where to go on, undefined at the end. */
  scanSome(
    pack: number,
    from: number,
    chunkBytes: number,
    visit: (location: Location, id: Buffer, bytes: Buffer) => void,
  ): number | undefined {
    const log = this.#log(pack, this.#currentFile(pack), 'read')
    const frame: FrameReader['frame'] = (type, bytes, start, end, offset) => {
      if (type !== FRAME.blob || end - start < BLOB_ID_BYTES) return
      const bytesStart = start + BLOB_ID_BYTES
      visit({ pack, offset }, bytes.subarray(start, bytesStart), bytes.subarray(bytesStart, end))
    }
    const damage: FrameReader['damage'] = (bytes, start, end, kind, offset) => {
      if (kind !== 'lost') return
      for (let at = start, after = at; at + BLOB_BYTES_START <= end; at = after) {
        const payload = at + FRAME_HEADER_BYTES
        const id = bytes.subarray(payload, payload + BLOB_ID_BYTES)
        after = at + BLOB_BYTES_START + blobLength(id)
        if (after > end || !this.#isBlob(bytes.subarray(at, after), id)) return
        frame(FRAME.blob, bytes, payload, after, offset + at - start)
      }
    }
    const next = log.readSome(from, chunkBytes, { frame, damage })
    log.close()
    return next
  }

  /** Syncs what is in the pack. */
  sync(pack: number): void {
    this.#environment.files.sync(this.#currentFile(pack))
  }

  /** Syncs which packs there are. */
  syncNames(): void {
    this.#environment.files.sync(this.path)
  }

  remove(pack: number): void {
    this.#forget(pack)
    for (const path of [this.#file(pack), this.#retiredFile(pack)]) this.#environment.files.remove(path)
  }

  /** What its file holds besides whole frames of blobs of these total bytes; 0 for a pack without garbage. */
  garbageBytes(pack: number, blobCount: number, blobBytes: number): number {
    const openFrame = writeOpenFrame(this.#writer.reset(), identityOf(pack)).length
    return this.sizeOf(pack) - openFrame - blobCount * BLOB_BYTES_START - blobBytes
  }

  /** Says whether there is a blob at a place, as of now, without a look at it: of packs that come later, always. */
  places(): (location: Location) => boolean {
    const sizes = new Map(this.numbers().map(pack => [pack, this.sizeOf(pack)]))
    const last = Math.max(-1, ...sizes.keys())
    return ({ pack, offset }) => pack > last || offset < (sizes.get(pack) ?? 0)
  }

  /** The length of its file; 0 for one that is gone. */
  sizeOf(pack: number): number {
    return this.#environment.files.stat(this.#currentFile(pack))?.sizeBytes ?? 0
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close()
    this.#readers.clear()
    this.#blocks.clear()
    this.#active?.log.close()
    this.#active = undefined
  }

  /** The pack that is open for writing, if it is still there in this turn. */
  #current(): ActivePack | undefined {
    const active = this.#active
    if (!active) return undefined
    if (!active.isThere(this.#environment.turn.current())) this.close()
    else {
      if (active.log.end >= this.#checkedBytes) this.#measureRoom(active.log.end)
      if (active.log.end < this.#maxBytes) return active
      this.#next(active.pack)
    }
    return undefined
  }

  get #maxBytes(): number {
    return Math.min(this.limitBytes, this.#roomBytes)
  }

  #measureRoom(sizeBytes = 0): void {
    const { freeBytes } = this.#environment.files.fileSystem(this.path)
    this.#roomBytes = Math.max(MIN_PACK_BYTES, freeBytes * ROOM_SHARE)
    this.#checkedBytes = sizeBytes + MIN_PACK_BYTES
  }

  #openActive(): ActivePack {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const pack = this.numbers().at(-1)
      if (pack === undefined) {
        this.#environment.prepare()
        this.#environment.files.makeDirectory(this.path)
        this.#environment.files.createFile(this.#file(0), '')
        continue
      }
      const log = this.#log(pack, this.#file(pack), 'append')
      try {
        log.skipToEnd()
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
        continue
      }
      const isLast = this.numbers().at(-1) === pack
      if (log.sizeBytes >= MIN_PACK_BYTES) this.#measureRoom()
      if (isLast && log.sizeBytes < this.#maxBytes) {
        this.#active = new ActivePack(pack, log, this.#environment.turn.current())
        return this.#active
      }
      log.close()
      if (isLast) this.#environment.files.createFile(this.#file(pack + 1), '')
    }
    throw this.#broken()
  }

  #broken(): CacheError {
    return new CacheError('ERR_CACHE_IO', `No pack in ${this.path} can be written to.`)
  }

  #next(pack: number): void {
    this.#active?.log.close()
    this.#active = undefined
    this.#environment.files.createFile(this.#file(pack + 1), '')
  }

  #read({ pack, offset }: Location, id: Uint8Array): Buffer | undefined {
    const frameBytes = BLOB_BYTES_START + blobLength(id)
    try {
      const cached = this.#blocks.view(pack, offset, frameBytes, (into, length, position) =>
        this.#reader(pack).read(into, 0, length, position),
      )
      if (cached) return this.#isBlob(cached, id) ? cached.subarray(BLOB_BYTES_START) : undefined
      // A forged id may claim to be of four billion bytes.
      if (frameBytes > LARGE_BYTES && offset + frameBytes > this.#reader(pack).stat().sizeBytes) return undefined
      const buffer = Buffer.allocUnsafeSlow(frameBytes)
      const count = this.#reader(pack).read(buffer, 0, frameBytes, offset)
      return count === frameBytes && this.#isBlob(buffer, id) ? buffer.subarray(BLOB_BYTES_START) : undefined
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      this.#forget(pack)
      return undefined
    }
  }

  #reader(pack: number): PooledFile {
    let reader = this.#readers.get(pack)
    if (!reader) {
      reader = this.#environment.descriptors.file(this.#currentFile(pack), 'read')
      this.#readers.set(pack, reader)
    }
    return reader
  }

  #forget(pack: number): void {
    this.#readers.get(pack)?.close()
    this.#readers.delete(pack)
    this.#blocks.clear()
  }

  #isBlob(frame: Buffer, id: Uint8Array): boolean {
    for (let i = 0; i < BLOB_ID_BYTES; i++) if (frame[FRAME_HEADER_BYTES + i] !== id[i]) return false
    this.#environment.hashing.digest(frame, BLOB_BYTES_START, frame.length, this.#digest, 0)
    for (let i = 0; i < this.#digest.length; i++) if (this.#digest[i] !== id[i]) return false
    return true
  }

  #log(pack: number, path: string, mode: 'read' | 'append'): Log {
    return new Log(this.#environment, path, identityOf(pack), mode)
  }

  /** The file with the pack's blobs. */
  #currentFile(pack: number): string {
    return this.keptBytes(pack) > 0 ? this.#file(pack) : this.#retiredFile(pack)
  }

  #retiredFile(pack: number): string {
    return join(this.path, `${pack}.retired`)
  }

  #file(pack: number): string {
    return join(this.path, `${pack}.pack`)
  }
}

function identityOf(pack: number): string {
  return `blobs/packs/${pack}`
}

class ActivePack implements FrameReader {
  readonly pack: number
  readonly log: Log
  /** The event-loop turn in which the file was last looked at. */
  #turn: number
  #isSealed = false
  #contendedCount = 0

  constructor(pack: number, log: Log, turn: number) {
    this.pack = pack
    this.log = log
    this.#turn = turn
  }

  get isContended(): boolean {
    return this.#contendedCount > 0
  }

  /** The offset of the first frame; -1 once the pack is retired or deleted. */
  append(writer: FrameWriter): number {
    const { end } = this.log
    const offset = this.log.append(writer, this, true)
    if (offset === end || end === 0) this.#contendedCount = Math.max(0, this.#contendedCount - 1)
    else this.#contendedCount = CONTENDED_APPENDS
    return this.#isSealed ? -1 : offset
  }

  /** Whether the pack was there, and took blobs, when this turn began. */
  isThere(turn: number): boolean {
    return turn === this.#turn ? !this.#isSealed : this.#look(turn)
  }

  /** The same now, but for one that was deleted since without being retired. */
  isKept(turn: number): boolean {
    return turn === this.#turn && !this.log.hasMore() ? !this.#isSealed : this.#look(turn)
  }

  #look(turn: number): boolean {
    this.#turn = turn
    return this.log.read(this) && !this.#isSealed
  }

  frame(type: number): void {
    if (type === FRAME.seal) this.#isSealed = true
  }
}

/** So many appends after it met another process, a pack still counts as contended. */
const CONTENDED_APPENDS = 64

export function blobLength(id: Uint8Array): number {
  return (
    ((id[16] as number) | ((id[17] as number) << 8) | ((id[18] as number) << 16) | ((id[19] as number) << 24)) >>> 0
  )
}
