// Packs are the files that hold blob bytes: logs of blob frames, numbered, to which all processes append.
//
// Guarantees: a location that `append` returned holds its blob until the pack is removed; no two packs with blobs have had the
// same number; bytes that `read` returns are those that were appended under the id. Writers append to the highest pack and
// begin the next when it is full. A writer that is suspended just before it creates the next pack may create it again after
// other processes have filled, retired and removed it. That file isn't the highest, so it stays empty and is ignored.
//
// A pack is retired, so that its blobs can be moved and the file removed, in three steps: the next pack is created, the pack is
// renamed, which tells processes that refer to its blobs, and a seal is appended for its writers. A writer sees the seal if it
// lies between the expected and the actual offset of its frame. A writer that has just opened the pack checks for a next pack
// after measuring the size: if there is none, a seal can only follow later.

import { errnoOf } from '../base/errors.js'
import { BLOB_BYTES_START, BLOB_ID_BYTES, FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES, PACK_BYTES } from '../base/layout.js'
import type { PooledFile } from '../files/descriptors.js'
import type { Environment } from '../log/environment.js'
import { frameEnd, isPayloadIntact, viewOf } from '../log/frames.js'
import { seedOf } from '../log/log-file.js'
import { type Blob, blobLength, type Location } from './blob.js'
import { BLOCK_BYTES, BlockCache, type Viewed } from './block-cache.js'
import { identityOf, PackFiles } from './pack-files.js'
import { type BlobVisit, garbageIn, placesIn, scanBlobs } from './pack-scan.js'
import { createPackWriter, type PackWriter, type WrittenPacks } from './pack-writer.js'

interface Reader {
  file: PooledFile
  seed: number
}

/** Before this much memory is allocated, the length of the file is checked. */
const LARGE_BYTES = 1024 * 1024
/** Bytes that are read at a time. */
const SCAN_BYTES = 1024 * 1024

export class Packs extends PackFiles implements WrittenPacks {
  /** A pack that has reached this size gets a successor. Processes may differ in it. */
  limitBytes: number
  readonly #readers = new Map<number, Reader>()
  readonly #blocks = new BlockCache()
  #writer: PackWriter | undefined

  constructor(environment: Environment, path: string, limitBytes = PACK_BYTES) {
    super(environment, path)
    this.limitBytes = limitBytes
  }

  get #writing(): PackWriter {
    this.#writer ??= createPackWriter(this.environment, this)
    return this.#writer
  }

  /**
   * Appends the blobs in one write and returns their locations.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  append(blobs: readonly Blob[]): Location[] {
    return this.#writing.append(blobs)
  }

  /** The same for one. */
  appendOne(blob: Blob): Location {
    return this.#writing.appendOne(blob)
  }

  /** Whether the pack that was appended to last is kept. @throws errno-style errors */
  isLastKept(): boolean {
    return this.#writing.isLastKept()
  }

  /** Whether other processes have recently been writing at the same time. */
  get isContended(): boolean {
    return this.#writer?.isContended ?? false
  }

  /** Retires the pack. Appends that land in it after this are repeated in another pack. */
  retire(pack: number): void {
    this.#writing.retire(pack)
  }

  /**
   * Returns the blob's bytes as a view that is valid until the next call; undefined if they are missing or don't match the id.
   */
  read(location: Location, id: Uint8Array): Buffer | undefined {
    const bytes = this.#read(location, id)
    if (bytes) return bytes
    // A gc may have renamed the file, or the cache was deleted and created again: read the file that exists now.
    this.#forget(location.pack)
    return this.#read(location, id)
  }

  /**
   * Visits every intact blob of a pack, also after a seal: a copy of the root by hard links may still use a pack that is
   * retired in the original.
   */
  scan(pack: number, visit: BlobVisit): void {
    for (let from: number | undefined = 0; from !== undefined; ) from = this.scanSome(pack, from, SCAN_BYTES, visit)
  }

  /** Visits the blobs in about this many bytes from an offset on. Returns where to continue; undefined at the end. */
  scanSome(pack: number, from: number, chunkBytes: number, visit: BlobVisit): number | undefined {
    return scanBlobs(this.environment, this, pack, from, chunkBytes, visit)
  }

  /** Syncs what is in the pack. */
  sync(pack: number): void {
    this.environment.files.sync(this.currentFile(pack))
  }

  /** Syncs which packs there are. */
  syncNames(): void {
    this.environment.files.sync(this.path)
  }

  remove(pack: number): void {
    this.#forget(pack)
    for (const path of [this.file(pack), this.retiredFile(pack)]) this.environment.files.remove(path)
  }

  /** How many bytes of the pack's file are not frames of blobs with these total bytes; 0 for a pack without garbage. */
  garbageBytes(pack: number, blobCount: number, blobBytes: number): number {
    return garbageIn(this.environment, this, pack, blobCount, blobBytes)
  }

  /**
   * Returns a function that tells from the current sizes whether a location can hold a blob; true for all packs created later.
   */
  places(): (location: Location) => boolean {
    return placesIn(this)
  }

  close(): void {
    this.closeReaders()
    this.#writer?.close()
  }

  closeReaders(): void {
    for (const { file } of this.#readers.values()) file.close()
    this.#readers.clear()
    this.#blocks.clear()
  }

  #read({ pack, offset }: Location, id: Uint8Array): Buffer | undefined {
    const frameBytes = BLOB_BYTES_START + blobLength(id)
    try {
      const { file, seed } = this.#reader(pack)
      const block = this.#blocks.find(file, pack, offset, frameBytes)
      if (block) return this.#blobIn(block, offset % BLOCK_BYTES, id, seed)
      // A forged id may claim a length of four billion bytes.
      if (frameBytes > LARGE_BYTES && offset + frameBytes > file.stat().sizeBytes) return undefined
      const bytes = Buffer.allocUnsafeSlow(frameBytes)
      if (file.read(bytes, 0, frameBytes, offset) < frameBytes) return undefined
      return this.#blobIn({ bytes, view: viewOf(bytes) }, 0, id, seed)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      this.#forget(pack)
      return undefined
    }
  }

  #reader(pack: number): Reader {
    let reader = this.#readers.get(pack)
    if (!reader) {
      const file = this.environment.descriptors.file(this.currentFile(pack), 'read')
      reader = { file, seed: seedOf(this.environment, identityOf(pack)) }
      this.#readers.set(pack, reader)
    }
    return reader
  }

  #forget(pack: number): void {
    this.#readers.get(pack)?.file.close()
    this.#readers.delete(pack)
    this.#blocks.clear()
  }

  /** Returns the blob's bytes; undefined if its frame doesn't begin here, or is damaged before its trailer. */
  #blobIn({ bytes, view }: Viewed, at: number, id: Uint8Array, seed: number): Buffer | undefined {
    const payload = at + FRAME_HEADER_BYTES
    for (let i = 0; i < BLOB_ID_BYTES; i++) if (bytes[payload + i] !== id[i]) return undefined
    const start = at + BLOB_BYTES_START
    const end = start + blobLength(id)
    const trailer = end + FRAME_TRAILER_BYTES
    if (Math.abs(frameEnd(view, at, end, seed)) !== trailer) return undefined
    return isPayloadIntact(this.environment.hashing, bytes, payload, end) ? bytes.subarray(start, end) : undefined
  }
}
