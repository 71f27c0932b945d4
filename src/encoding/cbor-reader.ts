// Decodes CBOR. `cbor-writer` is the counterpart. Bytes that the writer never writes are refused: unknown tags, keys and
// references. Time and memory grow linearly with the length.

import { addExtension, clearSource, Decoder, Tag } from 'cbor-x/decode'
import { fail, READERS, SHAPES_START, withTargets } from './cbor-tags.js'
import { CODEC } from './codecs.js'
import { shapesIn } from './shapes.js'

let decoder: Decoder | undefined

/** @throws Error of any class for bytes that the writer does not make */
export function readCbor(bytes: Buffer): unknown {
  try {
    return bytes[0] === CODEC.cborWithReferences ? withTargets(() => read(bytes)) : read(bytes)
  } catch (error) {
    // If the stack overflows, cbor-x may not reset this itself. It would then treat the next message as nested in this one.
    clearSource()
    throw error
  }
}

function read(bytes: Buffer): unknown {
  const rest = bytes.subarray(SHAPES_START)
  const textLength = bytes.readUInt16LE(1)
  const shapes = shapesIn(rest.toString('utf8', 0, textLength))
  const message = rest.subarray(textLength)
  const isBundled = message.includes(BUNDLE_TAG)
  return decode(message, isBundled ? Object.freeze(Object.assign(Object.create(NO_BUNDLES), shapes)) : shapes)
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

/**
 * The tag of string bundles, which let a short message cause quadratic work. No option turns them off. But cbor-x looks a tag
 * up among the message's records first, by its lower 13 bits, so a record there blocks it.
 */
const BUNDLE_TAG = Buffer.from([0xdf, 0xf9])
const NO_BUNDLES = { [0xdff9 & 0x1fff]: { read: fail } }

/**
 * Tags that cbor-x would read but never writes here: text dates, large integers (quadratic), fractions, packed values
 * (which multiply), parts of string bundles, records of an old form, maps with a mark.
 */
const UNUSED_TAGS = [0, 2, 3, 4, 5, 6, 14, 15, 51, 105, 259]

function registerExtensions(): void {
  const add = addExtension as (extension: object) => void
  for (const tag of UNUSED_TAGS) add({ tag, decode: fail })
  for (const [tag, decode] of Object.entries(READERS)) add({ tag: Number(tag), decode })
  // cbor-x returns a Tag for an unknown tag and has no option to throw instead. We change our own copy of it.
  Object.defineProperty(Tag.prototype, 'tag', { set: fail })
}
