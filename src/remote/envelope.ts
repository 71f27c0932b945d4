// The remote form of an answer: one object with the question's name, the inputs, the value and a signature.
//
//   magic 4 | format u8 | flags u8 | created u48 | ttl f64 | compute f32 | name 32 | value length u32 | packed length u32
//   | inputs length u32 | key id 8 | packed value | inputs | signature 64
//
// The signature is Ed25519 over all bytes before it. It is verified before anything except the lengths is read, so bytes
// without a valid signature reach no parser.

import { sign, verify } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { readU48, writeU48 } from '../base/u48.js'
import type { Input } from '../inputs/input.js'
import { decodeInputs, encodeInputs } from '../inputs/input-bytes.js'
import { KEY_ID_BYTES, type PublicKey, type SigningKey } from './keys.js'

const MAGIC = Buffer.from('wcr\n')
const FORMAT = 1
const IS_SIGNED = 1
const IS_PACKED = 2
const NAME_AT = 4 + 1 + 1 + 6 + 8 + 4
const HEADER_BYTES = NAME_AT + 32 + 4 + 4 + 4 + KEY_ID_BYTES
const SIGNATURE_BYTES = 64
/** Shorter values aren't compressed. */
const MIN_PACKED_BYTES = 512
const PACKING = { level: 3 }
/** A decompressed value may be at most this many times as long as its object. */
const MAX_EXPANSION = 16
/** Twelve days, as in a record. */
const MAX_COMPUTE_MS = 2 ** 30

export interface Answered {
  bytes: Buffer
  inputs: readonly Input[]
  createdAt: number
  /** Infinity: no expiry. */
  ttlMs: number
  computeMs: number
}

/** Why an object was rejected. */
export type Rejection =
  | 'too-large'
  | 'truncated'
  | 'no-envelope'
  | 'other-format'
  | 'unsigned'
  | 'unknown-key'
  | 'wrong-signature'
  | 'wrong-name'
  | 'undecodable'

export interface OpenOptions {
  name: string
  maxBytes: number
  /** Undefined: everyone who can write to the store is trusted. */
  keys: readonly PublicKey[] | undefined
}

export function seal(name: string, answer: Answered, key: SigningKey | undefined): Buffer {
  const { bytes, createdAt, ttlMs, computeMs } = answer
  const deflated = bytes.length < MIN_PACKED_BYTES ? bytes : deflateRawSync(bytes, PACKING)
  const isPacked = deflated.length < bytes.length
  const packed = isPacked ? deflated : bytes
  const inputs = encodeInputs(answer.inputs, 'state')
  const header = Buffer.alloc(HEADER_BYTES)
  const view = new DataView(header.buffer, header.byteOffset, header.length)
  MAGIC.copy(header)
  header[4] = FORMAT
  header[5] = (key ? IS_SIGNED : 0) | (isPacked ? IS_PACKED : 0)
  writeU48(view, 6, createdAt)
  view.setFloat64(12, ttlMs, true)
  view.setFloat32(20, computeMs, true)
  header.write(name, NAME_AT, 'hex')
  const lengthsAt = NAME_AT + 32
  view.setUint32(lengthsAt, bytes.length, true)
  view.setUint32(lengthsAt + 4, packed.length, true)
  view.setUint32(lengthsAt + 8, inputs.length, true)
  key?.id.copy(header, lengthsAt + 12)
  const body = Buffer.concat([header, packed, inputs])
  return key ? Buffer.concat([body, sign(null, body, key.secret)]) : body
}

/** The answer in an object stored under the name, or why it was rejected. Never throws. */
export function open(object: Uint8Array, { name, maxBytes, keys }: OpenOptions): Answered | Rejection {
  if (object.length > maxBytes) return 'too-large'
  const bytes = Buffer.from(object.buffer, object.byteOffset, object.length)
  if (bytes.length < MAGIC.length + 1) return 'truncated'
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 'no-envelope'
  if (bytes[4] !== FORMAT) return 'other-format'
  if (bytes.length < HEADER_BYTES) return 'truncated'
  const flags = bytes[5] as number
  const isSigned = (flags & IS_SIGNED) !== 0
  const lengthsAt = NAME_AT + 32
  const valueLength = bytes.readUInt32LE(lengthsAt)
  const packedEnd = HEADER_BYTES + bytes.readUInt32LE(lengthsAt + 4)
  const end = packedEnd + bytes.readUInt32LE(lengthsAt + 8)
  if (end + (isSigned ? SIGNATURE_BYTES : 0) !== bytes.length) return 'truncated'
  if (valueLength > maxBytes * MAX_EXPANSION) return 'too-large'
  if (keys) {
    const why = whyUntrusted(bytes, end, isSigned, keys)
    if (why) return why
  }
  if (bytes.toString('hex', NAME_AT, lengthsAt) !== name) return 'wrong-name'
  return decode(bytes, { isPacked: (flags & IS_PACKED) !== 0, valueLength, packedEnd, end }) ?? 'undecodable'
}

function whyUntrusted(
  bytes: Buffer,
  end: number,
  isSigned: boolean,
  keys: readonly PublicKey[],
): Rejection | undefined {
  if (!isSigned) return 'unsigned'
  const id = bytes.subarray(HEADER_BYTES - KEY_ID_BYTES, HEADER_BYTES)
  const known = keys.find(key => key.id.equals(id))
  if (!known) return 'unknown-key'
  return verify(null, bytes.subarray(0, end), known.key, bytes.subarray(end)) ? undefined : 'wrong-signature'
}

interface Parts {
  isPacked: boolean
  valueLength: number
  packedEnd: number
  end: number
}

function decode(bytes: Buffer, { isPacked, valueLength, packedEnd, end }: Parts): Answered | undefined {
  try {
    const packed = bytes.subarray(HEADER_BYTES, packedEnd)
    const value = isPacked ? inflateRawSync(packed, { maxOutputLength: Math.max(valueLength, 1) }) : packed
    if (value.length !== valueLength || value.length === 0) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset, end)
    const { inputs, end: inputsEnd } = decodeInputs(view, packedEnd, 'state')
    const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
    const [createdAt, ttlMs, computeMs] = [readU48(header, 6), header.getFloat64(12, true), header.getFloat32(20, true)]
    if (inputsEnd !== end || !(ttlMs > 0)) return undefined
    if (!(computeMs >= 0 && computeMs <= MAX_COMPUTE_MS)) return undefined
    // Copied, because the object may be a view of a larger buffer.
    return { bytes: Buffer.from(value), inputs: inputs.map(detached), createdAt, ttlMs, computeMs }
  } catch (error) {
    // The bytes come from outside. Any error in them means that they aren't an answer.
    if (error instanceof Error) return undefined
    throw error
  }
}

function detached(input: Input): Input {
  return { ...input, digest: Buffer.from(input.digest) }
}
