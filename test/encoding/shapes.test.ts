import { describe, expect, test } from 'vitest'
import { decodeValue } from '../../src/encoding/decode.js'
import { createValueCodec } from '../../src/encoding/encode.js'

const strict = createValueCodec({ cyclic: false, classInstances: 'refuse' })
const cyclic = createValueCodec({ cyclic: true, classInstances: 'refuse' })
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const there = (value: unknown, codec = strict) => Uint8Array.from(codec.encode(value))

describe('a value of many objects', () => {
  const CODEC_WITH_SHAPES = 3
  const many = <Item>(count: number, item: (index: number) => Item) => Array.from({ length: count }, (_, i) => item(i))

  test('lists the keys of its objects first', () => {
    const bytes = there(many(100, i => (i % 2 === 0 ? { a: 1, é: 2 } : { a: 3 })))
    const item = many(50, () => 'd9e000820102d9e0008103').join('')
    expect(hex(bytes)).toBe(`030c00${Buffer.from('[["a","é"]]').toString('hex')}9864${item}`)
  })

  test('comes back as it went in, however many kinds of objects there are', () => {
    for (const kinds of [1, 2, 100, 127, 128, 129, 300, 5000]) {
      const value = many(Math.max(64, 2 * kinds), i => ({ [`key ${i % kinds}`]: i, list: [i] }))
      const bytes = there(value)
      expect(decodeValue(bytes)).toEqual(value)
      expect(bytes[0]).toBe(kinds < 128 ? CODEC_WITH_SHAPES : 1)
      expect(hex(there(value))).toBe(hex(bytes))
    }
  })

  test('comes back with each order of the same keys, with none, and with the first of those of others', () => {
    const value = many(
      2000,
      i => [{ a: i, b: 1 }, { b: 1, a: i }, {}, { a: i }, { a: i, b: 1, c: 2 }, { a: i, c: 2 }][i % 6],
    )
    const back = decodeValue(there(value)) as object[]
    expect(back.map(each => Object.entries(each))).toEqual(value.map(each => Object.entries(each as object)))
  })

  test('defines keys of great length where they first stand', () => {
    const value = many(64, i => ({ [`${i}`.padEnd(300, 'k')]: i }))
    expect(there(value)[0]).toBe(1)
    expect(decodeValue(there(value))).toEqual(value)
  })

  test('that shares some of them has shapes as well', () => {
    const shared = { type: 'shared' }
    const value = many(64, i => ({ i, shared }))
    const bytes = there(value, cyclic)
    expect(bytes[0]).toBe(4)
    const back = decodeValue(bytes) as typeof value
    expect(back).toEqual(value)
    expect(back[0]?.shared).toBe(back[63]?.shared)
  })
})
