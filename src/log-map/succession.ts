// How a sealed bucket gets its successors. Every step may be taken by any process, and taken again after a process died.

import { errnoOf, shortWrite } from '../base/errors.js'
import { BUCKET_MAX_DEPTH, FRAME } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { FrameWriter } from '../log/frames.js'
import { seedOf, writeOpenFrame } from '../log/log.js'
import { type Bucket, type Successor, UNIQUE_BYTES } from './bucket.js'
import {
  type BucketDirectory,
  type BucketName,
  digitAt,
  firstPlace,
  hasPrefix,
  identityOf,
  successorsOf,
} from './directory.js'
import type { RecordView } from './record.js'

export class Succession {
  readonly #environment: Environment
  readonly #directory: BucketDirectory
  readonly #identity: string
  readonly #isSynced: boolean

  /** `identity` is the map's; with `isSynced`, a power cut takes nothing that the sealed file had on disk. */
  constructor(environment: Environment, directory: BucketDirectory, identity: string, isSynced: boolean) {
    this.#environment = environment
    this.#directory = directory
    this.#identity = identity
    this.#isSynced = isSynced
  }

  /** Whether this is the bucket in force for the place, as listed now. */
  isInForce({ name }: Bucket, place: number): boolean {
    this.#directory.forget()
    const newest = this.#directory.find(place)
    return newest?.generation === name.generation && newest.prefix === name.prefix
  }

  /**
   * Puts the successors of a sealed bucket in force, without the records that are useless to the caller if nobody else was
   * first.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`; it can be tried again then
   */
  settle(bucket: Bucket, isUseless?: (record: RecordView) => boolean): void {
    if (!bucket.successor) this.#nominate(bucket, isUseless)
    if (bucket.successor) this.#publish(bucket, bucket.successor)
  }

  /**
   * Builds candidates and appends their name; afterwards `bucket.successor` is these, another process's, or, where the
   * sealed file is gone because others went through all of this meanwhile, still unknown.
   */
  #nominate(bucket: Bucket, isUseless?: (record: RecordView) => boolean): void {
    const unique = this.#randomHex(UNIQUE_BYTES)
    const records = bucket.findable().filter(record => !isUseless?.(record))
    const uselessCount = bucket.liveCount - records.length
    const isLarge = uselessCount === 0 && bucket.sealedAt - bucket.deadBytes > bucket.limitBytes / 2
    const isSplit = isLarge && bucket.name.prefix.length < BUCKET_MAX_DEPTH
    const names = successorsOf(bucket.name, isSplit)
    const removeCandidates = () => {
      for (const name of names) this.#environment.files.remove(this.#directory.candidate(name, unique))
    }
    if (isSplit) this.#directory.makeDirectory(bucket.name.prefix)
    const parts = names.map(name => writeOpenFrame(new FrameWriter(), identityOf(this.#identity, name)))
    const depth = bucket.name.prefix.length
    for (const record of records) {
      record.writeTo(parts[isSplit ? digitAt(record.place, depth) : 0] as FrameWriter)
    }
    try {
      for (const [index, name] of names.entries()) this.#writeCandidate(name, unique, parts[index] as FrameWriter)
      if (this.#isSynced)
        for (const name of names) this.#environment.files.sync(this.#directory.candidate(name, unique))
    } catch (error) {
      removeCandidates()
      throw error
    }
    // When this fails the frame may be there all the same, so the candidates stay.
    const frame = new FrameWriter().begin(FRAME.successor).u8(isSplit ? 1 : 0)
    bucket.append(frame.put(Buffer.from(unique, 'hex')).end())
    if (bucket.successor?.unique !== unique) removeCandidates()
  }

  #writeCandidate(name: BucketName, unique: string, writer: FrameWriter): void {
    writer.check(this.#environment.hashing, seedOf(this.#environment, identityOf(this.#identity, name)))
    const file = this.#environment.descriptors.file(this.#directory.candidate(name, unique), 'create')
    try {
      const written = file.append(writer.bytes, writer.length)
      if (written < writer.length) throw shortWrite(file.path, written, writer.length)
    } finally {
      file.close()
    }
  }

  /** Renames the successor's candidates into force; others may be doing the same. Then the sealed file can go. */
  #publish(bucket: Bucket, { isSplit, unique }: Successor): void {
    const { files } = this.#environment
    for (const name of successorsOf(bucket.name, isSplit)) {
      const path = this.#directory.file(name)
      if (files.stat(path)) continue
      try {
        files.rename(this.#directory.candidate(name, unique), path)
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
        // Another process was first and may be generations further; else the candidate was deleted, or left behind when the
        // directory was copied. The sealed file still has its records.
        if (this.isInForce(bucket, firstPlace(name)) && files.stat(bucket.log.path))
          this.#rebuild(bucket, name, isSplit)
      }
    }
    files.remove(bucket.log.path)
  }

  /** Makes a successor anew that is gone; others may be doing the same, and one of them is the first to have its name. */
  #rebuild(bucket: Bucket, name: BucketName, isSplit: boolean): void {
    const { files } = this.#environment
    const unique = this.#randomHex(UNIQUE_BYTES)
    const writer = writeOpenFrame(new FrameWriter(), identityOf(this.#identity, name))
    const isIn = ({ place }: RecordView) => !isSplit || hasPrefix(place, name.prefix)
    for (const record of bucket.findable()) if (isIn(record)) record.writeTo(writer)
    if (name.prefix.length > 1) this.#directory.makeDirectory(name.prefix.slice(0, -1))
    this.#writeCandidate(name, unique, writer)
    const candidate = this.#directory.candidate(name, unique)
    if (this.#isSynced) files.sync(candidate)
    const path = this.#directory.file(name)
    // Where a file cannot have two names.
    if (!files.link(candidate, path) && !files.stat(path)) files.rename(candidate, path)
    files.remove(candidate)
  }

  /** Names must differ between processes, containers and machines on one directory: pids do not, so they are random. */
  #randomHex(bytes: number): string {
    const byte = () => Math.floor(this.#environment.random() * 256)
    return Buffer.from(Array.from({ length: bytes }, byte)).toString('hex')
  }
}
