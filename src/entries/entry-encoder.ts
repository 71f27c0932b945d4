// The bytes of values, as the entries of a handle store them.

import { CacheError } from '../base/errors.js'
import { MAX_VALUE_BYTES } from '../base/layout.js'
import { createValueCodec, type ValueCodec } from '../encoding/encode.js'
import { encodeJsonBytes } from '../encoding/foreign-json.js'
import type { ValueCodecOptions } from '../encoding/options.js'

interface EncoderOptions extends ValueCodecOptions {
  isJson: boolean
}

export function createEntryEncoder(options: EncoderOptions): EntryEncoder {
  return new EntryEncoder(options)
}

export class EntryEncoder {
  readonly #options: EncoderOptions
  #codec: ValueCodec | undefined
  #exactCodec: ValueCodec | undefined

  constructor(options: EncoderOptions) {
    this.#options = options
  }

  /**
   * The value's bytes, which the next call may overwrite.
   *
   * @throws CacheError `ERR_CACHE_VALUE`, `ERR_CACHE_VALUE_TOO_LARGE`
   */
  encode(value: unknown): Uint8Array {
    this.#codec ??= createValueCodec(this.#options)
    return assertSize(this.#codec.encode(value), value)
  }

  /** Likewise, of what tells questions apart: instances of classes may differ in what their fields don't show. @throws the same */
  encodeExactly(value: unknown): Uint8Array {
    this.#exactCodec ??= createValueCodec({ ...this.#options, classInstances: 'refuse' })
    return assertSize(this.#exactCodec.encode(value), value)
  }

  /** Likewise, of what is stored for a caller to get back. @throws the same */
  encodeValue(value: unknown): Uint8Array {
    return this.#options.isJson ? assertSize(encodeJsonBytes(value), value) : this.encode(value)
  }
}

/** The bytes. @throws CacheError `ERR_CACHE_VALUE_TOO_LARGE` */
function assertSize(bytes: Uint8Array, value: unknown): Uint8Array {
  if (bytes.length <= MAX_VALUE_BYTES) return bytes
  const message = `A value must not take more than ${MAX_VALUE_BYTES} bytes; this one takes ${bytes.length}.`
  throw new CacheError('ERR_CACHE_VALUE_TOO_LARGE', message, { value })
}
