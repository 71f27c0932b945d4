// The file of a log, which any number of processes append to at once, without a lock.
//
// Guarantees: a batch is one write to an O_APPEND descriptor, so batches never overlap and every process sees all frames in the
// same order. A batch that `append` has returned for survives the death of any process (not a power cut: nothing is synced).
//
// Not guaranteed: that the file is still the one that others use. Code that holds one must act on a file that is gone and on
// frames that say so.

import { CacheError, errnoOf } from '../base/errors.js'
import { FORMAT_VERSION } from '../base/layout.js'
import { shortWrite } from '../base/short-write.js'
import type { PooledFile } from '../files/descriptors.js'
import type { OpenMode } from '../files/files.js'
import type { Environment } from './environment.js'
import type { FrameWriter } from './frames.js'
import { withOpening } from './opening.js'

/** How many bytes at its beginning tell one file from another. The first frame has a nonce. */
export const HEAD_BYTES = 64

/** Offsets of the hash seed and the identity in the payload of an open frame. */
export const OPEN_SEED_AT = 2
export const OPEN_IDENTITY_AT = OPEN_SEED_AT + 4 + 8

export function seedOf(environment: Environment, identity: string): number {
  const bytes = Buffer.from(identity)
  return environment.hashing.hash32(bytes, 0, bytes.length, FORMAT_VERSION)
}

/** As bytes. */
export class LogFile {
  readonly path: string
  readonly identity: string
  readonly seed: number
  readonly environment: Environment
  readonly #file: PooledFile
  #head: Buffer | undefined
  #openCount = 0
  /** Whether the file had a second name at the last check, because the root was copied by hard links. */
  isShared = false
  /** The event-loop tick of that check. */
  checkedIn = 0

  /** `identity` is the file's path below the root, with `/`. Frames are valid only in the file with this identity. */
  constructor(environment: Environment, path: string, identity: string, mode: OpenMode) {
    this.path = path
    this.identity = identity
    this.seed = seedOf(environment, identity)
    this.environment = environment
    this.#file = environment.descriptors.file(path, mode)
  }

  /**
   * Returns the file's length; -1 if it was deleted or replaced.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO` for a pipe or a device
   */
  length(): number {
    try {
      const { links, sizeBytes, kind } = this.#file.stat()
      if (kind !== 'file') throw new CacheError('ERR_CACHE_IO', `${this.path} is not a file.`)
      this.isShared = links > 1
      this.checkedIn = this.environment.tick.current()
      return links > 0 && this.#isSame() ? sizeBytes : -1
    } catch (error) {
      return unlessMissing(error, -1)
    }
  }

  /**
   * Whether there is more at the position, or the file was opened again so that `length` must be checked. @throws errno-style
   * errors
   */
  hasMore(position: number): boolean {
    try {
      return this.#file.hasMore(position) || this.#file.openCount !== this.#openCount
    } catch (error) {
      return unlessMissing(error, true)
    }
  }

  /**
   * Reads from the position into `into[at, at + length)`. Returns the number of bytes read, which is smaller only at the end of
   * the file.
   */
  read(into: Buffer, at: number, length: number, position: number): number {
    const count = this.#file.read(into, at, length, position)
    if (position === 0 && !this.#head && count > 0) {
      this.#openCount = this.#file.openCount
      this.#head = Buffer.from(into.subarray(at, at + Math.min(count, HEAD_BYTES)))
    }
    return count
  }

  /** Returns up to `length` bytes at the offset. */
  readAt(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    const count = this.read(bytes, 0, length, offset)
    return count < length ? bytes.subarray(0, count) : bytes
  }

  /**
   * Appends the frames; to an empty file after an open frame. Returns what was written.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO` when the disk took only a part
   */
  append(writer: FrameWriter, isEmpty: boolean): FrameWriter {
    const { environment } = this
    const batch = isEmpty ? withOpening(writer, this.identity, environment) : writer
    batch.check(environment.hashing, this.seed)
    const written = this.#file.append(batch.bytes, batch.length)
    if (written < batch.length) throw shortWrite(this.path, written, batch.length)
    return batch
  }

  close(): void {
    this.#file.close()
  }

  /** Whether a file that was opened again begins with the same bytes. */
  #isSame(): boolean {
    if (this.#file.openCount === this.#openCount) return true
    const head = this.#head
    if (head) {
      const now = Buffer.allocUnsafe(head.length)
      if (this.#file.read(now, 0, now.length, 0) < now.length || !now.equals(head)) return false
    }
    this.#openCount = this.#file.openCount
    return true
  }
}

/** A file that was closed to save descriptors may be gone when it is opened again. */
export function unlessMissing<T>(error: unknown, fallback: T): T {
  if (errnoOf(error) !== 'ENOENT') throw error
  return fallback
}
