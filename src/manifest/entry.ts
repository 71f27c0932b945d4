// The bytes of an entry, the value of a manifest record. FORMAT.md has the table; all numbers are little-endian.
//
//   flags u8 | blob id 21 | pack u32 | offset u32 | created u48 ms | used u32 s | [ttl f64 ms] | [base] | [sources]
//
// The blob's location is a hint that saves a get the blob index; after a gc the index knows better.

import { BLOB_ID_BYTES } from '../base/layout.js'
import { readU48 } from '../base/u48.js'
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

/** The entry in `bytes[start, end)`; its buffers are views of them. @throws RangeError when they are none */
export function decodeEntry(bytes: Buffer, start = 0, end = bytes.length): Entry {
  // Its methods check the bounds, and are quick from the first call on.
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  const flags = view.getUint8(0)
  let at = 1 + BLOB_ID_BYTES
  const location = { pack: view.getUint32(at, true), offset: view.getUint32(at + 4, true) }
  const createdAt = readU48(view, at + 8)
  const usedAt = view.getUint32(at + 14, true) * 1000
  const id = bytes.subarray(start + 1, start + 1 + BLOB_ID_BYTES)
  const entry: Entry = {
    blob: { id, location },
    createdAt,
    usedAt,
    ttlMs: undefined,
    base: undefined,
    sources: undefined,
  }
  if (flags === 0) return entry
  at = FIXED_BYTES
  if (flags & HAS_TTL) {
    entry.ttlMs = view.getFloat64(at, true)
    at += 8
  }
  if (flags & HAS_BASE) {
    entry.base = readPath(view, at)
    at += 2 + view.getUint16(at, true)
  }
  if (flags & HAS_SOURCES) entry.sources = decodeSources(view, at)
  return entry
}

function decodeSources(view: DataView, start: number): Source[] {
  let at = start + 4
  const sources: Source[] = []
  for (let left = view.getUint32(start, true); left > 0; left--) {
    const flags = view.getUint8(at)
    const path = readPath(view, at + 1)
    at += 3 + view.getUint16(at + 1, true)
    const fingerprint = readFingerprint(flags, view, at)
    const { kind, isRacy, sizeBytes, mtimeMs, ctimeMs, inode, digest } = fingerprint
    const isRelative = (flags & IS_RELATIVE) !== 0
    // Not by spreading it: the engine has a shape of its own then for each such object, and reads them slowly.
    sources.push({ path, isRelative, kind, isRacy, sizeBytes, mtimeMs, ctimeMs, inode, digest })
    at += fingerprintBytes(fingerprint)
  }
  return sources
}

function writePath(path: Buffer, bytes: Buffer, at: number): number {
  return bytes.writeUInt16LE(path.length, at) + path.copy(bytes, at + 2)
}

function readPath(view: DataView, at: number): string {
  const length = view.getUint16(at, true)
  if (at + 2 + length > view.byteLength) throw new RangeError('A path of an entry is cut short.')
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at + 2, length).toString()
}
