// Values as JSON in UTF-8, for namespaces with `values: 'json'`. Programs in other languages get back exactly the bytes they
// set, such as `1.0` and integers of any size. They can also read what JavaScript has set, if JSON can express it.

import { isUtf8 } from 'node:buffer'
import { CacheError } from '../base/errors.js'
import { CODEC } from './codecs.js'
import { parseExtendedJson } from './extended-json.js'
import { findMistake } from './json-scan.js'
import { pathOf, type Segment } from './refusal.js'

/**
 * The bytes to store for JSON that a caller passes as text or bytes.
 *
 * @throws CacheError `ERR_CACHE_VALUE`
 */
export function encodeJsonBytes(value: unknown): Uint8Array {
  if (typeof value !== 'string' && !ArrayBuffer.isView(value)) {
    throw refuse('JSON must be given as a text or as bytes of UTF-8', value)
  }
  const length = typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength
  const stored = Buffer.from(new ArrayBuffer(1 + length))
  stored[0] = CODEC.foreignJson
  const json = stored.subarray(1)
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw refuse('Lone surrogates in JSON must be escaped', value)
    json.write(value)
  } else {
    json.set(Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, length))
    if (!isUtf8(json)) throw refuse('JSON must be UTF-8', value)
  }
  const mistake = findMistake(json)
  if (mistake) throw refuse(`The value ${mistake.why}, at byte ${mistake.offset}`, value)
  return stored
}

/**
 * A stored value as JSON: the original text, or a JavaScript value converted to JSON.
 *
 * @throws CacheError `ERR_CACHE_VALUE` for values that JSON can't express, and whatever `decode` throws
 */
export function decodeJsonBytes(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown): Uint8Array {
  const [codec] = bytes
  if (codec === CODEC.json || codec === CODEC.foreignJson) return Buffer.from(bytes.subarray(1))
  return Buffer.from(new JsonWriter().text(decode(bytes)))
}

/** The JavaScript value that handles without `values: 'json'` get for stored JSON. @throws SyntaxError */
export function parseForeignJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return parseExtendedJson(text)
  }
}

function refuse(message: string, value: unknown): CacheError {
  return new CacheError('ERR_CACHE_VALUE', `${message}.`, { value })
}

class JsonWriter {
  readonly #path: Segment[] = []
  readonly #holders = new Set<object>()

  /** Like `JSON.stringify`, but throws where that would silently drop or change something. */
  text(value: unknown): string {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return JSON.stringify(value)
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value)
      case 'object':
        return value === null ? 'null' : this.#container(value)
      default:
        throw this.#refuse(value, typeof value === 'bigint' ? 'a BigInt' : String(value))
    }
  }

  #container(value: object): string {
    if (this.#holders.has(value)) throw this.#refuse(value, 'a reference to what it lies in')
    this.#holders.add(value)
    const text = Array.isArray(value) ? this.#array(value) : this.#object(value)
    this.#holders.delete(value)
    return text
  }

  #array(array: unknown[]): string {
    if (Object.keys(array).length !== array.length) throw this.#refuse(array, 'an array with gaps or named properties')
    return `[${array.map((item, index) => this.#within(index, item)).join(',')}]`
  }

  #object(object: object): string {
    if (Object.getPrototypeOf(object) !== Object.prototype) {
      throw this.#refuse(object, `a ${object.constructor?.name ?? 'special object'}`)
    }
    const fields = Object.entries(object).map(([key, item]) => `${JSON.stringify(key)}:${this.#within(key, item)}`)
    return `{${fields.join(',')}}`
  }

  #within(segment: Segment, value: unknown): string {
    this.#path.push(segment)
    const text = this.text(value)
    this.#path.pop()
    return text
  }

  #refuse(value: unknown, what: string): CacheError {
    return refuse(`The stored value can't be said in JSON: ${pathOf(this.#path)} is ${what}`, value)
  }
}
