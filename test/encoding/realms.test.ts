import { createContext, runInContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { decodeValue } from '../../src/encoding/decode.js'
import { createValueCodec } from '../../src/encoding/encode.js'

const realm = createContext({})
const evaluate = (code: string) => runInContext(`(${code})`, realm)

const VALUES: Record<string, [string, unknown]> = {
  'an object': ['{ a: [1, { b: null }] }', { a: [1, { b: null }] }],
  'a date': ['new Date(5)', new Date(5)],
  'a map': ["new Map([['k', new Map([[1, new Date(6)]])]])", new Map([['k', new Map([[1, new Date(6)]])]])],
  'a set': ["new Set(['a', 1n])", new Set(['a', 1n])],
  'a regular expression': ['Object.assign(/a+/gi, { lastIndex: 3 })', Object.assign(/a+/gi, { lastIndex: 3 })],
  bytes: ['new Uint8Array([1, 2, 3])', new Uint8Array([1, 2, 3])],
  floats: ['new Float64Array([0.5])', new Float64Array([0.5])],
  'a data view': ['new DataView(new ArrayBuffer(2))', new DataView(new ArrayBuffer(2))],
  'an array buffer': ['new Uint8Array([7]).buffer', new Uint8Array([7]).buffer],
}

describe.each([false, true])('values of another realm, cyclic: %s', cyclic => {
  const codec = createValueCodec({ cyclic, classInstances: 'refuse' })
  const roundTrip = (value: unknown) => decodeValue(Buffer.from(codec.encode(value)))

  test.each(Object.entries(VALUES))('%s is decoded as a value of this realm', (_, [code, expected]) => {
    const { value } = roundTrip({ value: evaluate(code) }) as { value: object }
    expect(value).toEqual(expected)
    expect(Object.getPrototypeOf(value)).toBe(Object.getPrototypeOf(expected))
    if (expected instanceof RegExp) expect((value as RegExp).lastIndex).toBe(3)
  })

  test('an error keeps its class and extra properties', () => {
    const value = roundTrip(evaluate("Object.assign(new TypeError('wrong'), { code: 'E_WRONG' })")) as Error
    expect(value).toBeInstanceOf(TypeError)
    expect(value).toMatchObject({ message: 'wrong', code: 'E_WRONG' })
  })

  test.each([
    'new (class extends Date {})(5)',
    'new (class extends Map {})()',
    'new (class extends Error {})()',
    'Object.assign(new Date(5), { added: 1 })',
    'Object.assign(new Map(), { added: 1 })',
    'new (class Point { x = 1 })()',
    'new WeakMap()',
    'Promise.resolve()',
  ])('%s is rejected', code => {
    expect(() => codec.encode({ value: evaluate(code) })).toThrow(
      expect.objectContaining({ code: 'ERR_CACHE_VALUE', message: expect.stringContaining('$.value') }),
    )
  })
})
