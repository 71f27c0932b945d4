// Reads the blobs of packs one after the other.

import { BLOB_FRAME_BYTES, BLOB_ID_BYTES, FRAME } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { FrameWriter } from '../log/frames.js'
import { Log } from '../log/log.js'
import { writeOpenFrame } from '../log/opening.js'
import type { FrameReader } from '../log/scan.js'
import type { Location } from './blob.js'
import { identityOf, type PackFiles } from './pack-files.js'

export type BlobVisit = (location: Location, id: Buffer, bytes: Buffer) => void

/** Visits the blobs in about this many bytes from an offset on. Returns where to continue; undefined at the end. */
export function scanBlobs(
  environment: Environment,
  packs: PackFiles,
  pack: number,
  from: number,
  chunkBytes: number,
  visit: BlobVisit,
): number | undefined {
  const log = new Log(environment, packs.currentFile(pack), identityOf(pack), 'read')
  const frame: FrameReader['frame'] = (type, bytes, start, end, offset) => {
    if (type !== FRAME.blob || end - start < BLOB_ID_BYTES) return
    const bytesStart = start + BLOB_ID_BYTES
    visit({ pack, offset }, bytes.subarray(start, bytesStart), bytes.subarray(bytesStart, end))
  }
  const next = log.readSome(from, chunkBytes, { frame })
  log.close()
  return next
}

/** How many bytes of a pack's file are not frames of blobs with these total bytes; 0 for a pack without garbage. */
export function garbageIn(
  environment: Environment,
  packs: PackFiles,
  pack: number,
  blobCount: number,
  blobBytes: number,
): number {
  const openFrame = writeOpenFrame(new FrameWriter(), identityOf(pack), environment).length
  return packs.sizeOf(pack) - openFrame - blobCount * BLOB_FRAME_BYTES - blobBytes
}

/** Returns a function that tells from the current sizes whether a location can hold a blob; true for all packs created later. */
export function placesIn(packs: PackFiles): (location: Location) => boolean {
  const sizes = new Map(packs.numbers().map(pack => [pack, packs.sizeOf(pack)]))
  const last = Math.max(-1, ...sizes.keys())
  return ({ pack, offset }) => pack > last || offset < (sizes.get(pack) ?? 0)
}
