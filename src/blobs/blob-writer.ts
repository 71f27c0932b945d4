// How values get into the store: bytes that are there already are found, others are appended to a pack, and the index is told of
// them.

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

/** A blob that is there, and where its entries have it. */
export interface StoredBlob extends Blob {
  ref: BlobRef
}

export interface Unindexed {
  ref: BlobRef
  /** The check of the index's record of it, or `NO_RECORD`. */
  expected: number
}

/** A blob to be written. */
interface NewBlob extends StoredBlob, Unindexed {
  /** Its id as a string. */
  name: string
}

/** The result of a put. */
export interface Stored {
  /** One for each value, in order. */
  readonly refs: readonly BlobRef[]
  readonly written: readonly NewBlob[]
  readonly reused: readonly StoredBlob[]
}

/** What is new is indexed in batches of this many at most. */
const FLUSH_COUNT = 256
const MAX_VARIANTS = 256
const VARIANT_AT = 20
/** Shorter values fit into any cache that is of use. */
const LARGE_VALUE_BYTES = 64 * 1024

/** The store that is written to. */
export interface WrittenBlobs {
  readonly packs: Packs
  readonly index: LogMap
  maxValueBytes(): number
  /** The index's record of the blob. */
  recordOf(id: Buffer): RecordView | undefined
}

export function createBlobWriter(environment: Environment, blobs: WrittenBlobs): BlobWriter {
  return new BlobWriter(environment, blobs)
}

export class BlobWriter {
  readonly #environment: Environment
  readonly #blobs: WrittenBlobs
  /** By name, what was stored in this tick. */
  readonly #unindexed = new Map<string, Unindexed>()

  constructor(environment: Environment, blobs: WrittenBlobs) {
    this.#environment = environment
    this.#blobs = blobs
  }

  /**
   * Stores what is not there yet, all in one write. An entry may then be written that refers to it, and `confirm` is to be
   * called after that.
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

  /** The same for one value. */
  putOne(bytes: Uint8Array): Stored {
    const blob = this.#find(bytes)
    if (!isNew(blob)) return { refs: [blob.ref], written: NONE, reused: [blob] }
    blob.ref.location = this.#blobs.packs.appendOne(blob)
    return { refs: [blob.ref], written: [blob], reused: NONE }
  }

  /**
   * To be called after the entries that refer to these blobs were written: stores again what is in a pack that a gc is about
   * to remove, or has removed. Returns whether there was any: the gc may have dropped their entries as well.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  confirm({ written, reused }: Stored): boolean {
    const lost: StoredBlob[] = reused.length > 0 ? this.#droppedOf(reused) : []
    if (written.length > 0) {
      if (!this.#blobs.packs.isLastKept()) lost.push(...written)
      // Others who are at work now may be about to store the same.
      else if (written.length >= FLUSH_COUNT || this.#blobs.packs.isContended) this.#index(written)
      else for (const { name, ref, expected } of written) this.#unindexed.set(name, { ref, expected })
    }
    if (lost.length > 0) this.#storeAgain(lost)
    return lost.length > 0
  }

  /**
   * Whether the blob, found at this place of a pack that is about to be removed, need not be moved: the index knows of another
   * copy that is whole, and that stays or is moved itself. Of a pack that was removed, this process may still have the file.
   */
  isElsewhere(id: Buffer, { pack, offset }: Location, known: Location | undefined): boolean {
    if (!known || isSame(known, { pack, offset })) return false
    return (known.pack === pack || this.#blobs.packs.isKept(known)) && this.#blobs.packs.read(known, id) !== undefined
  }

  /**
   * Copies blobs of a pack that is about to be removed to other packs, and has the index say so. One that somebody has
   * stored again meanwhile stays where that is. Returns how long the disk took to sync the copies, in ms.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`; they are all found as before then
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
        // Its index record was changed: by its writer, or by others.
        const record = this.#blobs.recordOf(blob.id)
        return record && locationIn(record).pack !== pack ? [] : { ...blob, expected: record?.check ?? NO_RECORD }
      })
    }
    // A second gc may have gone through the pack that they went to before the index said that they are there.
    const lost = this.#droppedOf(moved)
    if (lost.length > 0) this.#storeAgain(lost)
    return syncMs
  }

  /** Has the index say nothing of blobs that are no longer where it says. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
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
      // A conditional record has another check once its bucket was rewritten.
      rest = found.flatMap(({ ref }, at) => (isMade[at] ? [] : ref))
    }
  }

  /** Whether so much is to be indexed that it should not wait for the end of the tick. */
  get isFlushDue(): boolean {
    return this.#unindexed.size >= FLUSH_COUNT
  }

  /** Indexes new blobs. @throws errno-style errors; CacheError `ERR_CACHE_IO`; only index records are lost then */
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

  /** The blob with these bytes where there is one, in the store or among those added now; else a new one. */
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

  /** One value must not take the place of all others. @throws CacheError `ERR_CACHE_VALUE_TOO_LARGE` */
  assertFits({ length }: Uint8Array): void {
    if (length < LARGE_VALUE_BYTES) return
    const maxBytes = this.#blobs.maxValueBytes()
    if (length <= maxBytes) return
    const message = `A value of ${length} bytes exceeds half of the cache's limit of ${2 * maxBytes} bytes.`
    throw new CacheError('ERR_CACHE_VALUE_TOO_LARGE', message)
  }

  /** Those in packs that are gone, or about to be removed. */
  #droppedOf<T extends { ref: BlobRef }>(blobs: readonly T[]): T[] {
    const keptBytes = new Map<number, number>()
    return blobs.filter(({ ref: { location } }) => {
      if (!keptBytes.has(location.pack)) keptBytes.set(location.pack, this.#blobs.packs.keptBytes(location.pack))
      return location.offset >= (keptBytes.get(location.pack) ?? 0)
    })
  }

  /** Appends the blobs, and has their references say where. */
  #append(blobs: readonly StoredBlob[]): void {
    const locations = this.#blobs.packs.append(blobs)
    for (let at = 0; at < blobs.length; at++) (blobs[at] as StoredBlob).ref.location = locations[at] as Location
  }

  /**
   * To be called before the index leads to what was copied: were it on disk first, a power cut would take the copy, and with it
   * what the index said before.
   */
  #sync(copied: readonly StoredBlob[]): void {
    for (const pack of new Set(copied.map(({ ref }) => ref.location.pack))) this.#blobs.packs.sync(pack)
  }

  #storeAgain(blobs: readonly StoredBlob[]): void {
    for (let lost = [...blobs]; lost.length > 0; lost = this.#droppedOf(lost)) {
      this.#append(lost)
      this.#sync(lost)
      this.#blobs.index.write(lost.map(({ ref }) => indexChange(this.#environment, ref.id, ref.location)))
      // The pack that they are in now may have been retired before the index said so.
    }
  }

  /** If others stored the same bytes meanwhile, or a gc moved these, the index keeps their record. */
  #index(blobs: readonly Unindexed[]): void {
    this.#blobs.index.offer(this.#changesOf(blobs))
    // A gc may have passed the index before these were in it: unindex what it dropped.
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
