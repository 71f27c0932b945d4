// Appends blobs to packs, and retires packs.

import { CacheError, errnoOf } from '../base/errors.js'
import { FRAME } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { FrameWriter } from '../log/frames.js'
import { Log } from '../log/log.js'
import type { FrameReader } from '../log/scan.js'
import type { Blob, Location } from './blob.js'
import { identityOf, type PackFiles } from './pack-files.js'

const MAX_ATTEMPTS = 100
/** For this many appends after another process has written to it, a pack counts as contended. */
const CONTENDED_APPENDS = 64
/** A pack may become this large however little room there is. */
const MIN_PACK_BYTES = 256 * 1024
/** A pack takes at most this share of the free space. */
const ROOM_SHARE = 1 / 16

/** The packs that are written to. */
export interface WrittenPacks extends PackFiles {
  /** A pack that has reached this size gets a successor. */
  readonly limitBytes: number
  /** Closes files that were opened for reading, since they may have been removed. */
  closeReaders(): void
}

export function createPackWriter(environment: Environment, packs: WrittenPacks): PackWriter {
  return new PackWriter(environment, packs)
}

export class PackWriter {
  readonly #environment: Environment
  readonly #packs: WrittenPacks
  /** The pack size that fits the disk: a gc needs room to copy the live blobs of a pack. Unknown while packs are small. */
  #roomBytes = Number.POSITIVE_INFINITY
  readonly #writer = new FrameWriter()
  #active: ActivePack | undefined
  /** At this size of the active pack, the free space is checked again. */
  #checkedBytes = MIN_PACK_BYTES

  constructor(environment: Environment, packs: WrittenPacks) {
    this.#environment = environment
    this.#packs = packs
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
      // The pack was retired, or deleted together with others that may be open here.
      this.#closeAll()
    }
    throw this.#broken()
  }

  /** Whether the pack that was appended to last is kept. @throws errno-style errors */
  isLastKept(): boolean {
    const active = this.#active
    if (active?.isKept(this.#environment.tick.current())) return true
    this.#closeAll()
    return false
  }

  /** Whether other processes have recently been writing at the same time. */
  get isContended(): boolean {
    return this.#active?.isContended ?? false
  }

  /** Retires the pack. Appends that land in it after this are repeated in another pack. */
  retire(pack: number): void {
    if (pack === this.#packs.numbers().at(-1)) this.#environment.files.createFile(this.#packs.file(pack + 1), '')
    // The target exists only if the pack is retired already. Then this file is empty.
    if (!this.#packs.isRetired(pack)) {
      try {
        this.#environment.files.rename(this.#packs.file(pack), this.#packs.retiredFile(pack))
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
      }
    }
    const log = this.#log(pack, this.#packs.retiredFile(pack))
    log.skipToEnd()
    log.append(this.#writer.reset().begin(FRAME.seal).end(), { frame: () => undefined })
    log.close()
    if (this.#active?.pack !== pack) return
    this.#active.log.close()
    this.#active = undefined
  }

  close(): void {
    this.#active?.log.close()
    this.#active = undefined
  }

  #closeAll(): void {
    this.#packs.closeReaders()
    this.close()
  }

  /** The pack that is open for writing, if it still exists in this tick. */
  #current(): ActivePack | undefined {
    const active = this.#active
    if (!active) return undefined
    if (!active.isThere(this.#environment.tick.current())) this.#closeAll()
    else {
      if (active.log.end >= this.#checkedBytes) this.#measureRoom(active.log.end)
      if (active.log.end < this.#maxBytes) return active
      this.#next(active.pack)
    }
    return undefined
  }

  get #maxBytes(): number {
    return Math.min(this.#packs.limitBytes, this.#roomBytes)
  }

  #measureRoom(sizeBytes = 0): void {
    const { freeBytes } = this.#environment.files.fileSystem(this.#packs.path)
    this.#roomBytes = Math.max(MIN_PACK_BYTES, freeBytes * ROOM_SHARE)
    this.#checkedBytes = sizeBytes + MIN_PACK_BYTES
  }

  #openActive(): ActivePack {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const pack = this.#packs.numbers().at(-1)
      if (pack === undefined) {
        this.#environment.prepare()
        this.#environment.files.makeDirectory(this.#packs.path)
        this.#environment.files.createFile(this.#packs.file(0), '')
        continue
      }
      const log = this.#log(pack, this.#packs.file(pack))
      if (!log.skipToEnd()) continue
      const isLast = this.#packs.numbers().at(-1) === pack
      if (log.sizeBytes >= MIN_PACK_BYTES) this.#measureRoom()
      if (isLast && log.sizeBytes < this.#maxBytes) {
        this.#active = new ActivePack(pack, log, this.#environment.tick.current())
        return this.#active
      }
      log.close()
      if (isLast) this.#environment.files.createFile(this.#packs.file(pack + 1), '')
    }
    throw this.#broken()
  }

  #broken(): CacheError {
    return new CacheError('ERR_CACHE_IO', `No pack in ${this.#packs.path} can be written to.`)
  }

  #next(pack: number): void {
    this.#active?.log.close()
    this.#active = undefined
    this.#environment.files.createFile(this.#packs.file(pack + 1), '')
  }

  #log(pack: number, path: string): Log {
    return new Log(this.#environment, path, identityOf(pack), 'append')
  }
}

class ActivePack implements FrameReader {
  /** Reads nothing but seals. */
  readonly checksPayloads = true
  readonly pack: number
  readonly log: Log
  /** The event-loop tick of the last check of the file. */
  #tick: number
  #isSealed = false
  #contendedCount = 0

  constructor(pack: number, log: Log, tick: number) {
    this.pack = pack
    this.log = log
    this.#tick = tick
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

  /** Whether the pack was there, and took blobs, when this tick began. */
  isThere(tick: number): boolean {
    return tick === this.#tick ? !this.#isSealed : this.#look(tick)
  }

  /** Whether it takes blobs now. A deletion in this tick may go unnoticed. */
  isKept(tick: number): boolean {
    return tick === this.#tick && !this.log.hasMore() ? !this.#isSealed : this.#look(tick)
  }

  #look(tick: number): boolean {
    this.#tick = tick
    return this.log.read(this) && !this.#isSealed
  }

  frame(type: number): void {
    if (type === FRAME.seal) this.#isSealed = true
  }
}
