// A persistent hash map of small records, shared by any number of processes without a lock.
//
// Guarantees: opening reads nothing, and a lookup reads one bucket, so both cost the same for any number of records. All
// processes agree on the order of the changes to a key. A change that `write` has returned for is seen by every lookup that
// begins afterwards, in any process, and survives any process's death.
//
// Growth: a bucket past its limit gets successors: itself compacted, or four parts. The process that finds it full appends a
// seal. Frames after the seal are void, so the records are final, and any process can make the same successors from them. Each
// process builds its own candidates and appends their name to the sealed file. The first name there decides. Any process then
// renames those candidates into force and removes the sealed file. A process that is killed in between leaves nothing to wait
// for: the next one that writes takes the same step again. A lookup reads the sealed file until a successor is named.

import { BUCKET_BYTES } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import type { Bucket } from './bucket.js'
import { Buckets } from './buckets.js'
import { isEmpty, type Part, partAt, parts, records, recordsAtHash } from './listing.js'
import { compactAt, removeIfEmpty, removeLeftovers, renewAt, syncAt } from './maintenance.js'
import { type Change, type Position, type RecordView, writeChange } from './record.js'
import type { IsUseless, Merge } from './succession.js'
import { clearAll, writeChanges } from './writing.js'

/** A bucket and how far it was read. */
export interface BucketState {
  readonly bucket: Bucket
  readonly end: number
}

export class LogMap {
  /** Its directory. */
  readonly path: string
  readonly identity: string
  readonly positionOf: (key: Buffer) => Position | undefined
  readonly #buckets: Buckets

  /**
   * `identity` is the map's path below the root, with `/`. `positionOf` returns a key's position, or undefined for an invalid
   * key. With `isHint`, nothing is synced: losing the map costs only time. With `merge`, a full bucket is never split: its
   * records become what `merge` returns.
   */
  constructor(
    environment: Environment,
    path: string,
    identity: string,
    positionOf: (key: Buffer) => Position | undefined,
    bucketBytes = BUCKET_BYTES,
    isHint = false,
    merge?: Merge,
  ) {
    this.path = path
    this.identity = identity
    this.positionOf = positionOf
    this.#buckets = new Buckets(environment, path, identity, positionOf, { bucketBytes, isHint, merge })
  }

  /**
   * Returns the key's record, which may be a removal; undefined if there is none.
   *
   * @throws errno-style errors
   */
  get(position: Position, key: Buffer): RecordView | undefined {
    const { hashSeed } = this.#buckets.environment
    for (;;) {
      const { changeCount } = hashSeed
      const { hash, tag } = this.#buckets.position(position, key)
      const bucket = this.#buckets.current(hash)
      if (hashSeed.changeCount !== changeCount) continue
      const found = bucket?.find(hash, tag, key)
      // It may have read the file again.
      if (bucket) this.#buckets.account(bucket)
      return found
    }
  }

  /** The state of the key's bucket as of the latest lookup in it, for `isUnchanged`. */
  stateAt(position: Position, key: Buffer): BucketState | undefined {
    const bucket = this.#buckets.known(this.#buckets.position(position, key).hash)
    return bucket && { bucket, end: bucket.end }
  }

  /** How long the file of the bucket at this hash is; 0 where there is none. @throws errno-style errors */
  endAt(hash: number): number {
    return this.#buckets.current(hash)?.end ?? 0
  }

  /** Whether nothing was written to the key's bucket since it was in this state. @throws errno-style errors */
  isUnchanged(position: Position, key: Buffer, { bucket, end }: BucketState): boolean {
    return this.#buckets.current(this.#buckets.position(position, key).hash) === bucket && bucket.end === end
  }

  /** Returns the key's record from memory, without checking whether another process has changed it since. */
  getLoaded({ hash, tag }: Position, key: Uint8Array): RecordView | undefined {
    const bucket = this.#buckets.known(hash)
    return bucket && bucket.residentBytes > 0 ? bucket.find(hash, tag, key) : undefined
  }

  /** Returns the puts with this hash and any tag, latest first. Read them before any other call on the map. */
  getAll(position: Position, key: Buffer): RecordView[] {
    return recordsAtHash(this.#buckets, position, key)
  }

  /**
   * Makes an unconditional change if a single append is enough. Returns false if it was not made.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  append(change: Change): boolean {
    const bucket = this.#buckets.current(change.hash)
    if (!bucket || bucket.end === 0 || bucket.sealedAt >= 0 || bucket.end >= bucket.limitBytes) return false
    if (bucket.file.isShared) return false
    const { writer } = this.#buckets
    writeChange(writer.reset(), change)
    const offset = bucket.append(writer)
    if (offset < 0) this.#buckets.drop(bucket)
    else this.#buckets.account(bucket)
    return offset >= 0 && !bucket.isVoid(offset)
  }

  /**
   * Makes the changes, those of one bucket in one write as long as they don't fill it. A conditional change is made only if the
   * key's record is the expected one. Returns for each change whether it was made.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`; some of the changes may have been made
   */
  write(changes: readonly Change[]): readonly boolean[] {
    return writeChanges(this.#buckets, changes, true)
  }

  /** Like `write`, without returning which changes were made. */
  offer(changes: readonly Change[]): void {
    writeChanges(this.#buckets, changes, false)
  }

  /** Makes the change only if the key's record is the expected one; returns whether it did. */
  swap(change: Change): boolean {
    return this.write([change])[0] as boolean
  }

  /** Removes every record; returns how many keys had one. */
  clear(): number {
    return clearAll(this.#buckets)
  }

  /**
   * Rewrites the bucket of this hash if a fifth of it is dead. With `isUseless`, rewrites it even if it is not, without the
   * records that are useless to the caller.
   */
  compactAt(hash: number, isUseless?: IsUseless): void {
    compactAt(this.#buckets, hash, isUseless)
  }

  /** Syncs the file of this hash's bucket. Returns the first hash after the bucket. */
  syncAt(hash: number): number {
    return syncAt(this.#buckets, hash)
  }

  /**
   * Removes the files of buckets without records. Returns whether nothing of the map is left. A process that writes at the same
   * time finds the file sealed or gone, and creates another one. The directories of a split map stay: they determine the prefix
   * of a new bucket.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  removeIfEmpty(): boolean {
    return removeIfEmpty(this.#buckets)
  }

  /** Removes candidates and other leftovers of processes that died. Returns how many candidates there were. */
  removeLeftovers(): number {
    return removeLeftovers(this.#buckets)
  }

  /**
   * Rewrites the bucket in force for a hash, with its intact records only.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  renew(hash: number): void {
    renewAt(this.#buckets, hash)
  }

  /** Whether there are no records. @throws errno-style errors */
  get isEmpty(): boolean {
    return isEmpty(this.#buckets)
  }

  /** Yields every key's latest put, bucket by bucket. Records that are set or removed meanwhile may or may not be included. */
  records(): IterableIterator<RecordView> {
    return records(this.#buckets)
  }

  /** Yields the records in parts. A part's stamp tells, without reading it, whether it has changed. */
  parts(): IterableIterator<Part> {
    return parts(this.#buckets)
  }

  /** Returns the part with this hash, if there is one, and the first hash after it. */
  partAt(hash: number): { part: Part | undefined; next: number } {
    return partAt(this.#buckets, hash)
  }

  close(): void {
    this.#buckets.close()
  }
}
