// A log is an append-only file of frames that any number of processes write to at once, without a lock.
//
// Guarantees: a batch is one write to an O_APPEND descriptor, so batches never overlap and every process sees all frames
// in the same order. After a write the file's size tells whether others wrote since this process last looked; it then
// reads what they wrote, and finds its own frames among theirs, before append returns. A batch that append has returned for
// survives the death of any process (not a power cut: nothing is synced). A frame cut short by a kill is skipped once
// something valid follows it.
//
// Not guaranteed: that the file is still the one that others use. Code that holds a log must act on a file that is gone and
// on frames that say so.

import { MAX_FRAME_BYTES } from '../base/layout.js'
import type { OpenMode } from '../files/files.js'
import { locateBatch } from './batch.js'
import type { Environment } from './environment.js'
import type { FrameWriter } from './frames.js'
import { HEAD_BYTES, LogFile, unlessMissing } from './log-file.js'
import { type FrameReader, scanFrames } from './scan.js'

/** Bytes that are read at a time. A longer frame is read whole. */
const CHUNK_BYTES = 1024 * 1024

/** A log that is read once, from beginning to end. */
export class Log {
  readonly file: LogFile
  /** Every frame before this offset was visited. */
  end = 0
  /** The file's size at the last check. Larger than `end` if the last frame is incomplete. */
  sizeBytes = 0
  readonly #environment: Environment

  constructor(environment: Environment, path: string, identity: string, mode: OpenMode) {
    this.#environment = environment
    this.file = new LogFile(environment, path, identity, mode)
  }

  /**
   * Visits the frames added since the last call. Returns false if the file was deleted or replaced.
   *
   * @throws errno-style errors of the file system
   */
  read(reader: FrameReader): boolean {
    const length = this.file.length()
    if (length < this.sizeBytes) return false
    if (length > this.end) this.#readTo(length, reader)
    return true
  }

  /** Visits the frames in about this many bytes from an offset on. Returns where to continue; undefined at the end. */
  readSome(from: number, chunkBytes: number, reader: FrameReader): number | undefined {
    const length = this.file.length()
    this.end = from
    if (length > from) this.#readTo(length, reader, chunkBytes, true)
    return from < this.end && this.end < length ? this.end : undefined
  }

  /**
   * Appends the writer's frames, and visits all new frames of the file, including these. Returns the offset of the first
   * appended frame, or -1 if the file was deleted meanwhile. With `isQuick`, a deletion goes unnoticed and the appended frames
   * aren't visited.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO` when the disk took only a part
   */
  append(writer: FrameWriter, reader: FrameReader, isQuick = false): number {
    try {
      const { file } = this
      if (this.sizeBytes === 0 && !this.read(reader)) return -1
      const start = this.end
      const batch = file.append(writer, this.sizeBytes === 0)
      const openBytes = batch.length - writer.length
      const end = this.sizeBytes + batch.length
      if (isQuick && start === this.sizeBytes && !file.hasMore(end)) {
        this.end = end
        this.sizeBytes = end
        return start + openBytes
      }
      const length = file.length()
      if (length < end) return -1
      this.#readTo(length, reader)
      return (length === end ? end - batch.length : locateBatch(file, batch, start, length)) + openBytes
    } catch (error) {
      return unlessMissing(error, -1)
    }
  }

  /** Whether others have written since this process last looked. */
  hasMore(): boolean {
    return this.file.hasMore(this.sizeBytes)
  }

  /** Skips everything in the file. Returns false if it is gone. */
  skipToEnd(): boolean {
    const length = this.file.length()
    if (length < 0) return false
    this.file.readAt(0, Math.min(length, HEAD_BYTES))
    this.sizeBytes = length
    this.end = length
    return true
  }

  close(): void {
    this.file.close()
  }

  #readTo(sizeBytes: number, reader: FrameReader, chunkBytes = CHUNK_BYTES, isOnce = false): void {
    const { hashing } = this.#environment
    let length = chunkBytes
    while (this.end < sizeBytes) {
      const base = this.end
      const bytes = this.file.readAt(base, Math.min(length, sizeBytes - base))
      const taken = scanFrames(hashing, bytes, this.file.seed, reader, { base })
      this.end += taken
      if (base + bytes.length >= sizeBytes || (isOnce && taken > 0)) break
      // A frame may be longer than the chunk, so read more, up to the longest possible frame.
      if (taken <= 0 && length >= MAX_FRAME_BYTES) break
      length = taken > 0 ? chunkBytes : Math.min(length * 2, MAX_FRAME_BYTES)
    }
    this.sizeBytes = sizeBytes
  }
}
