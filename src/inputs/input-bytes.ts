// The bytes of inputs. FORMAT.md has the table; all numbers are little-endian.

import { readU48 } from '../base/u48.js'
import { CONTENT_DIGEST_BYTES, type Hashing } from '../hashing/hashing.js'
import {
  hasDetail,
  hasDigest,
  hasStat,
  INPUT_KINDS,
  type Input,
  inputOf,
  lookOf,
  NO_DIGEST,
  namesItsState,
} from './input.js'

/** Which part of an input is stored. */
export type InputForm = 'full' | 'state' | 'reference'

const KIND_MASK = 0x0f
const IS_RACY = 0x10
const IS_RELATIVE = 0x20
const STAT_BYTES = 6 + 8 + 8 + 8
/** Flags, the lengths of two texts, metadata and digest. */
const MAX_FIXED_BYTES = 1 + 2 + 2 + STAT_BYTES + CONTENT_DIGEST_BYTES

/** The bytes of inputs: their number as u32, then each input. */
export function encodeInputs(inputs: readonly Input[], form: InputForm): Buffer {
  let room = 4
  for (const { path, detail } of inputs) room += MAX_FIXED_BYTES + 3 * (path.length + detail.length)
  const bytes = Buffer.allocUnsafe(room)
  let at = bytes.writeUInt32LE(inputs.length, 0)
  for (const input of inputs) at = writeInput(input, form, bytes, at)
  return bytes.subarray(0, at)
}

function writeInput(input: Input, form: InputForm, bytes: Buffer, start: number): number {
  const isReference = form === 'reference'
  // A reference doesn't depend on what was found.
  const kind = isReference ? lookOf(input.kind) : input.kind
  const withStat = form === 'full' && hasStat(kind)
  const flags = (withStat && input.isRacy ? IS_RACY : 0) | (input.isRelative ? IS_RELATIVE : 0)
  let at = bytes.writeUInt8(INPUT_KINDS.indexOf(kind) | flags, start)
  at = writeText(isReference && namesItsState(kind) && kind !== 'list' ? '' : input.path, bytes, at)
  if (kind === 'glob' || (hasDetail(kind) && !isReference)) at = writeText(input.detail, bytes, at)
  if (withStat) {
    at = bytes.writeUIntLE(input.sizeBytes, at, 6)
    at = bytes.writeDoubleLE(input.mtimeMs, at)
    at = bytes.writeDoubleLE(input.ctimeMs, at)
    at = bytes.writeDoubleLE(input.inode, at)
  }
  return !isReference && hasDigest(kind) ? at + input.digest.copy(bytes, at) : at
}

/** @throws RangeError for more than 65,535 bytes */
function writeText(text: string, bytes: Buffer, at: number): number {
  const length = bytes.write(text, at + 2)
  bytes.writeUInt16LE(length, at)
  return at + 2 + length
}

/** Reads inputs at an offset. Returns them and the offset of their end. @throws RangeError for invalid bytes */
export function decodeInputs(view: DataView, start: number, form: InputForm): { inputs: Input[]; end: number } {
  let at = start + 4
  const inputs: Input[] = []
  for (let left = view.getUint32(start, true); left > 0; left--) {
    const flags = view.getUint8(at)
    const kind = INPUT_KINDS[flags & KIND_MASK]
    if (kind === undefined) throw new RangeError('An input is of an unknown kind.')
    const path = readText(view, at + 1)
    at += 3 + view.getUint16(at + 1, true)
    const input = inputOf(kind, path, (flags & IS_RELATIVE) !== 0)
    if (kind === 'glob' || (hasDetail(kind) && form !== 'reference')) {
      input.detail = readText(view, at)
      at += 2 + view.getUint16(at, true)
    }
    if (form === 'full' && hasStat(kind)) {
      input.isRacy = (flags & IS_RACY) !== 0
      input.sizeBytes = readU48(view, at)
      input.mtimeMs = view.getFloat64(at + 6, true)
      input.ctimeMs = view.getFloat64(at + 14, true)
      input.inode = view.getFloat64(at + 22, true)
      at += STAT_BYTES
    }
    if (form !== 'reference' && hasDigest(kind)) {
      if (at + CONTENT_DIGEST_BYTES > view.byteLength) throw new RangeError('An input is truncated.')
      input.digest = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at, CONTENT_DIGEST_BYTES)
      at += CONTENT_DIGEST_BYTES
    }
    inputs.push(input)
  }
  return { inputs, end: at }
}

function readText(view: DataView, at: number): string {
  const length = view.getUint16(at, true)
  if (at + 2 + length > view.byteLength) throw new RangeError('A text of an input is truncated.')
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at + 2, length).toString()
}

/** The digest of references and states. */
export function digestOfStates(hashing: Hashing, inputs: readonly Input[], before: Uint8Array = NO_DIGEST): Buffer {
  return hashing.contentDigest(Buffer.concat([before, encodeInputs(inputs, 'state')]))
}
