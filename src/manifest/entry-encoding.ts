// Writes the bytes of heads and nodes.

import { BLOB_ID_BYTES } from '../base/layout.js'
import { writeU48 } from '../base/u48.js'
import { encodeInputs } from '../inputs/input-bytes.js'
import {
  ENTRY_BYTES,
  type Entry,
  HAS_ENTRY,
  HAS_INPUTS,
  HAS_LEASE,
  HAS_QUESTION,
  HAS_REMOVAL,
  HAS_SEEN_IN,
  HAS_TTL,
  HEAD_BYTES,
  type Head,
  IS_COMPUTED,
  IS_NODE,
  type Lease,
  type Node,
  OWNER_BYTES,
  QUESTION_BYTES,
  REMOVAL_CAUSES,
  type Removal,
} from './entry.js'

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

export function encodeNode({ lists }: Node, epoch: number): Buffer {
  const start = Buffer.allocUnsafe(HEAD_BYTES + 1)
  start[0] = IS_NODE
  writeU48(new DataView(start.buffer, start.byteOffset, start.length), 1, epoch)
  start[HEAD_BYTES] = lists.length
  return Buffer.concat([start, ...lists.map(list => encodeInputs(list, 'reference'))])
}
