// The random seed under which a cache hashes its keys, so that no one can construct keys, for example in a repository, that all
// fall into one bucket.
//
// The seed is in a file of its own. Each process that finds no seed appends one, and the first one in the file counts. So two
// processes that create a cache at the same time agree, and a killed process leaves nothing to wait for. Every log repeats the
// seed in its first frame. A process that finds another seed there, because the cache was deleted and created again, reads the
// file again.

import type { Descriptors, PooledFile } from '../files/descriptors.js'
import type { Files } from '../files/files.js'
import { xxh32 } from '../hashing/xxh32.js'
import { u32 } from './frames.js'
import { writeSeed } from './seed-record.js'

/** A seed u32 and its checksum u32. */
const RECORD_BYTES = 8
/** Bytes to read: rarely more than two processes append a seed. */
const MAX_READ_BYTES = 64

export class HashSeed {
  readonly #files: Pick<Files, 'stat'>
  readonly #descriptors: Descriptors
  readonly #path: string
  /** The seed of this process, until there is one in the file. */
  #seed: number
  #isEstablished = false
  /** Whether the seed was used. */
  #isKnown = false
  #isMissing = false
  /** How often the seed has changed in this process. Hashes that were computed before a change are wrong. */
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

  /** The seed in force; if there is none yet, the one that `establish` will propose. */
  current(): number {
    if (!this.#isEstablished) this.#refresh()
    this.#isKnown = true
    return this.#seed
  }

  /** Call this when a log has another seed. */
  reconcile(seed: number): void {
    this.#refresh()
    // The file is lost or can't be read, but the logs still have the seed.
    if (!this.#isEstablished) this.#change(seed)
  }

  /** To be called before the first record is written, once the directory is there. @throws errno-style errors */
  establish(): void {
    this.#refresh()
    if (this.#isEstablished) return
    writeSeed(this.#descriptors.file(this.#path, 'create'), this.#seed, file => this.#take(file))
  }

  /** Reads the file again. Never throws, because keys are hashed before a call can handle errors. */
  #refresh(): void {
    this.#isEstablished = false
    const file = this.#descriptors.file(this.#path, 'read')
    try {
      // A file that was missing is often still missing, and a failing open takes ten times as long as a stat.
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

  /** Reads the first intact seed, usually the first one in the file. */
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
