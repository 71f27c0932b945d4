// A log is an append-only file of frames that any number of processes write to at once, without a lock.
//
// Guarantees: a batch is one write to an O_APPEND descriptor, so batches never overlap and every process sees all frames
// in the same order. After a write the file's size tells whether others wrote since this process last looked; it then
// reads what they wrote, and its own frames after theirs, before append returns. A batch that append has returned for
// survives the death of any process (not a power cut: nothing is synced). A frame cut short by a kill is skipped once
// something valid follows it.
//
// Not guaranteed: that the file is still the one that others use. Whoever holds a log must act on `gone` and on frames
// that say so.

import { CacheError, errnoOf } from '../base/errors.js'
import { FORMAT_VERSION, FRAME, FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from '../base/layout.js'
import type { PooledFile } from '../files/descriptors.js'
import type { FileStat, OpenMode } from '../files/files.js'
import type { Environment } from './environment.js'
import { type Damage, type FrameVisitor, FrameWriter, scanFrames } from './frames.js'

/** Called for each frame with the offset of the frame in the file. */
export type LogVisitor = (type: number, bytes: Buffer, start: number, end: number, offset: number) => void

/** Called for what is no whole frame; `offset` is that of `bytes[start]` in the file. */
export type LogDamageVisitor = (bytes: Buffer, start: number, end: number, damage: Damage, offset: number) => void

const ignoreDamage: LogDamageVisitor = () => undefined

/** Bytes read at a time; a longer frame is read whole. */
const CHUNK_BYTES = 1024 * 1024

/**
 * Says which version and which place a file belongs to; several may stand in a file that two processes created at once.
 */
export function writeOpenFrame(writer: FrameWriter, identity: string): FrameWriter {
  return writer.begin(FRAME.open).u16(FORMAT_VERSION).put(Buffer.from(identity)).end()
}

export function seedOf(environment: Environment, identity: string): number {
  const bytes = Buffer.from(identity)
  return environment.hashing.hash32(bytes, 0, bytes.length, FORMAT_VERSION)
}

export class Log {
  readonly path: string
  readonly identity: string
  readonly seed: number
  /** Every frame before this offset was visited. */
  end = 0
  /** The file's size when it was last looked at; past `end` when its last frame is incomplete. */
  sizeBytes = 0
  tornBytes = 0
  #inode: number | undefined
  readonly #environment: Environment
  readonly #file: PooledFile

  /** `identity` names the file's place below the root, with `/`, and makes its frames valid only there. */
  constructor(environment: Environment, path: string, identity: string, mode: OpenMode) {
    this.path = path
    this.identity = identity
    this.seed = seedOf(environment, identity)
    this.#environment = environment
    this.#file = environment.descriptors.file(path, mode)
  }

  /**
   * Visits the frames, and the damage, that were added since the last call; false when the file was deleted or is not the one that was
   * read before.
   *
   * @throws errno-style errors of the file system
   */
  read(visit: LogVisitor, visitDamage = ignoreDamage): boolean {
    return unlessMissing(false, () => this.#read(visit, visitDamage))
  }

  #read(visit: LogVisitor, visitDamage: LogDamageVisitor): boolean {
    const stat = this.#file.stat()
    const { sizeBytes } = stat
    if (!this.#isSame(stat) || sizeBytes < this.sizeBytes) return false
    if (sizeBytes > this.end) this.#readTo(sizeBytes, visit, visitDamage)
    return true
  }

  /** Visits the frames, and the damage, in about so many bytes from an offset on; returns where to go on, undefined at the end. */
  readSome(from: number, chunkBytes: number, visit: LogVisitor, visitDamage = ignoreDamage): number | undefined {
    return unlessMissing(undefined, () => {
      const { sizeBytes } = this.#file.stat()
      this.end = from
      if (sizeBytes > from) this.#readTo(sizeBytes, visit, visitDamage, chunkBytes, true)
      return from < this.end && this.end < sizeBytes ? this.end : undefined
    })
  }

  /**
   * Appends the writer's frames and visits all frames up to the end of the file, these included. Returns the offset of
   * the first of them, or -1 when the file was deleted meanwhile.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO` when the disk took only a part
   */
  append(writer: FrameWriter, visit: LogVisitor, visitDamage = ignoreDamage): number {
    return unlessMissing(-1, () => this.#append(writer, visit, visitDamage))
  }

  #append(writer: FrameWriter, visit: LogVisitor, visitDamage: LogDamageVisitor): number {
    if (this.sizeBytes === 0 && !this.#read(visit, visitDamage)) return -1
    const batch = this.sizeBytes === 0 ? this.#withOpenFrame(writer) : writer
    batch.check(this.#environment.hashing, this.seed)
    const written = this.#file.append(batch.bytes, batch.length)
    if (written < batch.length) {
      throw new CacheError('ERR_CACHE_IO', `Only ${written} of ${batch.length} bytes could be written to ${this.path}.`)
    }
    const stat = this.#file.stat()
    const { sizeBytes } = stat
    if (!this.#isSame(stat) || sizeBytes < this.end + batch.length) return -1
    const openBytes = batch.length - writer.length
    if (this.end === this.sizeBytes && sizeBytes === this.end + batch.length) {
      const offset = this.end
      this.end = sizeBytes
      this.sizeBytes = sizeBytes
      visitFrames(batch, (type, bytes, start, end) =>
        visit(type, bytes, start, end, offset + start - FRAME_HEADER_BYTES),
      )
      return offset + openBytes
    }
    return this.#readOwn(batch, openBytes, sizeBytes, visit, visitDamage)
  }

  /** Takes all that is in the file as read. */
  skipToEnd(): void {
    const stat = this.#file.stat()
    this.#isSame(stat)
    this.sizeBytes = stat.sizeBytes
    this.end = stat.sizeBytes
  }

  /** The bytes at the offset, as many as there are up to the length. */
  readAt(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    const count = this.#file.read(bytes, 0, length, offset)
    return count < length ? bytes.subarray(0, count) : bytes
  }

  close(): void {
    this.#file.close()
  }

  /** Whether this is still the file that was first looked at; its path may have been given to another one. */
  #isSame({ links, inode }: FileStat): boolean {
    this.#inode ??= inode
    return links > 0 && inode === this.#inode
  }

  /** Others wrote too: finds where this process's frames ended up among theirs. */
  #readOwn(
    batch: FrameWriter,
    openBytes: number,
    sizeBytes: number,
    visit: LogVisitor,
    visitDamage: LogDamageVisitor,
  ): number {
    const own = batch.bytes.subarray(openBytes, openBytes + FRAME_HEADER_BYTES)
    let landed = -1
    const visitOwn: LogVisitor = (type, bytes, start, end, offset) => {
      // The last of several equal frames: earlier ones may have been there long before this append.
      if (bytes.compare(own, 0, FRAME_HEADER_BYTES, start - FRAME_HEADER_BYTES, start) === 0) landed = offset
      visit(type, bytes, start, end, offset)
    }
    this.#readTo(sizeBytes, visitOwn, visitDamage)
    if (landed < 0) throw new CacheError('ERR_CACHE_IO', `What was appended to ${this.path} is not there.`)
    return landed
  }

  #readTo(
    sizeBytes: number,
    visit: LogVisitor,
    visitDamage: LogDamageVisitor,
    chunkBytes = CHUNK_BYTES,
    isOnce = false,
  ): void {
    const { hashing } = this.#environment
    let length = chunkBytes
    while (this.end < sizeBytes) {
      const base = this.end
      const isLast = base + length >= sizeBytes
      const bytes = this.readAt(base, Math.min(length, sizeBytes - base))
      let damageStart = -1
      const scan = scanFrames(
        hashing,
        bytes,
        0,
        bytes.length,
        this.seed,
        (type, buffer, start, end) => visit(type, buffer, start, end, base + start - FRAME_HEADER_BYTES),
        (buffer, start, end, damage) => {
          // What looks damaged at the end of a chunk may be whole in a longer one.
          if (end === buffer.length && !isLast && damage === 'lost') damageStart = start
          else visitDamage(buffer, start, end, damage, base + start)
        },
      )
      const taken = damageStart < 0 ? scan.end : damageStart
      this.end += taken
      this.tornBytes += scan.tornBytes - (damageStart < 0 ? 0 : scan.end - damageStart)
      if (isLast || (isOnce && taken > 0)) break
      // A frame may be longer than the chunk: look at more at once, but not for what no frame can be.
      if (taken === 0 && length >= MAX_FRAME_BYTES) break
      length = taken > 0 ? chunkBytes : Math.min(length * 2, MAX_FRAME_BYTES)
    }
    this.sizeBytes = sizeBytes
  }

  #withOpenFrame(writer: FrameWriter): FrameWriter {
    return writeOpenFrame(new FrameWriter(), this.identity).put(writer.bytes.subarray(0, writer.length))
  }
}

function visitFrames(writer: FrameWriter, visit: FrameVisitor): void {
  for (let at = 0; at < writer.length; ) {
    const end = at + FRAME_HEADER_BYTES + writer.bytes.readUInt32LE(at + 8)
    visit(writer.bytes[at + 6] as number, writer.bytes, at + FRAME_HEADER_BYTES, end)
    at = end
  }
}

/** A file that was closed to spare descriptors may be gone when it is opened again. */
function unlessMissing<T>(fallback: T, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    return fallback
  }
}
