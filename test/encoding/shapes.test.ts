import { describe, expect, test, vi } from 'vitest'
import { decodeValue } from '../../src/encoding/decode.js'
import { createValueCodec } from '../../src/encoding/encode.js'

const strict = createValueCodec({ cyclic: false, classInstances: 'refuse' })
const cyclic = createValueCodec({ cyclic: true, classInstances: 'refuse' })
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const there = (value: unknown, codec = strict) => Buffer.from(codec.encode(value))

describe('a value whose objects need cbor', () => {
  /** Makes it one for cbor. */
  const date = new Date(0)
  const many = <Item>(count: number, item: (index: number) => Item) => Array.from({ length: count }, (_, i) => item(i))

  test('starts with a list of their keys', () => {
    const bytes = there([date, many(100, i => (i % 2 === 0 ? { a: 1, é: 2 } : { a: 3 }))])
    const item = many(50, () => 'd9e000820102d9e0008103').join('')
    expect(hex(bytes)).toBe(`040c00${Buffer.from('[["a","é"]]').toString('hex')}82c11a000000009864${item}`)
    expect(hex(there(date))).toBe(`040200${Buffer.from('[]').toString('hex')}c11a00000000`)
  })

  test('is decoded unchanged, however many kinds of objects there are', () => {
    for (const kinds of [1, 2, 127, 128, 129, 249, 250, 251, 256, 300, 5000]) {
      const value = [date, many(2 * kinds, i => ({ [`key ${i % kinds}`]: i, list: [i] }))]
      const bytes = there(value)
      expect(decodeValue(bytes)).toEqual(value)
      // Else each object has its keys.
      expect(bytes.readUInt16LE(1) > 2).toBe(kinds < 250)
      expect(hex(there(value))).toBe(hex(bytes))
    }
  })

  test('keeps the key order of every object', () => {
    const value = many(
      2000,
      i => [{ a: i, b: 1 }, { b: 1, a: i }, {}, { a: i }, { a: i, b: 1, c: 2 }, { a: i, c: 2 }][i % 6],
    )
    const [, back] = decodeValue(there([date, value])) as [Date, object[]]
    expect(back.map(each => Object.entries(each))).toEqual(value.map(each => Object.entries(each as object)))
  })

  test('can have very long keys and lists of keys', () => {
    for (const length of [300, 70_000]) {
      const value = [date, many(64, i => ({ [`${i}`.padEnd(length, 'k')]: i }))]
      expect(there(value).readUInt16LE(1) > 2).toBe(length === 300)
      expect(decodeValue(there(value))).toEqual(value)
    }
  })

  test('can share some of these objects', () => {
    const shared = { type: 'shared' }
    for (const count of [64, 3000]) {
      const value = many(count, i => ({ [`key ${count === 64 ? '' : i}`]: i, shared }))
      const bytes = there([date, value], cyclic)
      expect(bytes[0]).toBe(5)
      const [, back] = decodeValue(bytes) as [Date, typeof value]
      expect(back).toEqual(value)
      expect(back[0]?.shared).toBe(back[63]?.shared)
    }
  })

  test('is decoded without generating code', () => {
    const bytes = there([date, many(100, i => ({ a: i, b: date }))])
    let made = 0
    const construct = (target: typeof Function, args: string[]) => {
      made++
      return Reflect.construct(target, args)
    }
    vi.stubGlobal('Function', new Proxy(Function, { construct }))
    for (let i = 0; i < 5; i++) decodeValue(bytes)
    vi.unstubAllGlobals()
    expect(made).toBe(0)
  })
})
