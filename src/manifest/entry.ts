// The bytes of what a manifest keeps under a key. FORMAT.md has the tables; all numbers are little-endian.
//
// A *head* is the record of a key: the entry that a get gives, or why there is none, and who is computing one. *Answers* are
// the entries of a computed key for other states of its inputs, and *nodes* say which inputs to look at to find them.
//
//   flags u8 | epoch u48 | [entry] | [removal] | [lease]
//
// The epoch is drawn anew whenever a key is set or removed: answers of an earlier one are void.

import { BLOB_ID_BYTES } from '../base/layout.js'
import { readU48, writeU48 } from '../base/u48.js'
import { decodeInputs, encodeInputs, type Input } from '../inputs/input.js'
import type { BlobRef } from '../packs/packs.js'

export interface Entry {
  blob: BlobRef
  createdAt: number
  /** When it was last known to be of use, to the second. */
  usedAt: number
  /** Of the key when this was stored. */
  epoch: number
  ttlMs?: number | undefined
  /** How long computing it took; undefined for an entry that was set. */
  computeMs?: number | undefined
  /** Digest of the declared files and inputs; undefined where nothing was declared. */
  question?: Buffer | undefined
  /** The directory of the project in which a portable entry was last stored: where its inputs can be looked at. */
  seenIn?: string | undefined
  /** Undefined: not bound to inputs. */
  inputs?: readonly Input[] | undefined
}

export const REMOVAL_CAUSES = [
  'deleted',
  'invalidated',
  'expired',
  'source-changed',
  'source-missing',
  'source-appeared',
  'evicted',
] as const
/** Why an entry was removed. */
export type RemovalCause = (typeof REMOVAL_CAUSES)[number]

export interface Removal {
  cause: RemovalCause
  /** The source that was the cause, as an absolute path. */
  path?: string | undefined
}

/** Who is computing a value, so that others may wait for it. A hint, never a lock. */
export interface Lease {
  /** Of the instance of the library, 8 bytes. */
  owner: Buffer
  pid: number
  host: string
  /** When the owner last said that it goes on, ms by its own clock. */
  beatAt: number
  /** Whether the owner's thread is busy with it, and can't say so. */
  isSync: boolean
}

export interface Head {
  epoch: number
  entry?: Entry | undefined
  removal?: Removal | undefined
  lease?: Lease | undefined
}

/** Lists of references, one of which leads to the answer. */
export interface Node {
  lists: readonly (readonly Input[])[]
}

const HAS_ENTRY = 1
const HAS_REMOVAL = 2
const HAS_LEASE = 4
const IS_NODE = 8

const HAS_TTL = 1
const HAS_INPUTS = 2
const IS_COMPUTED = 4
const HAS_QUESTION = 8
const HAS_SEEN_IN = 16

/** From the record's start: flags, epoch. */
const HEAD_BYTES = 1 + 6
/** Flags, blob id, pack, offset, created, used. */
const ENTRY_BYTES = 1 + BLOB_ID_BYTES + 4 + 4 + 6 + 4
const QUESTION_BYTES = 16
const OWNER_BYTES = 8
const EMPTY = Buffer.alloc(0)

export function encodeHead({ epoch, entry, removal, lease }: Head): Buffer {
  const start = Buffer.allocUnsafe(HEAD_BYTES)
  start[0] = (entry ? HAS_ENTRY : 0) | (removal ? HAS_REMOVAL : 0) | (lease ? HAS_LEASE : 0)
  start.writeUIntLE(epoch, 1, 6)
  if (!removal && !lease) return entry ? Buffer.concat([start, encodeEntry(entry)]) : start
  return Buffer.concat([
    start,
    entry ? encodeEntry(entry) : EMPTY,
    removal ? encodeRemoval(removal) : EMPTY,
    lease ? encodeLease(lease) : EMPTY,
  ])
}

function encodeEntry({ blob, createdAt, usedAt, ttlMs, computeMs, question, seenIn, inputs }: Entry): Buffer {
  const seen = seenIn === undefined ? undefined : Buffer.from(seenIn)
  const seenBytes = seen ? 2 + seen.length : 0
  const optional = (ttlMs === undefined ? 0 : 8) + (computeMs === undefined ? 0 : 4) + (question ? QUESTION_BYTES : 0)
  const bytes = Buffer.allocUnsafe(ENTRY_BYTES + optional + seenBytes)
  bytes[0] =
    (ttlMs === undefined ? 0 : HAS_TTL) |
    (inputs ? HAS_INPUTS : 0) |
    (computeMs === undefined ? 0 : IS_COMPUTED) |
    (question ? HAS_QUESTION : 0) |
    (seen ? HAS_SEEN_IN : 0)
  bytes.set(blob.id, 1)
  let at = bytes.writeUInt32LE(blob.location.pack, 1 + BLOB_ID_BYTES)
  at = bytes.writeUInt32LE(blob.location.offset, at)
  at = bytes.writeUIntLE(createdAt, at, 6)
  at = bytes.writeUInt32LE(Math.min(Math.floor(usedAt / 1000), 0xffffffff), at)
  if (ttlMs !== undefined) at = bytes.writeDoubleLE(ttlMs, at)
  if (computeMs !== undefined) at = bytes.writeFloatLE(computeMs, at)
  if (question) at += question.copy(bytes, at)
  if (seen) seen.copy(bytes, bytes.writeUInt16LE(seen.length, at))
  return inputs ? Buffer.concat([bytes, encodeInputs(inputs, 'full')]) : bytes
}

function encodeRemoval({ cause, path = '' }: Removal): Buffer {
  const text = Buffer.from(path)
  const bytes = Buffer.allocUnsafe(3 + text.length)
  text.copy(bytes, bytes.writeUInt16LE(text.length, bytes.writeUInt8(REMOVAL_CAUSES.indexOf(cause), 0)))
  return bytes
}

function encodeLease({ owner, pid, host, beatAt, isSync }: Lease): Buffer {
  const name = Buffer.from(host)
  const bytes = Buffer.allocUnsafe(OWNER_BYTES + 4 + 6 + 1 + 2 + name.length)
  owner.copy(bytes, 0)
  let at = bytes.writeUInt32LE(pid, OWNER_BYTES)
  at = bytes.writeUIntLE(beatAt, at, 6)
  at = bytes.writeUInt8(isSync ? 1 : 0, at)
  name.copy(bytes, bytes.writeUInt16LE(name.length, at))
  return bytes
}

/** The head in `bytes[start, end)`; its buffers are views of them. @throws RangeError when they are none */
export function decodeHead(bytes: Buffer, start = 0, end = bytes.length): Head {
  // Its methods check the bounds, and are quick from the first call on.
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  const flags = view.getUint8(0)
  const head: Head = { epoch: readU48(view, 1), entry: undefined, removal: undefined, lease: undefined }
  if (flags & IS_NODE) return head
  let at = HEAD_BYTES
  if (flags & HAS_ENTRY) {
    head.entry = decodeEntry(bytes, start, view, head.epoch)
    if (flags === HAS_ENTRY) return head
    at = entryEnd(view)
  }
  if (flags & HAS_REMOVAL) {
    const path = readText(view, at + 1)
    head.removal = { cause: REMOVAL_CAUSES[view.getUint8(at)] ?? 'deleted', path: path === '' ? undefined : path }
    at += 3 + view.getUint16(at + 1, true)
  }
  if (flags & HAS_LEASE) head.lease = decodeLease(view, at)
  return head
}

function decodeEntry(bytes: Buffer, start: number, view: DataView, epoch: number): Entry {
  const flags = view.getUint8(HEAD_BYTES)
  const idStart = start + HEAD_BYTES + 1
  const id = bytes.subarray(idStart, idStart + BLOB_ID_BYTES)
  let at = HEAD_BYTES + 1 + BLOB_ID_BYTES
  const location = { pack: view.getUint32(at, true), offset: view.getUint32(at + 4, true) }
  const entry: Entry = {
    blob: { id, location },
    createdAt: readU48(view, at + 8),
    usedAt: view.getUint32(at + 14, true) * 1000,
    epoch,
    ttlMs: undefined,
    computeMs: undefined,
    question: undefined,
    seenIn: undefined,
    inputs: undefined,
  }
  if (flags === 0) return entry
  at = HEAD_BYTES + ENTRY_BYTES
  if (flags & HAS_TTL) {
    entry.ttlMs = view.getFloat64(at, true)
    at += 8
  }
  if (flags & IS_COMPUTED) {
    entry.computeMs = view.getFloat32(at, true)
    at += 4
  }
  if (flags & HAS_QUESTION) {
    if (at + QUESTION_BYTES > view.byteLength) throw new RangeError('A question is cut short.')
    entry.question = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at, QUESTION_BYTES)
    at += QUESTION_BYTES
  }
  if (flags & HAS_SEEN_IN) {
    entry.seenIn = readText(view, at)
    at += 2 + view.getUint16(at, true)
  }
  if (flags & HAS_INPUTS) entry.inputs = decodeInputs(view, at, 'full').inputs
  return entry
}

/** Where what follows the entry begins. */
function entryEnd(view: DataView): number {
  const flags = view.getUint8(HEAD_BYTES)
  let at = HEAD_BYTES + ENTRY_BYTES
  if (flags & HAS_TTL) at += 8
  if (flags & IS_COMPUTED) at += 4
  if (flags & HAS_QUESTION) at += QUESTION_BYTES
  if (flags & HAS_SEEN_IN) at += 2 + view.getUint16(at, true)
  return flags & HAS_INPUTS ? decodeInputs(view, at, 'full').end : at
}

function decodeLease(view: DataView, at: number): Lease {
  const host = readText(view, at + OWNER_BYTES + 11)
  return {
    owner: Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at, OWNER_BYTES),
    pid: view.getUint32(at + OWNER_BYTES, true),
    beatAt: readU48(view, at + OWNER_BYTES + 4),
    isSync: view.getUint8(at + OWNER_BYTES + 10) === 1,
    host,
  }
}

export function encodeNode({ lists }: Node, epoch: number): Buffer {
  const start = Buffer.allocUnsafe(HEAD_BYTES + 1)
  start[0] = IS_NODE
  writeU48(new DataView(start.buffer, start.byteOffset, start.length), 1, epoch)
  start[HEAD_BYTES] = lists.length
  return Buffer.concat([start, ...lists.map(list => encodeInputs(list, 'reference'))])
}

/** Undefined for a record that is an answer. @throws RangeError for bytes that are neither */
export function decodeNode(bytes: Buffer, start = 0, end = bytes.length): Node | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  if ((view.getUint8(0) & IS_NODE) === 0) return undefined
  const lists: Input[][] = []
  let at = HEAD_BYTES + 1
  for (let left = view.getUint8(HEAD_BYTES); left > 0; left--) {
    const { inputs, end: listEnd } = decodeInputs(view, at, 'reference')
    lists.push(inputs)
    at = listEnd
  }
  return { lists }
}

function readText(view: DataView, at: number): string {
  const length = view.getUint16(at, true)
  if (at + 2 + length > view.byteLength) throw new RangeError('A text of an entry is cut short.')
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at + 2, length).toString()
}
