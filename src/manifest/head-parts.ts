// Decodes the parts that most heads don't have: those of a computed entry, a removal, a lease.

import { readU48 } from '../base/u48.js'
import { decodeInputs } from '../inputs/input-bytes.js'
import {
  ENTRY_BYTES,
  type Entry,
  HAS_INPUTS,
  HAS_LEASE,
  HAS_QUESTION,
  HAS_REMOVAL,
  HAS_SEEN_IN,
  HAS_TTL,
  HEAD_BYTES,
  type Head,
  IS_COMPUTED,
  type Lease,
  OWNER_BYTES,
  QUESTION_BYTES,
  REMOVAL_CAUSES,
} from './entry.js'

/** Twelve days. */
const MAX_COMPUTE_MS = 2 ** 30

/** Adds the other parts of a record to its head. @throws RangeError for a record that is cut short */
export function decodeParts(head: Head, view: DataView): void {
  const flags = view.getUint8(0)
  let at = head.entry ? decodeEntryParts(head.entry, view) : HEAD_BYTES
  if (flags & HAS_REMOVAL) {
    const path = readText(view, at + 1)
    head.removal = { cause: REMOVAL_CAUSES[view.getUint8(at)] ?? 'deleted', path: path === '' ? undefined : path }
    at += 3 + view.getUint16(at + 1, true)
  }
  if (flags & HAS_LEASE) head.lease = decodeLease(view, at)
}

/** Returns where the entry ends. */
function decodeEntryParts(entry: Entry, view: DataView): number {
  const flags = view.getUint8(HEAD_BYTES)
  let at = HEAD_BYTES + ENTRY_BYTES + (flags & HAS_TTL ? 8 : 0)
  if (flags & IS_COMPUTED) {
    entry.computeMs = timeOf(view.getFloat32(at, true))
    at += 4
  }
  if (flags & HAS_QUESTION) {
    if (at + QUESTION_BYTES > view.byteLength) throw new RangeError('A question is truncated.')
    entry.question = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at, QUESTION_BYTES)
    at += QUESTION_BYTES
  }
  if (flags & HAS_SEEN_IN) {
    entry.seenIn = readText(view, at)
    at += 2 + view.getUint16(at, true)
  }
  if (!(flags & HAS_INPUTS)) return at
  const { inputs, end } = decodeInputs(view, at, 'full')
  entry.inputs = inputs
  return end
}

/** An impossible time, such as NaN, would spoil the sums of times. */
function timeOf(ms: number): number {
  return ms >= 0 && ms <= MAX_COMPUTE_MS ? ms : 0
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

function readText(view: DataView, at: number): string {
  const length = view.getUint16(at, true)
  if (at + 2 + length > view.byteLength) throw new RangeError('A text of an entry is truncated.')
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at + 2, length).toString()
}
