// Encodes CBOR. `cbor-reader` is the counterpart. A message is a codec byte, the key lists of its records, and one CBOR item
// whose records refer to those lists.

import { addExtension, Encoder } from 'cbor-x/encode'
import { Carrier } from './carriers.js'
import { READERS, SHAPES_START, TAG } from './cbor-tags.js'
import { CODEC } from './codecs.js'
import type { ValueCodecOptions } from './options.js'
import { type Context, prepare } from './prepare.js'
import { Refusal, refusedError, unwrittenError } from './refusal.js'
import { Leaf, prepareShared, Reference } from './sharing.js'

/** cbor-x keeps its output buffer and position in its module: a nested encode would overwrite the outer one's bytes. */
let isEncoding = false
let encoder: Encoder | undefined
/** Size of the header, whose key lists are known only after the rest is written. */
let messageBytes = Buffer.alloc(0)

const FIRST_BUFFER_BYTES = 8 * 1024
/** After a larger message, the buffer and the key paths that cbor-x remembers are released. */
const KEPT_BUFFER_BYTES = 1024 * 1024
/** Makes the next encode start where this one did. cbor-x has this constant but doesn't export it. */
const RESET_BUFFER_MODE = 1024
/**
 * With more key lists, or a longer text of them, each object is written with its keys. cbor-x has ids for slightly more
 * lists.
 */
const MAX_SHAPES = 250
const MAX_SHAPES_BYTES = 0xffff

/** A view that the next call overwrites. @throws CacheError `ERR_CACHE_VALUE`, `ERR_CACHE_VALUE_TOO_LARGE` */
export function writeCbor(value: unknown, options: ValueCodecOptions): Uint8Array {
  const isNested = isEncoding
  try {
    return encode(value, options)
  } finally {
    isEncoding = isNested
  }
}

function encode(value: unknown, options: ValueCodecOptions): Uint8Array {
  if (value === undefined) throw refusedError(new Refusal('is undefined', value), value)
  if (isEncoding) throw refusedError(new Refusal('is stored by an accessor of another value', value), value)
  isEncoding = true
  return encodeWith(value, options, false) ?? (encodeWith(value, options, true) as Uint8Array)
}

/** Undefined if there are too many key lists. */
function encodeWith(value: unknown, options: ValueCodecOptions, hasOwnKeys: boolean): Uint8Array | undefined {
  const context: Context = { classInstances: options.classInstances, references: undefined, hasOwnKeys }
  let shared: unknown[] | undefined
  let message: unknown
  try {
    shared = options.cyclic ? prepareShared(value, context) : undefined
    message = shared ?? prepare(value, 1, context)
  } catch (error) {
    throw refusedError(error, value)
  }
  try {
    return write(shared === undefined ? CODEC.cbor : CODEC.cborWithReferences, message)
  } catch (error) {
    // A stack overflow at the wrong moment leaves cbor-x with a buffer and a view that don't match.
    dropEncoder()
    throw unwrittenError(error, value)
  }
}

function write(codec: number, message: unknown): Uint8Array | undefined {
  encoder ??= createEncoder()
  const shapes: unknown[] = []
  const { encode } = Object.assign(encoder, { structures: shapes }) as unknown as Writer
  const item = encode(message, RESET_BUFFER_MODE)
  if (item.length > KEPT_BUFFER_BYTES) dropEncoder()
  // There may have been more lists than cbor-x has ids for.
  if (shapes.length >= MAX_SHAPES) return undefined
  const text = Buffer.from(JSON.stringify(shapes))
  if (text.length > MAX_SHAPES_BYTES) return undefined
  const itemStart = SHAPES_START + text.length
  const length = itemStart + item.length
  if (length > messageBytes.length) messageBytes = Buffer.allocUnsafeSlow(Math.max(FIRST_BUFFER_BYTES, 2 * length))
  const bytes = messageBytes.subarray(0, length)
  bytes[0] = codec
  bytes.writeUInt16LE(text.length, 1)
  bytes.set(text, SHAPES_START)
  bytes.set(item, itemStart)
  if (length > KEPT_BUFFER_BYTES) messageBytes = Buffer.alloc(0)
  return bytes
}

/** The part of cbor-x's encoder interface that is used here. It is called without `this`. */
interface Writer {
  encode(value: unknown, mode: number): Buffer
}

function dropEncoder(): void {
  const { useBuffer } = Encoder.prototype as unknown as { useBuffer(buffer: Uint8Array): void }
  useBuffer(Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES))
  encoder = undefined
}

function createEncoder(): Encoder {
  registerExtensions()
  return new Encoder({ structures: [], maxSharedStructures: MAX_SHAPES } as object)
}

let isRegistered = false

function registerExtensions(): void {
  if (isRegistered) return
  isRegistered = true
  const add = addExtension as (extension: object) => void
  const writers = [
    { Class: Carrier, tag: TAG.carrier, partsOf: ({ name, parts }: Carrier) => [name, ...parts] },
    { Class: Reference, tag: TAG.reference, partsOf: ({ code }: Reference) => code },
    { Class: Leaf, tag: TAG.leaf, partsOf: ({ value }: Leaf) => value },
  ]
  for (const { Class, tag, partsOf } of writers) {
    const encode = (value: never, write: (item: unknown) => void) => write(partsOf(value))
    // `addExtension` replaces the tag's reader as well.
    add({ Class, tag, encode, decode: READERS[tag] })
  }
}
