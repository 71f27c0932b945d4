// The bytes of an entry, the value of a manifest record. FORMAT.md has the table; all numbers are little-endian.
//
//   flags u8 | blob id 21 | pack u32 | offset u32 | created u48 ms | used u32 s | [ttl f64 ms] | [base] | [sources]
//
// The blob's location is a hint that saves a get the blob index; after a gc the index knows better.

import { BLOB_ID_BYTES } from '../base/layout.js'
import { fingerprintBytes, flagsOf, readFingerprint, writeFingerprint } from '../fingerprint/bytes.js'
import type { Fingerprint } from '../fingerprint/fingerprint.js'
import type { BlobRef } from '../packs/packs.js'

export interface Source extends Fingerprint {
  /** Absolute, or relative to the entry's base with `/` between its parts. */
  path: string
  isRelative: boolean
}

export interface Entry {
  blob: BlobRef
  createdAt: number
  /** When it was last known to be of use, to the second. */
  usedAt: number
  ttlMs?: number | undefined
  /** Where relative sources were last looked at: for those who do not know the plugin's base, such as a gc. */
  base?: string | undefined
  /** Undefined: not bound to sources. */
  sources?: readonly Source[] | undefined
}

const FIXED_BYTES = 1 + BLOB_ID_BYTES + 4 + 4 + 6 + 4
const HAS_TTL = 1
const HAS_SOURCES = 2
const HAS_BASE = 4
/** Beside the flags of a fingerprint. */
const IS_RELATIVE = 8

export function encodeEntry(entry: Entry): Buffer {
  const sources = entry.sources?.map(source => ({ source, path: Buffer.from(source.path) }))
  const base = entry.base === undefined ? undefined : Buffer.from(entry.base)
  let length = FIXED_BYTES + (entry.ttlMs === undefined ? 0 : 8) + (base ? 2 + base.length : 0) + (sources ? 4 : 0)
  for (const { source, path } of sources ?? []) length += 3 + path.length + fingerprintBytes(source)
  const bytes = Buffer.allocUnsafe(length)
  const { id, location } = entry.blob
  bytes[0] = (entry.ttlMs === undefined ? 0 : HAS_TTL) | (sources ? HAS_SOURCES : 0) | (base ? HAS_BASE : 0)
  bytes.set(id, 1)
  let at = bytes.writeUInt32LE(location.pack, 1 + BLOB_ID_BYTES)
  at = bytes.writeUInt32LE(location.offset, at)
  at = bytes.writeUIntLE(entry.createdAt, at, 6)
  at = bytes.writeUInt32LE(Math.floor(entry.usedAt / 1000), at)
  if (entry.ttlMs !== undefined) at = bytes.writeDoubleLE(entry.ttlMs, at)
  if (base) at = writePath(base, bytes, at)
  if (sources) at = bytes.writeUInt32LE(sources.length, at)
  for (const { source, path } of sources ?? []) {
    at = bytes.writeUInt8(flagsOf(source) | (source.isRelative ? IS_RELATIVE : 0), at)
    at = writePath(path, bytes, at)
    at = writeFingerprint(source, bytes, at)
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
  if (flags & HAS_BASE) {
    entry.base = readPath(bytes, at)
    at += 2 + bytes.readUInt16LE(at)
  }
  if (flags & HAS_SOURCES) entry.sources = decodeSources(bytes, at)
  return entry
}

function decodeSources(bytes: Buffer, start: number): Source[] {
  let at = start + 4
  const sources: Source[] = []
  for (let left = bytes.readUInt32LE(start); left > 0; left--) {
    const flags = bytes.readUInt8(at)
    const path = readPath(bytes, at + 1)
    at += 3 + bytes.readUInt16LE(at + 1)
    const fingerprint = readFingerprint(flags, bytes, at)
    sources.push({ path, isRelative: (flags & IS_RELATIVE) !== 0, ...fingerprint })
    at += fingerprintBytes(fingerprint)
  }
  return sources
}

function writePath(path: Buffer, bytes: Buffer, at: number): number {
  return bytes.writeUInt16LE(path.length, at) + path.copy(bytes, at + 2)
}

function readPath(bytes: Buffer, at: number): string {
  const end = at + 2 + bytes.readUInt16LE(at)
  if (end > bytes.length) throw new RangeError('A path of an entry is cut short.')
  return bytes.toString('utf8', at + 2, end)
}
