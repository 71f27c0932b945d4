// Values to bytes; `decode` is the other half, and no other file knows cbor-x. A message is one codec byte and one cbor item
// that stands for itself: records are defined inside it, or their shapes come first, so the bytes depend on the value alone
// and any process can read them.
//
// What decodes is what went in, or `encode` throws and names the place. Documented differences: objects without a
// prototype and objects of other realms come back with `Object.prototype`; accessors come back as the data they gave (they
// are read more than once); properties that are not enumerable, being frozen, the place of a view in its buffer, and named
// properties of long arrays and of typed arrays are not part of a value; and without `cyclic`, an object that is referred
// to twice comes back as two.

import { addExtension, Encoder } from 'cbor-x/encode'
import { Carrier } from './carriers.js'
import { CODEC, READERS, SHAPES_START, TAG } from './decode.js'
import { type Context, prepare } from './prepare.js'
import { Refusal, refusedError, unwrittenError } from './refusal.js'
import { Leaf, prepareShared, Reference } from './sharing.js'

export interface ValueCodec {
  /**
   * The codec byte and the message, as a view that the next encode of any codec overwrites.
   *
   * @throws CacheError `ERR_CACHE_VALUE` with the path of what cannot be stored, `ERR_CACHE_VALUE_TOO_LARGE`.
   */
  encode(value: unknown): Uint8Array
}

export interface ValueCodecOptions {
  cyclic: boolean
  classInstances: 'refuse' | 'plain'
}

/** cbor-x keeps its output buffer and position in its module, so an encode inside another would write over it. */
let isEncoding = false
/** Defines records in the message. */
let encoder: Encoder | undefined
/** Lists their shapes. */
let shapedEncoder: Encoder | undefined
/** Of a message with shapes, which are known only once the rest is written. */
let shapedBytes = Buffer.alloc(0)

const FIRST_BUFFER_BYTES = 8 * 1024
/** After a larger message its buffer and the key paths that cbor-x remembers are let go. */
const KEPT_BUFFER_BYTES = 1024 * 1024
/** The next encode starts where this one did. cbor-x has this constant but does not export it. */
const RESET_BUFFER_MODE = 1024
/** With `useSelfDescribedHeader` a message begins with d9 d9 f7; the codec byte takes the place of the last of them. */
const HEADER_BYTES_DROPPED = 2
/** Objects and arrays in a value from which on its shapes are listed: to write a small one so takes half as long again. */
const SHAPED_CONTAINERS = 64
/** Where there are more, or their text is longer, they are defined in the message. */
const MAX_SHAPES = 128
const MAX_SHAPES_BYTES = 16 * 1024

export function createValueCodec({ cyclic, classInstances }: ValueCodecOptions): ValueCodec {
  const encode = (value: unknown) => {
    const context: Context = { classInstances, references: undefined, containerCount: 0 }
    let shared: unknown[] | undefined
    let message: unknown
    try {
      if (value === undefined) throw new Refusal('is undefined', value)
      if (isEncoding) throw new Refusal('is stored by an accessor of another value', value)
      isEncoding = true
      shared = cyclic ? prepareShared(value, context) : undefined
      message = shared ?? prepare(value, 1, context)
    } catch (error) {
      throw refusedError(error, value)
    }
    const isShared = shared !== undefined
    const isShaped = context.containerCount >= SHAPED_CONTAINERS
    try {
      return (isShaped ? writeShaped(isShared, message) : undefined) ?? write(isShared, message)
    } catch (error) {
      // A stack overflow at the wrong moment leaves cbor-x with a buffer and a view that do not belong together.
      dropEncoders()
      throw unwrittenError(error, value)
    }
  }
  return {
    encode(value) {
      const isNested = isEncoding
      try {
        return encode(value)
      } finally {
        isEncoding = isNested
      }
    },
  }
}

function write(isShared: boolean, message: unknown): Uint8Array {
  encoder ??= createEncoder({ useSelfDescribedHeader: true })
  const bytes = writeWith(encoder, message)
  bytes[HEADER_BYTES_DROPPED] = isShared ? CODEC.shared : CODEC.plain
  return bytes.subarray(HEADER_BYTES_DROPPED)
}

/** Undefined where the shapes are too many. */
function writeShaped(isShared: boolean, message: unknown): Uint8Array | undefined {
  shapedEncoder ??= createEncoder({ structures: [], maxSharedStructures: MAX_SHAPES })
  const shapes: unknown[] = []
  ;(shapedEncoder as unknown as { structures: unknown }).structures = shapes
  const item = writeWith(shapedEncoder, message)
  // There may have been more than it has ids for.
  if (shapes.length === MAX_SHAPES) return undefined
  const text = Buffer.from(JSON.stringify(shapes))
  if (text.length > MAX_SHAPES_BYTES) return undefined
  const itemStart = SHAPES_START + text.length
  const length = itemStart + item.length
  if (length > shapedBytes.length) shapedBytes = Buffer.allocUnsafeSlow(2 * length)
  const bytes = shapedBytes.subarray(0, length)
  bytes[0] = isShared ? CODEC.sharedShaped : CODEC.plainShaped
  bytes.writeUInt16LE(text.length, 1)
  bytes.set(text, SHAPES_START)
  bytes.set(item, itemStart)
  if (length > KEPT_BUFFER_BYTES) shapedBytes = Buffer.alloc(0)
  return bytes
}

function writeWith(used: Encoder, message: unknown): Buffer {
  const { encode } = used as unknown as { encode(value: unknown, mode: number): Buffer }
  const bytes = encode(message, RESET_BUFFER_MODE)
  if (bytes.length > KEPT_BUFFER_BYTES) dropEncoders()
  return bytes
}

function dropEncoders(): void {
  const { useBuffer } = Encoder.prototype as unknown as { useBuffer(buffer: Uint8Array): void }
  useBuffer(Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES))
  encoder = undefined
  shapedEncoder = undefined
}

function createEncoder(options: object): Encoder {
  registerExtensions()
  return new Encoder(options)
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
    // It replaces the reader of the tag as well.
    add({ Class, tag, encode, decode: READERS[tag] })
  }
}
