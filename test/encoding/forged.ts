// Forged bytes decode to a value or are refused.

import fc from 'fast-check'
import { CacheError } from '../../src/base/errors.js'
import { decodeValue } from '../../src/encoding/decode.js'
import { cyclic as codec } from './codecs.js'

export function decodeOrRefuse(bytes: Uint8Array): unknown {
  try {
    return decodeValue(bytes)
  } catch (error) {
    if (error instanceof CacheError && /^ERR_CACHE_CO(RRUPT|DEC)$/.test(error.code)) return error
    throw error
  }
}

export function isValueOrRefused(bytes: Uint8Array): boolean {
  const value = decodeOrRefuse(bytes)
  return value instanceof CacheError || isValue(value)
}

/** Bytes to change: where, and into what. */
export const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })

/** The same of what holds the value, without its codec byte. */
export function isValueOrRefusedOnceChanged(value: unknown, list: readonly [number, number][]): boolean {
  const bytes = Uint8Array.from(codec.encode([value, { a: value, b: [{ a: -0, b: value }], c: /x/ }]))
  for (const [at, byte] of list) bytes[1 + (at % (bytes.length - 1))] = byte
  return isValueOrRefused(bytes)
}

/** Only what a value may hold; a decoder's own objects (tags, functions) must never come out. */
function isValue(value: unknown, seen = new Set<unknown>()): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false
  if (typeof value !== 'object' || value === null || seen.has(value)) return true
  seen.add(value)
  if (value.constructor?.name === 'Tag' || Object.getPrototypeOf(value) === null) return false
  if (value instanceof Map || value instanceof Set) return [...value].flat(1).every(item => isValue(item, seen))
  if (ArrayBuffer.isView(value)) return true
  return Object.values(value).every(item => isValue(item, seen))
}
