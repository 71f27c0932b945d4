// Reads the bytes of a head.

import { BLOB_ID_BYTES } from '../base/layout.js'
import { readU48 } from '../base/u48.js'
import { ENTRY_BYTES, type Entry, HAS_ENTRY, HAS_TTL, HEAD_BYTES, type Head, IS_NODE } from './entry.js'
import { decodeParts } from './head-parts.js'

/** Decodes the head in `bytes[start, end)`. Its buffers are views of the bytes. @throws RangeError for invalid bytes */
export function decodeHead(bytes: Buffer, start = 0, end = bytes.length): Head {
  // A DataView's methods check the bounds, and are fast from the first call on.
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  const flags = view.getUint8(0)
  const head: Head = { epoch: readU48(view, 1), entry: undefined, removal: undefined, lease: undefined }
  if (flags & IS_NODE) return head
  if (flags & HAS_ENTRY) head.entry = decodeEntry(bytes, start, view, head.epoch)
  const hasEntryParts = head.entry !== undefined && view.getUint8(HEAD_BYTES) & ~HAS_TTL
  if (flags !== HAS_ENTRY || hasEntryParts) decodeParts(head, view)
  return head
}

/** The head without its optional parts. */
function decodeEntry(bytes: Buffer, start: number, view: DataView, epoch: number): Entry {
  const flags = view.getUint8(HEAD_BYTES)
  const idStart = start + HEAD_BYTES + 1
  const id = bytes.subarray(idStart, idStart + BLOB_ID_BYTES)
  const at = HEAD_BYTES + 1 + BLOB_ID_BYTES
  return {
    blob: { id, location: { pack: view.getUint32(at, true), offset: view.getUint32(at + 4, true) } },
    createdAt: readU48(view, at + 8),
    usedAt: view.getUint32(at + 14, true) * 1000,
    epoch,
    ttlMs: flags & HAS_TTL ? view.getFloat64(HEAD_BYTES + ENTRY_BYTES, true) : undefined,
    computeMs: undefined,
    question: undefined,
    seenIn: undefined,
    inputs: undefined,
  }
}
