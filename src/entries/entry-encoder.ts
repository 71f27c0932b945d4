// Encodes values with the options of a handle.

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
   * Returns the value's bytes. The next call may overwrite them.
   *
   * @throws CacheError `ERR_CACHE_VALUE`, `ERR_CACHE_VALUE_TOO_LARGE`
   */
  encode(value: unknown): Uint8Array {
    this.#codec ??= createValueCodec(this.#options)
    return assertSize(this.#codec.encode(value), value)
  }

  /**
   * Encodes a value that tells questions apart. Class instances are refused, because they may differ in ways that their fields
   * don't show. @throws like `encode`
   */
  encodeExactly(value: unknown): Uint8Array {
    this.#exactCodec ??= createValueCodec({ ...this.#options, classInstances: 'refuse' })
    return assertSize(this.#exactCodec.encode(value), value)
  }

  /** Encodes a value that callers get back. @throws like `encode` */
  encodeValue(value: unknown): Uint8Array {
    return this.#options.isJson ? assertSize(encodeJsonBytes(value), value) : this.encode(value)
  }
}

/** Returns the bytes after checking their size. @throws CacheError `ERR_CACHE_VALUE_TOO_LARGE` */
function assertSize(bytes: Uint8Array, value: unknown): Uint8Array {
  if (bytes.length <= MAX_VALUE_BYTES) return bytes
  const message = `A value must not take more than ${MAX_VALUE_BYTES} bytes; this one takes ${bytes.length}.`
  throw new CacheError('ERR_CACHE_VALUE_TOO_LARGE', message, { value })
}
