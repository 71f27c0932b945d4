// A log is an append-only file of frames that any number of processes write to at once, without a lock.
//
// Guarantees: a batch is one write to an O_APPEND descriptor, so batches never overlap and every process sees all frames
// in the same order. After a write the file's size tells whether others wrote since this process last looked; it then
// reads what they wrote, and its own frames after theirs, before append returns. A batch that append has returned for
// survives the death of any process (not a power cut: nothing is synced). A frame cut short by a kill is skipped once
// something valid follows it.
//
// Not guaranteed: that the file is still the one that others use. Whoever holds a log must act on a file that is gone and
// on frames that say so.

import { CacheError, errnoOf, shortWrite } from '../base/errors.js'
import { FORMAT_VERSION, FRAME, FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from '../base/layout.js'
import type { PooledFile } from '../files/descriptors.js'
import type { FileStat, OpenMode } from '../files/files.js'
import type { Environment } from './environment.js'
import { type FrameReader, FrameWriter, MAX_SHARED_BYTES, scanFrames } from './frames.js'

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
  /** Whether, when last looked at, the file had another name as well: a copy of the root by hard links has it too. */
  isShared = false
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
   * Shows what was added since the last call; false when the file was deleted or is not the one that was read before.
   *
   * @throws errno-style errors of the file system
   */
  read(reader: FrameReader): boolean {
    try {
      const stat = this.#file.stat()
      const { sizeBytes } = stat
      if (!this.#isSame(stat) || sizeBytes < this.sizeBytes) return false
      if (sizeBytes > this.end) this.#readTo(sizeBytes, reader)
      return true
    } catch (error) {
      return unlessMissing(error, false)
    }
  }

  /** Shows what is in about so many bytes from an offset on; returns where to go on, undefined at the end. */
  readSome(from: number, chunkBytes: number, reader: FrameReader): number | undefined {
    try {
      const { sizeBytes } = this.#file.stat()
      this.end = from
      if (sizeBytes > from) this.#readTo(sizeBytes, reader, chunkBytes, true)
      return from < this.end && this.end < sizeBytes ? this.end : undefined
    } catch (error) {
      return unlessMissing(error, undefined)
    }
  }

  /**
   * Appends the writer's frames and shows all frames up to the end of the file, these included. Returns the offset of the
   * first of them, or -1 when the file was deleted meanwhile; with `isQuick`, that goes unnoticed.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO` when the disk took only a part
   */
  append(writer: FrameWriter, reader: FrameReader, isQuick = false): number {
    try {
      if (this.sizeBytes === 0 && !this.read(reader)) return -1
      const batch = this.sizeBytes === 0 ? this.#withOpenFrame(writer) : writer
      const openBytes = batch.length - writer.length
      batch.check(this.#environment.hashing, this.seed)
      const written = this.#file.append(batch.bytes, batch.length)
      if (written < batch.length) {
        throw shortWrite(this.path, written, batch.length)
      }
      const offset = this.end
      const end = offset + batch.length
      const isKnown = offset === this.sizeBytes
      let sizeBytes = end
      if (!isQuick || !isKnown || this.#file.hasMore(end)) {
        const stat = this.#file.stat()
        if (!this.#isSame(stat) || stat.sizeBytes < end) return -1
        sizeBytes = stat.sizeBytes
      }
      if (!isKnown || sizeBytes > end) return this.#readOwn(batch, openBytes, sizeBytes, reader)
      this.end = end
      this.sizeBytes = end
      batch.show(reader, offset)
      return offset + openBytes
    } catch (error) {
      return unlessMissing(error, -1)
    }
  }

  /** Whether others have written since this process last looked. */
  hasMore(): boolean {
    try {
      return this.#file.hasMore(this.sizeBytes)
    } catch (error) {
      // A reader finds that the file is gone.
      return unlessMissing(error, true)
    }
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
    this.isShared = links > 1
    return links > 0 && inode === this.#inode
  }

  /** Others wrote too: finds where this process's frames ended up among theirs. */
  #readOwn(batch: FrameWriter, openBytes: number, sizeBytes: number, reader: FrameReader): number {
    const own = batch.bytes.subarray(openBytes, batch.length)
    const candidates: number[] = []
    this.#readTo(sizeBytes, {
      keep: (bytes, offset) => reader.keep?.(bytes, offset),
      frame(type, bytes, start, end, offset) {
        if (bytes.compare(own, 0, FRAME_HEADER_BYTES, start - FRAME_HEADER_BYTES, start) === 0) candidates.push(offset)
        reader.frame(type, bytes, start, end, offset)
      },
      damage: (bytes, start, end, damage, offset) => reader.damage?.(bytes, start, end, damage, offset),
    })
    // A frame like the first of these may have been there before, may have been written by others, and may be among these again.
    const isOwn = (offset: number) => candidates.length === 1 || this.readAt(offset, own.length).equals(own)
    const landed = candidates.findLast(isOwn)
    if (landed === undefined) throw new CacheError('ERR_CACHE_IO', `What was appended to ${this.path} is not there.`)
    return landed
  }

  #readTo(sizeBytes: number, reader: FrameReader, chunkBytes = CHUNK_BYTES, isOnce = false): void {
    const { hashing } = this.#environment
    let length = chunkBytes
    while (this.end < sizeBytes) {
      const base = this.end
      const isLast = base + length >= sizeBytes
      const from = Math.min(base, MAX_SHARED_BYTES)
      const bytes = this.readAt(base - from, from + Math.min(length, sizeBytes - base))
      const { end, tornBytes } = scanFrames(hashing, bytes, this.seed, reader, { base: base - from, from, isLast })
      const taken = end - from
      this.end += taken
      this.tornBytes += tornBytes
      if (isLast || (isOnce && taken > 0)) break
      // A frame may be longer than the chunk: look at more at once, but not for what no frame can be.
      if (taken <= 0 && length >= MAX_FRAME_BYTES) break
      length = taken > 0 ? chunkBytes : Math.min(length * 2, MAX_FRAME_BYTES)
    }
    this.sizeBytes = sizeBytes
  }

  #withOpenFrame(writer: FrameWriter): FrameWriter {
    return writeOpenFrame(new FrameWriter(), this.identity).put(writer.bytes.subarray(0, writer.length))
  }
}

/** A file that was closed to spare descriptors may be gone when it is opened again. */
function unlessMissing<T>(error: unknown, fallback: T): T {
  if (errnoOf(error) !== 'ENOENT') throw error
  return fallback
}
