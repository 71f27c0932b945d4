// Bytes back to values; `encode` is the other half. What decodes is what went in, or it is refused: a tag, a key or a reference
// that is never written, in time and memory bounded by the length.

import { addExtension, clearSource, Decoder, Tag } from 'cbor-x/decode'
import { CacheError } from '../base/errors.js'
import { revive } from './carriers.js'
import { expectKeys, shapesIn } from './shapes.js'
import { Targets } from './targets.js'

/** The first byte of a value: whether references are shared in it, and whether the shapes of its records come first. */
export const CODEC = { plain: 1, shared: 2, plainShaped: 3, sharedShaped: 4 } as const
export const TAG = { carrier: 27, leaf: 28, reference: 29, set: 258 } as const

/** After the codec byte, the length of the shapes' text: u16. */
export const SHAPES_START = 3

let decoder: Decoder | undefined
/** cbor-x calls back without a context. */
let targets: Targets | undefined

/** The value that was encoded. @throws CacheError `ERR_CACHE_CORRUPT` for bytes that `encode` does not make */
export function decodeValue(bytes: Uint8Array): unknown {
  try {
    switch (bytes.length < 2 ? 0 : bytes[0]) {
      case CODEC.plain:
        return read(bytes)
      case CODEC.plainShaped:
        return readShaped(bytes)
      case CODEC.shared:
        return withTargets(() => read(bytes))
      case CODEC.sharedShaped:
        return withTargets(() => readShaped(bytes))
      default:
        throw new Error(`unknown codec ${bytes[0]}`)
    }
  } catch (error) {
    // Near the end of the stack cbor-x may not get to it, and would take the next message for one inside this.
    clearSource()
    throw new CacheError('ERR_CACHE_CORRUPT', 'A stored value cannot be decoded.', { value: bytes, cause: error })
  }
}

function withTargets(readMessage: () => unknown): unknown {
  targets = new Targets()
  try {
    return targets.complete(readMessage())
  } finally {
    targets = undefined
  }
}

function read(bytes: Uint8Array): unknown {
  const message = bufferAt(bytes, 1)
  const shapes: unknown[] = message.includes(BUNDLE_TAG) ? Object.create(NO_BUNDLES) : []
  const value = decode(message, shapes)
  for (const keys of Object.values(shapes)) expectKeys(keys)
  return value
}

function readShaped(bytes: Uint8Array): unknown {
  const rest = bufferAt(bytes, SHAPES_START)
  const textLength = (bytes[1] as number) | ((bytes[2] as number) << 8)
  const shapes = shapesIn(rest.toString('utf8', 0, textLength))
  const message = rest.subarray(textLength)
  const isBundled = message.includes(BUNDLE_TAG)
  return decode(message, isBundled ? Object.freeze(Object.assign(Object.create(NO_BUNDLES), shapes)) : shapes)
}

/** cbor-x makes byte strings of the class that it reads from. */
function bufferAt({ buffer, byteOffset, length }: Uint8Array, start: number): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset + start, Math.max(0, length - start))
}

function decode(message: Buffer, shapes: unknown): unknown {
  decoder ??= createDecoder()
  ;(decoder as unknown as { structures: unknown }).structures = shapes
  const value: unknown = decoder.decode(message)
  if (value === undefined) throw new Error('the value is undefined')
  return value
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
