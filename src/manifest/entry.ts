// The bytes of an entry, the value of a manifest record. FORMAT.md has the table; all numbers are little-endian.
//
//   flags u8 | blob id 21 | pack u32 | offset u32 | created u48 ms | used u32 s | [ttl f64 ms] | [sources]
//
// The blob's location is a hint that saves a get the blob index; after a gc the index knows better.

import { BLOB_ID_BYTES } from '../base/layout.js'
import type { Fingerprint, SourceKind } from '../fingerprint/fingerprint.js'
import type { BlobRef } from '../packs/packs.js'

export interface Source extends Fingerprint {
  /** Absolute, or relative to the namespace's base with `/` between its parts. */
  path: string
  isRelative: boolean
}

export interface Entry {
  blob: BlobRef
  createdAt: number
  /** When it was last known to be of use, to the second. */
  usedAt: number
  ttlMs?: number | undefined
  /** Undefined: not bound to sources. */
  sources?: readonly Source[] | undefined
}

const FIXED_BYTES = 1 + BLOB_ID_BYTES + 4 + 4 + 6 + 4
const STAT_BYTES = 6 + 8 + 8 + 8 + 16
const HAS_TTL = 1
const HAS_SOURCES = 2

const KINDS: readonly SourceKind[] = ['absent', 'file', 'directory']
const KIND_MASK = 3
const IS_RACY = 4
const IS_RELATIVE = 8

export function encodeEntry(entry: Entry): Buffer {
  const sources = entry.sources?.map(source => ({ source, path: Buffer.from(source.path) }))
  let length = FIXED_BYTES + (entry.ttlMs === undefined ? 0 : 8) + (sources ? 4 : 0)
  for (const { source, path } of sources ?? []) length += 3 + path.length + (source.kind === 'absent' ? 0 : STAT_BYTES)
  const bytes = Buffer.allocUnsafe(length)
  const { id, location } = entry.blob
  bytes[0] = (entry.ttlMs === undefined ? 0 : HAS_TTL) | (sources ? HAS_SOURCES : 0)
  bytes.set(id, 1)
  let at = bytes.writeUInt32LE(location.pack, 1 + BLOB_ID_BYTES)
  at = bytes.writeUInt32LE(location.offset, at)
  at = bytes.writeUIntLE(entry.createdAt, at, 6)
  at = bytes.writeUInt32LE(Math.floor(entry.usedAt / 1000), at)
  if (entry.ttlMs !== undefined) at = bytes.writeDoubleLE(entry.ttlMs, at)
  if (sources) at = bytes.writeUInt32LE(sources.length, at)
  for (const { source, path } of sources ?? []) {
    const flags = KINDS.indexOf(source.kind) | (source.isRacy ? IS_RACY : 0) | (source.isRelative ? IS_RELATIVE : 0)
    at = bytes.writeUInt8(flags, at)
    at = bytes.writeUInt16LE(path.length, at)
    at += path.copy(bytes, at)
    if (source.kind === 'absent') continue
    at = bytes.writeUIntLE(source.sizeBytes, at, 6)
    at = bytes.writeDoubleLE(source.mtimeMs, at)
    at = bytes.writeDoubleLE(source.ctimeMs, at)
    at = bytes.writeDoubleLE(source.inode, at)
    at += source.digest.copy(bytes, at)
  }
  return bytes
}

/** @throws RangeError when the bytes are not an entry */
export function decodeEntry(bytes: Buffer): Entry {
  const flags = bytes.readUInt8(0)
  const id = bytes.subarray(1, 1 + BLOB_ID_BYTES)
  let at = 1 + BLOB_ID_BYTES
  const location = { pack: bytes.readUInt32LE(at), offset: bytes.readUInt32LE(at + 4) }
  const createdAt = bytes.readUIntLE(at + 8, 6)
  const usedAt = bytes.readUInt32LE(at + 14) * 1000
  at = FIXED_BYTES
  const entry: Entry = { blob: { id, location }, createdAt, usedAt }
  if (flags & HAS_TTL) {
    entry.ttlMs = bytes.readDoubleLE(at)
    at += 8
  }
  if (flags & HAS_SOURCES) entry.sources = decodeSources(bytes, at)
  return entry
}

function decodeSources(bytes: Buffer, start: number): Source[] {
  let at = start + 4
  const sources: Source[] = []
  for (let left = bytes.readUInt32LE(start); left > 0; left--) {
    const flags = bytes.readUInt8(at)
    const pathEnd = at + 3 + bytes.readUInt16LE(at + 1)
    const kind = KINDS[flags & KIND_MASK]
    if (!kind || pathEnd > bytes.length) throw new RangeError('A source of an entry is cut short.')
    const path = bytes.toString('utf8', at + 3, pathEnd)
    const isAbsent = kind === 'absent'
    at = pathEnd
    sources.push({
      path,
      isRelative: (flags & IS_RELATIVE) !== 0,
      kind,
      isRacy: (flags & IS_RACY) !== 0,
      sizeBytes: isAbsent ? 0 : bytes.readUIntLE(at, 6),
      mtimeMs: isAbsent ? 0 : bytes.readDoubleLE(at + 6),
      ctimeMs: isAbsent ? 0 : bytes.readDoubleLE(at + 14),
      inode: isAbsent ? 0 : bytes.readDoubleLE(at + 22),
      digest: bytes.subarray(at + 30, at + 46),
    })
    if (!isAbsent) at += STAT_BYTES
  }
  return sources
}
