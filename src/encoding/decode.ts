// Bytes back to values; `encode` is the other half. What decodes is what went in, or it is refused: a tag, a key or a reference
// that is never written, in time and memory bounded by the length.

import { addExtension, clearSource, Decoder, Tag } from 'cbor-x/decode'
import { CacheError } from '../base/errors.js'
import { revive } from './carriers.js'
import { Targets } from './targets.js'

/** The first byte of a value. */
export const CODEC = { plain: 1, shared: 2 } as const
export const TAG = { carrier: 27, leaf: 28, reference: 29, set: 258 } as const

let decoder: Decoder | undefined
/** cbor-x calls back without a context. */
let targets: Targets | undefined

/**
 * The value that was encoded. Of bytes that were decoded before, what the first time has proved is not asked again.
 *
 * @throws CacheError `ERR_CACHE_CORRUPT` for bytes that `encode` does not make
 */
export function decodeValue(bytes: Uint8Array, isProven = false): unknown {
  const { buffer, byteOffset, length, 0: codec } = bytes
  // A Buffer, because cbor-x makes byte strings of the class that it reads from.
  const message = length < 2 ? NOTHING : Buffer.from(buffer as ArrayBuffer, byteOffset + 1, length - 1)
  try {
    if (codec === CODEC.shared) return readShared(message)
    if (codec !== CODEC.plain) throw new Error(`unknown codec ${codec}`)
    return isProven ? readProven(message) : read(message)
  } catch (error) {
    // Near the end of the stack cbor-x may not get to it, and would take the next message for one inside this.
    clearSource()
    throw new CacheError('ERR_CACHE_CORRUPT', 'A stored value cannot be decoded.', { value: message, cause: error })
  }
}

const NOTHING = Buffer.alloc(0)

function readShared(message: Buffer): unknown {
  targets = new Targets()
  try {
    return targets.complete(read(message))
  } finally {
    targets = undefined
  }
}

function read(message: Buffer): unknown {
  decoder ??= createDecoder()
  const structures: unknown[] = message.includes(BUNDLE_TAG) ? Object.create(NO_BUNDLES) : []
  ;(decoder as unknown as { structures: unknown }).structures = structures
  const value: unknown = decoder.decode(message)
  if (value === undefined) throw new Error('the value is undefined')
  for (const keys of Object.values(structures)) {
    if (!Array.isArray(keys)) throw new Error('the keys of a record are not an array')
    for (const key of keys)
      if (typeof key !== 'string' || key === '__proto__') throw new Error('a malformed record key')
  }
  return value
}

function readProven(message: Buffer): unknown {
  decoder ??= createDecoder()
  ;(decoder as unknown as { structures: unknown }).structures = []
  return decoder.decode(message)
}

function createDecoder(): Decoder {
  registerExtensions()
  return new Decoder({ copyBuffers: true })
}

function fail(): never {
  throw new Error('a tag that is never written')
}

/**
 * String bundles let a short message ask for quadratic work, and no option turns them off. But cbor-x looks a tag up among
 * the records of the message first, by its lower 13 bits.
 */
const BUNDLE_TAG = Buffer.from([0xdf, 0xf9])
const NO_BUNDLES = { [0xdff9 & 0x1fff]: { read: fail } }

/**
 * Tags that cbor-x would read but never writes here: text dates, large integers (quadratic), fractions, packed values
 * (which multiply), parts of string bundles, records of an old form, maps with a mark.
 */
const UNUSED_TAGS = [0, 2, 3, 4, 5, 6, 14, 15, 51, 105, 259]

/** What the tags that are written stand for. */
export const READERS: Record<number, (item: unknown) => unknown> = {
  [TAG.carrier]: revive,
  [TAG.leaf]: value => (targets ?? fail()).addLeaf(value),
  [TAG.reference]: code => (targets ?? fail()).resolve(code),
  [TAG.set]: items => (Array.isArray(items) ? new Set(items) : fail()),
}

function registerExtensions(): void {
  const add = addExtension as (extension: object) => void
  for (const tag of UNUSED_TAGS) add({ tag, decode: fail })
  for (const [tag, decode] of Object.entries(READERS)) add({ tag: Number(tag), decode })
  // cbor-x gives a Tag for one that it does not know; there is no option to throw instead, and this copy is our own.
  Object.defineProperty(Tag.prototype, 'tag', { set: fail })
}
