// A stored value that is read repeatedly. Each read returns a new copy.
//
// Small plain data is decoded once and then copied, which takes a sixth of the time: its strings needn't be created again.

import { CODEC } from './codecs.js'
import { decodeValue } from './decode.js'
import { defineOwn } from './define-own.js'

/**
 * Longer values are decoded each time. Copying a syntax tree takes as long, and keeping it takes several times the memory.
 */
const MAX_COPIED_BYTES = 4 * 1024
/** Roughly how many bytes of memory a decoded value takes per stored byte. */
const MEMORY_FACTOR = 6

export class StoredValue {
  readonly #bytes: Uint8Array
  readonly #mayCopy: boolean
  /** The decoded value to copy; undefined if the value is decoded each time. */
  #original: unknown

  /** The bytes must not change afterwards. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#mayCopy = bytes.length <= MAX_COPIED_BYTES && bytes[0] === CODEC.json
  }

  /** @throws CacheError `ERR_CACHE_CORRUPT`, `ERR_CACHE_CODEC` */
  get(): unknown {
    if (this.#original !== undefined) return copy(this.#original)
    const value = decodeValue(this.#bytes)
    if (this.#mayCopy) this.#original = copy(value)
    return value
  }
}

/** Roughly how much memory a stored value with these bytes takes. */
export function memoryOf({ length }: Uint8Array): number {
  return length <= MAX_COPIED_BYTES ? length * (1 + MEMORY_FACTOR) : length
}

/** A deep copy of a value that `JSON.parse` returned. */
function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = new Array(value.length)
    for (let at = 0; at < items.length; at++) items[at] = copy(value[at])
    return items
  }
  const object = value as Record<string, unknown>
  const fields: Record<string, unknown> = {}
  for (const key of Object.keys(object)) {
    if (key in Object.prototype) defineOwn(fields, key, copy(object[key]))
    else fields[key] = copy(object[key])
  }
  return fields
}
