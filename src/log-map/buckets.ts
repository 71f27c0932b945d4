// The buckets of a log map that this process knows, and which of them is in force at a hash.

import { CacheError, isIoError } from '../base/errors.js'
import type { OpenMode } from '../files/files.js'
import type { Environment } from '../log/environment.js'
import { FrameWriter } from '../log/frames.js'
import { LogFile } from '../log/log-file.js'
import { Bucket } from './bucket.js'
import { afterMissing } from './bucket-listing.js'
import { BucketDirectory, type BucketName, identityOf } from './directory.js'
import type { Position } from './record.js'
import { type BucketedMap, type MapOptions, type Rewriting, settle } from './succession.js'
import { BucketTree } from './tree.js'

/** Losing more often against other processes is not a race: the directory is broken. */
export const MAX_ATTEMPTS = 100

/** The limit of a bucket doubles with each split, up to this factor. */
const MAX_FACTOR = 4

export class Buckets implements BucketedMap {
  readonly environment: Environment
  readonly directory: BucketDirectory
  readonly identity: string
  readonly positionOf: (key: Buffer) => Position | undefined
  readonly options: MapOptions
  #writer: FrameWriter | undefined
  readonly #tree = new BucketTree()

  constructor(
    environment: Environment,
    path: string,
    identity: string,
    positionOf: (key: Buffer) => Position | undefined,
    options: MapOptions,
  ) {
    this.environment = environment
    this.directory = new BucketDirectory(environment.files, path)
    this.identity = identity
    this.positionOf = positionOf
    this.options = options
  }

  /** The writer for the next append. */
  get writer(): FrameWriter {
    this.#writer ??= new FrameWriter()
    return this.#writer
  }

  /** A position may have been computed before the hash seed was known. */
  position(position: Position, key: Buffer): Position {
    if (this.environment.hashSeed.changeCount === 0) return position
    return this.positionOf(key) ?? position
  }

  /** The bucket that was in force at the last check, if it is in memory. */
  known(hash: number): Bucket | undefined {
    return this.#tree.at(hash)
  }

  /**
   * The bucket in force for reading. A sealed one is read until another process has built its successors: that takes longer than
   * a lookup may.
   *
   * @throws errno-style errors
   */
  current(hash: number): Bucket | undefined {
    const tick = this.environment.tick.current()
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const bucket = this.#tree.at(hash) ?? this.find(hash)
      if (!bucket) return undefined
      if (bucket.file.checkedIn === tick && bucket.sealedAt < 0 && !bucket.hasMore) return bucket
      if (!this.refresh(bucket)) continue
      if (bucket.sealedAt < 0 || !bucket.successor || !this.tryFollow(bucket, hash)) return bucket
    }
    throw this.broken()
  }

  /** Brings the bucket up to date. If its file is gone, drops it and returns false. */
  refresh(bucket: Bucket): boolean {
    const isFirst = bucket.end === 0
    if (!bucket.refresh()) {
      this.drop(bucket)
      return false
    }
    this.account(bucket)
    if (isFirst) this.#reconcile(bucket)
    return true
  }

  /** To be called once a bucket was read or written to: more of it may be in memory. */
  account(bucket: Bucket): void {
    this.#tree.account(bucket)
  }

  /** A cache that was deleted and created again has another hash seed. */
  #reconcile({ hashSeed }: Bucket): void {
    const known = this.environment.hashSeed
    if (hashSeed !== undefined && hashSeed !== known.current()) known.reconcile(hashSeed)
  }

  /** Like `follow`. Returns false and keeps the sealed bucket if the successors can't be made now. */
  tryFollow(bucket: Bucket, hash: number, how?: Rewriting): boolean {
    try {
      return this.follow(bucket, hash, how)
    } catch (error) {
      if (!isIoError(error)) throw error
      return false
    }
  }

  /**
   * Puts the successors of a sealed bucket in force. If nothing may be written, the sealed bucket stays in force for hashes
   * without a successor: returns false for such a hash.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  follow(bucket: Bucket, hash: number, how?: Rewriting): boolean {
    if (this.environment.readOnly) {
      if (this.directory.isInForce(bucket.name, hash)) return false
    } else {
      settle(this, bucket, how)
    }
    this.drop(bucket)
    return true
  }

  /** The first hash after the missing bucket of this hash; past the last hash in an empty map. */
  afterMissing(hash: number): number {
    return afterMissing(this.directory, hash)
  }

  find(hash: number): Bucket | undefined {
    const name = this.directory.find(hash)
    return name && this.add(name, this.environment.readOnly ? 'read' : 'append')
  }

  add(name: BucketName, mode: OpenMode): Bucket {
    const bucket = this.open(name, mode)
    this.#tree.place(name.prefix, bucket)
    return bucket
  }

  open(name: BucketName, mode: OpenMode): Bucket {
    const file = new LogFile(this.environment, this.directory.file(name), identityOf(this.identity, name), mode)
    // Otherwise a large map would have more files than a process keeps open.
    const limitBytes = this.options.bucketBytes * Math.min(2 ** name.prefix.length, MAX_FACTOR)
    return new Bucket(file, name, limitBytes, this.positionOf)
  }

  drop(bucket: Bucket): void {
    this.#tree.remove(bucket)
    this.directory.forget()
  }

  close(): void {
    this.#tree.close()
    this.directory.forget()
  }

  broken(): CacheError {
    return new CacheError('ERR_CACHE_IO', `The files in ${this.directory.path} keep changing or cannot be replaced.`)
  }
}
