// The random number of a cache under which its keys are hashed, so that keys can't be made, in a repository say, that all fall
// into one bucket.
//
// It stands in a file of its own, to which each process that finds none appends one: the first counts. So two processes that
// make a cache at the same time agree, and one that is killed leaves nothing to wait for. Every log of the cache repeats it in
// its first frame, which tells a process whose cache was deleted and made anew to look again.

import type { Descriptors, PooledFile } from '../files/descriptors.js'
import type { Files } from '../files/files.js'
import { xxh32 } from '../hashing/xxh32.js'
import { u32 } from './frames.js'

/** A seed u32 and its checksum u32. */
const RECORD_BYTES = 8
/** More than two processes rarely append one. */
const MAX_READ_BYTES = 64

export class HashSeed {
  readonly #files: Pick<Files, 'stat'>
  readonly #descriptors: Descriptors
  readonly #path: string
  /** Until there is one in the file, this process's own. */
  #seed: number
  #isEstablished = false
  /** Whether the seed was used. */
  #isKnown = false
  #isMissing = false
  /** How often another seed has come into force in this process: positions that were worked out before are wrong then. */
  changeCount = 0

  constructor(files: Pick<Files, 'stat'>, descriptors: Descriptors, path: string, random: () => number) {
    this.#files = files
    this.#descriptors = descriptors
    this.#path = path
    this.#seed = Math.floor(random() * 2 ** 32)
  }

  /** Whether the file has a seed. */
  get isEstablished(): boolean {
    if (!this.#isEstablished) this.#refresh()
    return this.#isEstablished
  }

  /** The seed in force; where none can be had, the one that `establish` will propose. */
  current(): number {
    if (!this.#isEstablished) this.#refresh()
    this.#isKnown = true
    return this.#seed
  }

  /** Call this with the seed of a log that has another one. */
  reconcile(seed: number): void {
    this.#refresh()
    // The file is lost or can't be read: the logs still have it.
    if (!this.#isEstablished) this.#change(seed)
  }

  /** To be called before the first record is written, once the directory is there. @throws errno-style errors */
  establish(): void {
    this.#refresh()
    if (this.#isEstablished) return
    const record = Buffer.allocUnsafe(RECORD_BYTES)
    record.writeUInt32LE(this.#seed, 0)
    record.writeUInt32LE(xxh32(record, 0, 4, 0), 4)
    const file = this.#descriptors.file(this.#path, 'create')
    try {
      file.append(record, RECORD_BYTES)
      this.#take(file)
    } finally {
      file.close()
    }
  }

  /** Looks at the file again. Never throws: keys are hashed before a call is ready for errors. */
  #refresh(): void {
    this.#isEstablished = false
    const file = this.#descriptors.file(this.#path, 'read')
    try {
      // Once it was missing it often still is, and opening it would throw, which takes ten times as long.
      if (this.#isMissing && !this.#files.stat(this.#path)) return
      this.#isMissing = true
      this.#take(file)
      this.#isMissing = false
    } catch {
      // The caller goes on to files beside this one, and reports what is wrong with the disk.
    } finally {
      file.close()
    }
  }

  /** Reads the first seed that is intact, mostly the first one. */
  #take(file: PooledFile, readBytes = RECORD_BYTES): void {
    const bytes = Buffer.allocUnsafe(readBytes)
    const length = file.read(bytes, 0, readBytes, 0)
    let at = 0
    while (at + RECORD_BYTES <= length && u32(bytes, at + 4) !== xxh32(bytes, at, at + 4, 0)) at++
    this.#isEstablished = at + RECORD_BYTES <= length
    if (this.#isEstablished) this.#change(u32(bytes, at))
    else if (length === RECORD_BYTES) this.#take(file, MAX_READ_BYTES)
  }

  #change(seed: number): void {
    if (this.#isKnown && seed !== this.#seed) this.changeCount++
    this.#seed = seed
    this.#isKnown = true
  }
}
