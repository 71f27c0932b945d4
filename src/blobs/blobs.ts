// Values as bytes, stored once for all namespaces: digest -> bytes.
//
// Guarantees: bytes that `get` returns have the hash asked for; equal bytes get the same id, whoever puts them; different
// bytes never share one, even when their hashes collide, because a put that finds its hash compares the bytes and tries
// the next variant where they differ.
//
// A gc and a set in another process need no lock between them. The gc renames a pack, then reads all manifests; the set
// writes its entry, then calls `confirm`, which looks for the pack's name. At least one of the two sees the other: either
// the gc finds the entry and keeps the blob, or the set misses the name and stores its bytes again.
//
// Not guaranteed: that bytes put by two processes at the same instant are stored once; the second copy is waste that a gc
// drops.

import { CacheError } from '../base/errors.js'
import { BLOB_ID_BYTES } from '../base/layout.js'
import type { Digest } from '../base/types.js'
import type { Environment } from '../log/environment.js'
import { LogMap } from '../log-map/log-map.js'
import type { Change, Position, RecordView } from '../log-map/record.js'
import { type Blob, type BlobRef, blobLength, type Location, Packs } from '../packs/packs.js'

const MAX_VARIANTS = 256
const VARIANT_AT = 20

export class Blobs {
  readonly packs: Packs
  readonly index: LogMap
  readonly #environment: Environment

  constructor(environment: Environment, paths: { blobIndex: string; packs: string }) {
    this.#environment = environment
    this.packs = new Packs(environment, paths.packs)
    this.index = new LogMap(environment, paths.blobIndex, 'blobs/index', key =>
      key.length === BLOB_ID_BYTES ? positionOf(key) : undefined,
    )
  }

  /** @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  put(bytes: Uint8Array): BlobRef {
    return this.putMany([bytes])[0] as BlobRef
  }

  /** Stores what is not there yet, all in one write, and returns a reference for each of the values. */
  putMany(values: readonly Uint8Array[]): BlobRef[] {
    const added = new Map<string, { blob: Blob; at: number[] }>()
    const refs = values.map((bytes, at) => {
      const id = this.#identify(bytes)
      for (let variant = 0; variant < MAX_VARIANTS; variant++) {
        id[VARIANT_AT] = variant
        const name = id.toString('latin1')
        const twin = added.get(name)
        if (twin) {
          if (!equal(twin.blob.bytes, bytes)) continue
          twin.at.push(at)
          return undefined
        }
        const found = this.#locateEqual(id, bytes)
        if (found === 'other') continue
        if (found) return { id, location: found }
        added.set(name, { blob: { id, bytes }, at: [at] })
        return undefined
      }
      throw new CacheError(
        'ERR_CACHE_IO',
        `${MAX_VARIANTS} different values have the hash ${id.toString('hex', 0, 16)}.`,
      )
    })
    if (added.size > 0) {
      const all = [...added.values()]
      const stored = this.#store(all.map(({ blob }) => blob))
      for (const [index, { at }] of all.entries()) for (const position of at) refs[position] = stored[index]
    }
    return refs as BlobRef[]
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

  /**
   * To be called after an entry that refers to these blobs was written: stores again those whose pack is gone, or
   * about to be removed by a gc, which may have read the manifest before.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  confirm(refs: readonly BlobRef[], values: readonly Uint8Array[]): void {
    const keptBytes = new Map<number, number>()
    const lost = refs.flatMap(({ id, location: { pack, offset } }, at) => {
      if (!keptBytes.has(pack)) keptBytes.set(pack, this.packs.keptBytes(pack))
      return offset < (keptBytes.get(pack) ?? 0) ? [] : { id, bytes: values[at] as Uint8Array }
    })
    if (lost.length === 0) return
    const stored = this.#store(lost)
    // The pack that they are in now may have been retired before the index said so.
    this.confirm(
      stored,
      lost.map(({ bytes }) => bytes),
    )
  }

  /** Where the index says that the blob is. */
  locate(id: Buffer): Location | undefined {
    const found = this.index.get(positionOf(id), id)
    return found?.kind === 'put' ? locationIn(found) : undefined
  }

  close(): void {
    this.packs.close()
    this.index.close()
  }

  #identify(bytes: Uint8Array): Buffer {
    const id = Buffer.allocUnsafe(BLOB_ID_BYTES)
    this.#environment.hashing.digest(bytes, 0, bytes.length, id, 0)
    id.writeUInt32LE(bytes.length, 16)
    return id
  }

  /** The location of these bytes where they are stored already; 'other' where different bytes have the id. */
  #locateEqual(id: Buffer, bytes: Uint8Array): Location | 'other' | undefined {
    const location = this.locate(id)
    const stored = location && this.packs.read(location, id)
    if (!stored) return undefined
    return equal(stored, bytes) ? location : 'other'
  }

  #store(blobs: readonly Blob[]): BlobRef[] {
    const locations = this.packs.append(blobs)
    const refs = blobs.map(({ id }, at) => ({ id, location: locations[at] as Location }))
    this.index.write(refs.map(({ id, location }) => indexRecord(id, location)))
    return refs
  }
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
export function indexRecord(id: Buffer, { pack, offset }: Location): Change & { kind: 'put' } {
  const value = Buffer.allocUnsafe(8)
  value.writeUInt32LE(pack, 0)
  value.writeUInt32LE(offset, 4)
  return { kind: 'put', ...positionOf(id), key: id, value }
}

export function locationIn({ value }: RecordView): Location {
  return { pack: value.readUInt32LE(0), offset: value.readUInt32LE(4) }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
