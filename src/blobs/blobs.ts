// Values as bytes, stored once for all namespaces: digest -> bytes.
//
// Guarantees: bytes that `get` returns have the hash asked for; equal bytes get the same id, whoever puts them; different
// bytes never share one, even when their hashes collide, because a put that finds its hash compares the bytes and tries
// the next variant where they differ.
//
// A gc and a set in another process need no lock between them. The gc renames and seals a pack, then reads all manifests;
// the set writes its entry, then calls `confirm`, which looks for a seal behind what it wrote, and for the pack's name where
// it found its value stored already. At least one of the two sees the other: either the gc finds the entry and keeps the
// blob, or the set misses the name and stores its bytes again.
//
// An entry says where its blob is, so gets do without the index. It is there to find equal bytes, and blobs that were moved;
// what is new is added to it at the end of the event-loop turn, by `flush`, unless somebody else has by then.
//
// Not guaranteed: that bytes put by two processes in the same turn are stored once, nor bytes whose writer was killed in it;
// the second copy is waste that a gc drops.

import type { Digest } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { BLOB_ID_BYTES } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { LogMap } from '../log-map/log-map.js'
import { type Change, changeOf, NO_RECORD, type Position, type RecordView } from '../log-map/record.js'
import { type Blob, type BlobRef, blobLength, type Location, Packs } from '../packs/packs.js'

/** A blob that is there, and where its entries have it. */
export interface StoredBlob extends Blob {
  ref: BlobRef
}

export interface Unindexed {
  ref: BlobRef
  /** The check of the index's record of it, or `NO_RECORD`. */
  expected: number
}

/** One that was not there. */
interface NewBlob extends StoredBlob, Unindexed {
  /** Its id as a string. */
  name: string
}

/** Values that were put. */
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

export class Blobs {
  readonly packs: Packs
  readonly index: LogMap
  /** Asked for large values alone: one that is longer is refused. */
  maxValueBytes: () => number = () => Number.POSITIVE_INFINITY
  readonly #environment: Environment
  /** By name, what was stored in this turn. */
  readonly #unindexed = new Map<string, Unindexed>()

  constructor(environment: Environment, paths: { blobIndex: string; packs: string }) {
    this.#environment = environment
    this.packs = new Packs(environment, paths.packs)
    this.index = new LogMap(environment, paths.blobIndex, 'blobs/index', key =>
      key.length === BLOB_ID_BYTES ? positionOf(key) : undefined,
    )
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
    blob.ref.location = this.packs.appendOne(blob)
    return { refs: [blob.ref], written: [blob], reused: NONE }
  }

  /**
   * To be called after the entries that refer to these blobs were written: stores again what is in a pack that a gc is about
   * to remove, or has removed.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  confirm({ written, reused }: Stored): void {
    const lost: StoredBlob[] = reused.length > 0 ? this.#droppedOf(reused) : []
    if (written.length > 0) {
      if (!this.packs.isLastKept()) lost.push(...written)
      // Others who are at work now may be about to store the same.
      else if (written.length >= FLUSH_COUNT || this.packs.isContended) this.#index(written)
      else for (const { name, ref, expected } of written) this.#unindexed.set(name, { ref, expected })
    }
    if (lost.length > 0) this.#storeAgain(lost)
  }

  /**
   * Whether the blob, found at this place of a pack that is about to be removed, need not be moved: the index knows of another
   * copy that is whole, and that stays or is moved itself. Of a pack that was removed, this process may still have the file.
   */
  isElsewhere(id: Buffer, { pack, offset }: Location, known: Location | undefined): boolean {
    if (!known || isSame(known, { pack, offset })) return false
    return (known.pack === pack || this.packs.isKept(known)) && this.packs.read(known, id) !== undefined
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
    const start = performance.now()
    this.#sync(moved)
    const syncMs = performance.now() - start
    let rest = moved
    while (rest.length > 0) {
      const isMade = this.#write(rest)
      rest = rest.flatMap((blob, at) => {
        if (isMade[at]) return []
        // Its writer has told the index of it, or told it otherwise.
        const record = this.#recordOf(blob.id)
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
        const record = this.#recordOf(ref.id)
        return record && isSame(locationIn(record), ref.location) ? { ref, expected: record.check } : []
      })
      const isMade = this.index.write(found.map(removalOf))
      // A record has another check once its bucket was rewritten.
      rest = found.flatMap(({ ref }, at) => (isMade[at] ? [] : ref))
    }
  }

  /** Whether so much is to be indexed that it should not wait for the end of the turn. */
  get isFlushDue(): boolean {
    return this.#unindexed.size >= FLUSH_COUNT
  }

  /** Tells the index what is new. @throws errno-style errors; CacheError `ERR_CACHE_IO`; nothing is lost but that */
  flush(): void {
    if (this.#unindexed.size === 0) return
    const blobs = [...this.#unindexed.values()]
    this.#unindexed.clear()
    this.#index(blobs)
  }

  /**
   * The bytes, a view until the next call; undefined when they are gone or damaged. A reference to where they no longer are
   * is put right.
   */
  get(ref: BlobRef): Buffer | undefined {
    const bytes = this.packs.read(ref.location, ref.id)
    if (bytes) return bytes
    const moved = this.locate(ref.id)
    const found = moved && this.packs.read(moved, ref.id)
    if (found) ref.location = moved
    return found
  }

  /** Where the index says that the blob is. */
  locate(id: Buffer): Location | undefined {
    const record = this.#recordOf(id)
    return record && locationIn(record)
  }

  close(): void {
    this.#unindexed.clear()
    this.packs.close()
    this.index.close()
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
      const record = pending ? undefined : this.#recordOf(id)
      const location = pending?.ref.location ?? (record && locationIn(record))
      const stored = location && this.packs.read(location, id)
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
    const maxBytes = this.maxValueBytes()
    if (length <= maxBytes) return
    const message = `A value of ${length} bytes is not kept where the whole cache has room for ${2 * maxBytes}.`
    throw new CacheError('ERR_CACHE_VALUE_TOO_LARGE', message)
  }

  /** Those in packs that are gone, or about to be removed. */
  #droppedOf<T extends { ref: BlobRef }>(blobs: readonly T[]): T[] {
    const keptBytes = new Map<number, number>()
    return blobs.filter(({ ref: { location } }) => {
      if (!keptBytes.has(location.pack)) keptBytes.set(location.pack, this.packs.keptBytes(location.pack))
      return location.offset >= (keptBytes.get(location.pack) ?? 0)
    })
  }

  /** Appends the blobs, and has their references say where. */
  #append(blobs: readonly StoredBlob[]): void {
    const locations = this.packs.append(blobs)
    for (let at = 0; at < blobs.length; at++) (blobs[at] as StoredBlob).ref.location = locations[at] as Location
  }

  /**
   * To be called before the index leads to what was copied: were it on disk first, a power cut would take the copy, and with it
   * what the index said before.
   */
  #sync(copied: readonly StoredBlob[]): void {
    for (const pack of new Set(copied.map(({ ref }) => ref.location.pack))) this.packs.sync(pack)
  }

  #storeAgain(blobs: readonly StoredBlob[]): void {
    for (let lost = [...blobs]; lost.length > 0; lost = this.#droppedOf(lost)) {
      this.#append(lost)
      this.#sync(lost)
      this.index.write(lost.map(({ ref }) => indexRecord(ref.id, ref.location)))
      // The pack that they are in now may have been retired before the index said so.
    }
  }

  /** Others may have stored the same bytes, or a gc moved these, since they were looked for: then theirs is the one to keep. */
  #index(blobs: readonly Unindexed[]): void {
    this.#write(blobs)
    // What a gc has gone through before it could see these records must not be left in the index.
    this.unindex(this.#droppedOf(blobs).map(({ ref }) => ref))
  }

  #write(blobs: readonly Unindexed[]): boolean[] {
    return this.index.write(blobs.map(({ ref, expected }) => indexRecord(ref.id, ref.location, expected)))
  }

  #recordOf(id: Buffer): RecordView | undefined {
    const record = this.index.get(positionOf(id), id)
    return record?.isPut ? record : undefined
  }
}

const NO_BYTES = Buffer.alloc(0)
const NOWHERE: Location = { pack: 0, offset: 0 }
const NONE: readonly NewBlob[] = []

function isNew(blob: StoredBlob | NewBlob): blob is NewBlob {
  return 'expected' in blob
}

/** A blob id as callers see it. */
export function digestOf(id: Uint8Array): Digest {
  const hash = Buffer.from(id.subarray(0, 16)).toString('hex')
  const variant = id[VARIANT_AT] as number
  return `${hash}-${blobLength(id)}${variant > 0 ? `+${variant}` : ''}` as Digest
}

export function positionOf(id: Buffer): Position {
  return { place: id.readUInt32BE(0), slot: id.readUInt32BE(4) }
}

/** The index record: pack u32, offset u32. */
export function indexRecord(id: Buffer, { pack, offset }: Location, expected?: number): Change {
  const value = Buffer.allocUnsafe(8)
  value.writeUInt32LE(pack, 0)
  value.writeUInt32LE(offset, 4)
  return changeOf('put', positionOf(id), id, value, expected)
}

function removalOf({ ref: { id }, expected }: Unindexed): Change {
  return changeOf('remove', positionOf(id), id, NO_BYTES, expected)
}

export function locationIn({ value }: RecordView): Location {
  return { pack: value.readUInt32LE(0), offset: value.readUInt32LE(4) }
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
