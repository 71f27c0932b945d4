// Stores blobs. Bytes that are stored already are reused; other bytes are appended to a pack and added to the blob index.

import { CacheError } from '../base/errors.js'
import { BLOB_ID_BYTES } from '../base/layout.js'
import { monotonicMs } from '../base/monotonic.js'
import type { Environment } from '../log/environment.js'
import type { LogMap } from '../log-map/log-map.js'
import { type Change, changeOf, NO_RECORD, type RecordView } from '../log-map/record.js'
import type { Blob, BlobRef, Location } from '../packs/blob.js'
import type { Packs } from '../packs/packs.js'
import { indexPosition, locationIn } from './blob-index.js'
import { indexChange } from './index-change.js'

/** A stored blob, and the reference that its entries hold. */
export interface StoredBlob extends Blob {
  ref: BlobRef
}

export interface Unindexed {
  ref: BlobRef
  /** The checksum of the blob's record in the index, or `NO_RECORD`. */
  expected: number
}

/** A blob to be written. */
interface NewBlob extends StoredBlob, Unindexed {
  /** The blob's id as a string. */
  name: string
}

/** The result of a put. */
export interface Stored {
  /** The references, one for each value, in order. */
  readonly refs: readonly BlobRef[]
  readonly written: readonly NewBlob[]
  readonly reused: readonly StoredBlob[]
}

/** New blobs are indexed in batches of at most this many. */
const FLUSH_COUNT = 256
const MAX_VARIANTS = 256
const VARIANT_AT = 20
/** Values below this size are stored without asking for the limit. */
const LARGE_VALUE_BYTES = 64 * 1024

/** The store that is written to. */
export interface WrittenBlobs {
  readonly packs: Packs
  readonly index: LogMap
  maxValueBytes(): number
  /** The blob's record in the index. */
  recordOf(id: Buffer): RecordView | undefined
}

export function createBlobWriter(environment: Environment, blobs: WrittenBlobs): BlobWriter {
  return new BlobWriter(environment, blobs)
}

export class BlobWriter {
  readonly #environment: Environment
  readonly #blobs: WrittenBlobs
  /** Blobs that were stored in this tick, by name. */
  readonly #unindexed = new Map<string, Unindexed>()

  constructor(environment: Environment, blobs: WrittenBlobs) {
    this.#environment = environment
    this.#blobs = blobs
  }

  /**
   * Stores the blobs that are not stored yet, all in one write. Write the entries that refer to them next, then call `confirm`.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  put(values: readonly Uint8Array[]): Stored {
    const refs: BlobRef[] = []
    const written: NewBlob[] = []
    const reused: StoredBlob[] = []
    const added = new Map<string, NewBlob>()
    for (const bytes of values) {
      const blob = this.#find(bytes, added)
      refs.push(blob.ref)
      if (!isNew(blob)) {
        reused.push(blob)
      } else if (!added.has(blob.name)) {
        added.set(blob.name, blob)
        written.push(blob)
      }
    }
    if (written.length > 0) this.#append(written)
    return { refs, written, reused }
  }

  /** `put` for one value. */
  putOne(bytes: Uint8Array): Stored {
    const blob = this.#find(bytes)
    if (!isNew(blob)) return { refs: [blob.ref], written: NONE, reused: [blob] }
    blob.ref.location = this.#blobs.packs.appendOne(blob)
    return { refs: [blob.ref], written: [blob], reused: NONE }
  }

  /**
   * Call this after writing the entries that refer to these blobs. Stores those blobs again whose pack a gc is about to remove,
   * or has removed. Returns whether there were any, since the gc may have dropped their entries as well.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  confirm({ written, reused }: Stored): boolean {
    const lost: StoredBlob[] = reused.length > 0 ? this.#droppedOf(reused) : []
    if (written.length > 0) {
      if (!this.#blobs.packs.isLastKept()) lost.push(...written)
      // Another process may be about to store the same bytes.
      else if (written.length >= FLUSH_COUNT || this.#blobs.packs.isContended) this.#index(written)
      else for (const { name, ref, expected } of written) this.#unindexed.set(name, { ref, expected })
    }
    if (lost.length > 0) this.#storeAgain(lost)
    return lost.length > 0
  }

  /**
   * Whether a blob at this location, in a pack that is about to be removed, need not be moved, because the index knows another
   * intact copy that stays or is moved itself. The file of a removed pack may still be open in this process.
   */
  isElsewhere(id: Buffer, { pack, offset }: Location, known: Location | undefined): boolean {
    if (!known || isSame(known, { pack, offset })) return false
    return (known.pack === pack || this.#blobs.packs.isKept(known)) && this.#blobs.packs.read(known, id) !== undefined
  }

  /**
   * Copies blobs from a pack that is about to be removed to other packs, and updates the index. A blob that was stored again
   * meanwhile keeps its new location. Returns how long the disk took to sync the copies, in ms.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`; all blobs can still be found in that case
   */
  move(pack: number, moved: readonly (StoredBlob & Unindexed)[]): number {
    if (moved.length === 0) return 0
    this.#append(moved)
    const start = monotonicMs()
    this.#sync(moved)
    const syncMs = monotonicMs() - start
    let rest = moved
    while (rest.length > 0) {
      const isMade = this.#blobs.index.write(this.#changesOf(rest))
      rest = rest.flatMap((blob, at) => {
        if (isMade[at]) return []
        // The index record was changed, by the blob's writer or by another process.
        const record = this.#blobs.recordOf(blob.id)
        return record && locationIn(record).pack !== pack ? [] : { ...blob, expected: record?.check ?? NO_RECORD }
      })
    }
    // A second gc may have rewritten the target pack before the index named it.
    const lost = this.#droppedOf(moved)
    if (lost.length > 0) this.#storeAgain(lost)
    return syncMs
  }

  /** Removes index records whose blobs are no longer there. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  unindex(refs: readonly BlobRef[]): void {
    for (let rest = refs; rest.length > 0; ) {
      const found = rest.flatMap(ref => {
        const record = this.#blobs.recordOf(ref.id)
        return record && isSame(locationIn(record), ref.location) ? { ref, expected: record.check } : []
      })
      const isMade = this.#blobs.index.write(
        found.map(({ ref: { id }, expected }) =>
          changeOf('remove', indexPosition(this.#environment, id), id, NO_BYTES, expected),
        ),
      )
      // The checksum of a conditional record changes when its bucket is rewritten.
      rest = found.flatMap(({ ref }, at) => (isMade[at] ? [] : ref))
    }
  }

  /** Whether so many blobs wait to be indexed that it should happen before the end of the tick. */
  get isFlushDue(): boolean {
    return this.#unindexed.size >= FLUSH_COUNT
  }

  /** Indexes new blobs. @throws errno-style errors; CacheError `ERR_CACHE_IO`; only index records are lost in that case */
  flush(): void {
    if (this.#unindexed.size === 0) return
    const blobs = [...this.#unindexed.values()]
    this.#unindexed.clear()
    this.#index(blobs)
  }

  #identify(bytes: Uint8Array): Buffer {
    const id = Buffer.allocUnsafe(BLOB_ID_BYTES)
    this.#environment.hashing.digest(bytes, 0, bytes.length, id, 0)
    const { length } = bytes
    for (let byte = 0; byte < 4; byte++) id[16 + byte] = length >>> (8 * byte)
    return id
  }

  /** Returns the blob with these bytes, from the store or from this batch; otherwise a new one. */
  #find(bytes: Uint8Array, added?: ReadonlyMap<string, NewBlob>): StoredBlob | NewBlob {
    this.assertFits(bytes)
    const id = this.#identify(bytes)
    for (let variant = 0; variant < MAX_VARIANTS; variant++) {
      id[VARIANT_AT] = variant
      const name = nameOf(id)
      const twin = added?.get(name)
      if (twin) {
        if (equal(twin.bytes, bytes)) return twin
        continue
      }
      const pending = this.#unindexed.get(name)
      const record = pending ? undefined : this.#blobs.recordOf(id)
      const location = pending?.ref.location ?? (record && locationIn(record))
      const stored = location && this.#blobs.packs.read(location, id)
      if (!stored) {
        const expected = pending?.expected ?? record?.check ?? NO_RECORD
        return { id, name, bytes, ref: { id, location: NOWHERE }, expected }
      }
      if (equal(stored, bytes)) return { id, bytes, ref: { id, location } }
    }
    const hash = id.toString('hex', 0, VARIANT_AT)
    throw new CacheError('ERR_CACHE_IO', `${MAX_VARIANTS} different values have the hash ${hash}.`)
  }

  /** Refuses a value that would evict all others. @throws CacheError `ERR_CACHE_VALUE_TOO_LARGE` */
  assertFits({ length }: Uint8Array): void {
    if (length < LARGE_VALUE_BYTES) return
    const maxBytes = this.#blobs.maxValueBytes()
    if (length <= maxBytes) return
    const message = `A value of ${length} bytes exceeds half of the cache's limit of ${2 * maxBytes} bytes.`
    throw new CacheError('ERR_CACHE_VALUE_TOO_LARGE', message)
  }

  /** The blobs whose packs are gone, or about to be removed. */
  #droppedOf<T extends { ref: BlobRef }>(blobs: readonly T[]): T[] {
    const keptBytes = new Map<number, number>()
    return blobs.filter(({ ref: { location } }) => {
      if (!keptBytes.has(location.pack)) keptBytes.set(location.pack, this.#blobs.packs.keptBytes(location.pack))
      return location.offset >= (keptBytes.get(location.pack) ?? 0)
    })
  }

  /** Appends the blobs, and sets the locations in their references. */
  #append(blobs: readonly StoredBlob[]): void {
    const locations = this.#blobs.packs.append(blobs)
    for (let at = 0; at < blobs.length; at++) (blobs[at] as StoredBlob).ref.location = locations[at] as Location
  }

  /**
   * Syncs the copies. Call this before the index refers to them: if the index reached the disk first, a power cut could lose
   * the copy when the index no longer names the original.
   */
  #sync(copied: readonly StoredBlob[]): void {
    for (const pack of new Set(copied.map(({ ref }) => ref.location.pack))) this.#blobs.packs.sync(pack)
  }

  #storeAgain(blobs: readonly StoredBlob[]): void {
    for (let lost = [...blobs]; lost.length > 0; lost = this.#droppedOf(lost)) {
      this.#append(lost)
      this.#sync(lost)
      this.#blobs.index.write(lost.map(({ ref }) => indexChange(this.#environment, ref.id, ref.location)))
      // The target pack may have been retired before the index named it.
    }
  }

  /** If another process stored the same bytes meanwhile, or a gc moved them, the index keeps that record. */
  #index(blobs: readonly Unindexed[]): void {
    this.#blobs.index.offer(this.#changesOf(blobs))
    // A gc may have walked the index before these records were in it. Remove the ones whose blobs it dropped.
    this.unindex(this.#droppedOf(blobs).map(({ ref }) => ref))
  }

  #changesOf(blobs: readonly Unindexed[]): Change[] {
    return blobs.map(({ ref, expected }) => indexChange(this.#environment, ref.id, ref.location, expected))
  }
}

const NO_BYTES = Buffer.alloc(0)
const NOWHERE: Location = { pack: 0, offset: 0 }
const NONE: readonly NewBlob[] = []

function isNew(blob: StoredBlob | NewBlob): blob is NewBlob {
  return 'expected' in blob
}

function isSame(a: Location, b: Location): boolean {
  return a.pack === b.pack && a.offset === b.offset
}

function nameOf(id: Buffer): string {
  return id.toString('latin1')
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
