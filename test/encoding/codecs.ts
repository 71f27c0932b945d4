import { CacheError } from '../../src/base/errors.js'
import { decodeValue } from '../../src/encoding/decode.js'
import { createValueCodec } from '../../src/encoding/encode.js'

export const strict = createValueCodec({ cyclic: false, classInstances: 'refuse' })
export const lenient = createValueCodec({ cyclic: false, classInstances: 'plain' })
export const cyclic = createValueCodec({ cyclic: true, classInstances: 'refuse' })

export class Point {
  x = 1
  y = -0
}

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
export const there = (value: unknown, codec = strict) => Buffer.from(codec.encode(value))
export const andBack = (value: unknown, codec = strict) => decodeValue(there(value, codec))

export function refusal(value: unknown, codec = strict): CacheError {
  try {
    codec.encode(value)
  } catch (error) {
    if (error instanceof CacheError) return error
    throw error
  }
  throw new Error('the value was not refused')
}

export function nested(depth: number, wrap: (value: unknown, level: number) => unknown): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = wrap(value, level)
  return value
}
