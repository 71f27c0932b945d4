// Values to bytes and back: the only file that knows cbor-x. A message is one codec byte and one cbor item that stands for
// itself: records are defined inside it, so the bytes depend on the value alone and any process can read them.
//
// What decodes is what went in, or `encode` throws and names the place. Documented differences: objects without a
// prototype and objects of other realms come back with `Object.prototype`; accessors come back as the data they gave (they
// are read more than once); properties that are not enumerable, being frozen, the place of a view in its buffer, and named
// properties of long arrays and of typed arrays are not part of a value; and without `cyclic`, an object that is referred
// to twice comes back as two.

import { addExtension, clearSource, Decoder, Encoder, Tag } from 'cbor-x'
import { CacheError } from '../base/errors.js'
import { Carrier, revive } from './carriers.js'
import { prepare } from './prepare.js'
import { Refusal, refusedError, unwrittenError } from './refusal.js'
import { Leaf, prepareShared, Reference, Targets } from './sharing.js'

const CODEC = { plain: 1, shared: 2 } as const

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
let encoder: Encoder | undefined
let decoder: Decoder | undefined
/** cbor-x calls back without a context. */
let targets: Targets | undefined

const FIRST_BUFFER_BYTES = 8 * 1024
/** After a larger message its buffer and the key paths that cbor-x remembers are let go. */
const KEPT_BUFFER_BYTES = 1024 * 1024
/** The next encode starts where this one did. cbor-x has this constant but does not export it. */
const RESET_BUFFER_MODE = 1024
/** With `useSelfDescribedHeader` a message begins with d9 d9 f7; the codec byte takes the place of the last of them. */
const HEADER_BYTES_DROPPED = 2

export function createValueCodec({ cyclic, classInstances }: ValueCodecOptions): ValueCodec {
  const context = { classInstances }
  const encode = (value: unknown) => {
    let shared: unknown[] | undefined
    let message: unknown
    try {
      if (value === undefined) throw new Refusal('is undefined', value)
      if (isEncoding) throw new Refusal('is stored by an accessor of another value', value)
      isEncoding = true
      shared = cyclic ? prepareShared(value, classInstances) : undefined
      message = shared ?? prepare(value, 1, context)
    } catch (error) {
      throw refusedError(error, value)
    }
    return write(shared ? CODEC.shared : CODEC.plain, message, value)
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

/** The value that was encoded. @throws CacheError `ERR_CACHE_CORRUPT` for bytes that `encode` does not make. */
export function decodeValue(bytes: Uint8Array): unknown {
  return new StoredValue(bytes).decode()
}

const NOTHING = Buffer.alloc(0)

/** The bytes of a value that is decoded more than once: what the first time has proved is not asked again. */
export class StoredValue {
  readonly sizeBytes: number
  readonly #codec: number | undefined
  readonly #message: Buffer
  #isProven = false

  /** The bytes must stay as they are. */
  constructor({ buffer, byteOffset, length, 0: codec }: Uint8Array) {
    this.sizeBytes = length
    this.#codec = codec
    // A Buffer, because cbor-x makes byte strings of the class that it reads from.
    this.#message = length < 2 ? NOTHING : Buffer.from(buffer as ArrayBuffer, byteOffset + 1, length - 1)
  }

  /** A value of the caller's own. @throws CacheError `ERR_CACHE_CORRUPT` for bytes that `encode` does not make */
  decode(): unknown {
    try {
      const value = this.#codec === CODEC.shared ? readShared(this.#message) : this.#readPlain()
      this.#isProven = true
      return value
    } catch (error) {
      // Near the end of the stack cbor-x may not get to it, and would take the next message for one inside this.
      clearSource()
      const value = this.#message
      throw new CacheError('ERR_CACHE_CORRUPT', 'A stored value cannot be decoded.', { value, cause: error })
    }
  }

  #readPlain(): unknown {
    if (this.#codec !== CODEC.plain) throw new Error(`unknown codec ${this.#codec}`)
    if (!this.#isProven) return read(this.#message)
    decoder ??= createDecoder()
    ;(decoder as unknown as { structures: unknown }).structures = []
    return decoder.decode(this.#message)
  }
}

function readShared(message: Buffer): unknown {
  targets = new Targets()
  try {
    return targets.complete(read(message))
  } finally {
    targets = undefined
  }
}

function write(codec: number, message: unknown, value: unknown): Uint8Array {
  encoder ??= createEncoder()
  try {
    const { encode } = encoder as unknown as { encode(value: unknown, mode: number): Buffer }
    const bytes = encode(message, RESET_BUFFER_MODE)
    if (bytes.length > KEPT_BUFFER_BYTES) dropEncoder(encoder)
    bytes[HEADER_BYTES_DROPPED] = codec
    return bytes.subarray(HEADER_BYTES_DROPPED)
  } catch (error) {
    // A stack overflow at the wrong moment leaves cbor-x with a buffer and a view that do not belong together.
    dropEncoder(encoder)
    throw unwrittenError(error, value)
  }
}

function dropEncoder(used: Encoder): void {
  const { useBuffer } = used as unknown as { useBuffer(buffer: Uint8Array): void }
  useBuffer(Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES))
  encoder = undefined
}

function createEncoder(): Encoder {
  registerExtensions()
  return new Encoder({ useSelfDescribedHeader: true })
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

let isRegistered = false

function registerExtensions(): void {
  if (isRegistered) return
  isRegistered = true
  const add = addExtension as (extension: object) => void
  for (const tag of UNUSED_TAGS) add({ tag, decode: fail })
  // cbor-x gives a Tag for one that it does not know; there is no option to throw instead, and this copy is our own.
  Object.defineProperty(Tag.prototype, 'tag', { set: fail })
  add({
    Class: Carrier,
    tag: 27,
    encode: ({ name, parts }: Carrier, encode: (item: unknown) => void) => encode([name, ...parts]),
    decode: revive,
  })
  add({
    Class: Reference,
    tag: 29,
    encode: ({ code }: Reference, encode: (item: unknown) => void) => encode(code),
    decode: (code: unknown) => (targets ?? fail()).resolve(code),
  })
  add({
    Class: Leaf,
    tag: 28,
    encode: ({ value }: Leaf, encode: (item: unknown) => void) => encode(value),
    decode: (value: unknown) => (targets ?? fail()).addLeaf(value),
  })
  add({
    tag: 258,
    decode: (items: unknown) => (Array.isArray(items) ? new Set(items) : fail()),
  })
}
