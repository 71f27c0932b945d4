// Values as bytes, stored once for all namespaces: digest -> bytes.
//
// Guarantees: `get` returns exactly the bytes that were put under the id. Equal bytes have the same id in all processes.
// Different bytes never share an id, even if their hashes collide: a put that finds its hash compares the bytes, and tries
// the next variant if they differ.
//
// A gc and a set in another process need no lock. The gc renames and seals a pack, then reads all manifests. The set writes
// its entry, then calls `confirm`, which checks for a seal after the bytes that it wrote, or for the pack's name if its value
// was stored already. At least one of the two notices the other: either the gc finds the entry and keeps the blob, or the set
// finds that the pack was retired and stores its bytes again.
//
// An entry holds its blob's location, so gets don't need the index. The index serves to find equal bytes, and blobs that were
// moved. `flush` adds new blobs at the end of the tick, unless another process has added them by then.
//
// Not guaranteed: that bytes are stored once if two processes put them in the same tick, or if their writer is killed in it.
// A gc removes the second copy.

import { BLOB_ID_BYTES } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { LogMap } from '../log-map/log-map.js'
import { type Change, hashedPosition, type RecordView } from '../log-map/record.js'
import type { BlobRef, Location } from '../packs/blob.js'
import { Packs } from '../packs/packs.js'
import { indexPosition, locationIn } from './blob-index.js'
import {
  type BlobWriter,
  createBlobWriter,
  type Stored,
  type StoredBlob,
  type Unindexed,
  type WrittenBlobs,
} from './blob-writer.js'
import { indexChange } from './index-change.js'

export class Blobs implements WrittenBlobs {
  readonly packs: Packs
  readonly index: LogMap
  /** Longer values are refused. Called for large values only. */
  maxValueBytes: () => number = () => Number.POSITIVE_INFINITY
  readonly #environment: Environment
  #writer: BlobWriter | undefined

  constructor(environment: Environment, paths: { blobIndex: string; packs: string }) {
    this.#environment = environment
    this.packs = new Packs(environment, paths.packs)
    this.index = new LogMap(environment, paths.blobIndex, 'blobs/index', key =>
      key.length === BLOB_ID_BYTES ? hashedPosition(environment, key) : undefined,
    )
  }

  get #writing(): BlobWriter {
    this.#writer ??= createBlobWriter(this.#environment, this)
    return this.#writer
  }

  /**
   * Stores the values that are not stored yet, all in one write. Write the entries that refer to them next, then call
   * `confirm`.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  put(values: readonly Uint8Array[]): Stored {
    return this.#writing.put(values)
  }

  /** `put` for one value. */
  putOne(bytes: Uint8Array): Stored {
    return this.#writing.putOne(bytes)
  }

  /**
   * Call this after writing the entries that refer to these blobs. Stores those blobs again whose pack a gc is about to
   * remove, or has removed. Returns whether there were any, since the gc may have dropped their entries as well.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  confirm(stored: Stored): boolean {
    return this.#writing.confirm(stored)
  }

  /**
   * Whether a blob at this location, in a pack that is about to be removed, need not be moved, because the index knows
   * another intact copy that stays or is moved itself. The file of a removed pack may still be open in this process.
   */
  isElsewhere(id: Buffer, location: Location, known: Location | undefined): boolean {
    return this.#writing.isElsewhere(id, location, known)
  }

  /**
   * Copies blobs of a pack that is about to be removed to other packs, and updates the index. A blob that was stored
   * again meanwhile keeps that location. Returns how long the disk took to sync the copies, in ms.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`; all blobs can still be found in that case
   */
  move(pack: number, moved: readonly (StoredBlob & Unindexed)[]): number {
    return this.#writing.move(pack, moved)
  }

  /** Removes index records that name these locations. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  unindex(refs: readonly BlobRef[]): void {
    this.#writing.unindex(refs)
  }

  /** Refuses a value that would evict all others. @throws CacheError `ERR_CACHE_VALUE_TOO_LARGE` */
  assertFits(bytes: Uint8Array): void {
    this.#writing.assertFits(bytes)
  }

  /** Whether so many blobs wait to be indexed that it should happen before the end of the tick. */
  get isFlushDue(): boolean {
    return this.#writer?.isFlushDue ?? false
  }

  /** Indexes new blobs. @throws errno-style errors; CacheError `ERR_CACHE_IO`; only index records are lost in that case */
  flush(): void {
    this.#writer?.flush()
  }

  /**
   * Returns the bytes as a view that is valid until the next call; undefined if they are gone or damaged. Corrects a
   * reference whose blob was moved.
   */
  get(ref: BlobRef): Buffer | undefined {
    const bytes = this.packs.read(ref.location, ref.id)
    if (bytes) return bytes
    const moved = this.locate(ref.id)
    const found = moved && this.packs.read(moved, ref.id)
    if (found) ref.location = moved
    return found
  }

  /** The blob's location according to the index. */
  locate(id: Buffer): Location | undefined {
    const record = this.recordOf(id)
    return record && locationIn(record)
  }

  /** The blob's record in the index. */
  recordOf(id: Buffer): RecordView | undefined {
    const record = this.index.get(indexPosition(this.#environment, id), id)
    return record?.isPut ? record : undefined
  }

  /** The hash under which the index keeps the blob. */
  indexHashOf(id: Buffer): number {
    return indexPosition(this.#environment, id).hash
  }

  /** The index record of a blob. */
  indexChange(id: Buffer, location: Location, expected?: number): Change {
    return indexChange(this.#environment, id, location, expected)
  }

  close(): void {
    this.#writer = undefined
    this.packs.close()
    this.index.close()
  }
}
