import { describe, expect, test } from 'vitest'
import { decodeValue } from '../../src/encoding/decode.js'
import { createValueCodec } from '../../src/encoding/encode.js'
import { recordBytes } from './record-bytes.js'
import { isSame } from './same.js'

const strict = createValueCodec({ cyclic: false, classInstances: 'refuse' })
const lenient = createValueCodec({ cyclic: false, classInstances: 'plain' })
const cyclic = createValueCodec({ cyclic: true, classInstances: 'refuse' })
const there = (value: unknown, codec = strict) => Uint8Array.from(codec.encode(value))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const hexOf = (text: string) => Buffer.from(text).toString('hex')
const many = <Item>(count: number, item: (index: number) => Item) => Array.from({ length: count }, (_, i) => item(i))

/** The bytes of records with these items and strings, in hex. */
const records = (items: string, strings: unknown, codec = 2) => hex(recordBytes(items, strings, codec))

describe('a small value that JSON can express', () => {
  test.each([
    ['null', null],
    ['"é"', 'é'],
    ['{"b":[1,0.5,1e+21],"a":{"":true}}', { b: [1, 0.5, 1e21], a: { '': true } }],
    [
      '["\\"\\\\\\n\\u2028 \\ud800","\\u007f"]'.replace('\\u2028', '\u2028').replace('\\u007f', '\u007f'),
      ['"\\\n\u2028 \ud800', '\u007f'],
    ],
    ['{"1":2,"__proto__":[],"\\ud800":{}}', JSON.parse('{"1":2,"__proto__":[],"\\ud800":{}}')],
  ])('is stored as JSON: %s', (text, value) => {
    expect(hex(there(value))).toBe(`01${hexOf(text)}`)
    expect(hex(there(value, cyclic))).toBe(`01${hexOf(text)}`)
    expect(isSame(value, decodeValue(there(value)))).toBe(true)
  })

  test('may have up to 64 containers, 200 values that are not strings, and texts of 4,096 characters', () => {
    const codecOf = (value: unknown) => there(value)[0]
    expect([codecOf(many(63, () => ({}))), codecOf(many(64, () => ({})))]).toEqual([1, 2])
    expect([codecOf(many(199, i => i)), codecOf(many(200, i => i))]).toEqual([1, 2])
    expect([codecOf({ a: 'x'.repeat(4096) }), codecOf({ a: 'x'.repeat(4097) })]).toEqual([1, 2])
    expect(codecOf(many(5000, i => `text ${i}`))).toBe(1)
    expect(codecOf(Object.fromEntries(many(5000, i => [`key ${i}`, 'x'])))).toBe(1)
  })

  test.each<[string, unknown]>([
    ['-0', [-0]],
    ['NaN', { a: Number.NaN }],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['undefined', { a: undefined }],
    ['a BigInt', 1n],
    ['a regular expression', [/a/]],
  ])('is stored as records with %s', (_, value) => {
    expect(there(value)[0]).toBe(2)
    expect(isSame(value, decodeValue(there(value)))).toBe(true)
  })

  test.each<[string, unknown]>([
    ['a date', { a: undefined, b: [new Date(1)] }],
    ['a Map', new Map([[1, [undefined]]])],
    ['a Set', [new Set([/a/])]],
    ['bytes', { a: Buffer.from('a') }],
    ['an error', [new TypeError('a')]],
    ['a date after much else', [many(300, i => ({ i })), new Date(1)]],
  ])('is stored as cbor with %s', (_, value) => {
    expect(there(value)[0]).toBe(4)
    expect(isSame(value, decodeValue(there(value)))).toBe(true)
  })

  test('is stored as records if the host added toJSON to Array or Object', () => {
    for (const prototype of [Array.prototype, Object.prototype]) {
      Object.defineProperty(prototype, 'toJSON', { value: () => 'not this', configurable: true })
      try {
        const value = { list: ['a', { b: 'text' }] }
        expect(decodeValue(there(value))).toEqual(value)
      } finally {
        Reflect.deleteProperty(prototype, 'toJSON')
      }
    }
  })

  test('has the same bytes as another value that decodes to the same', () => {
    class Point {
      x = 1
    }
    const bytes = hex(there([{ x: 1 }]))
    for (const value of [[new Point()], [Object.assign(Object.create(null), { x: 1 })]])
      expect(hex(there(value, lenient))).toBe(bytes)
  })
})

describe('records', () => {
  const text = `7f 00080000 ${hexOf('é'.repeat(1024))}`

  test.each<[string, unknown, string, string[]]>([
    ['undefined and NaN', [undefined, Number.NaN], '82 73 76', []],
    ['doubles', [Number.NaN, 0.5, -0], '83 76 71 000000000000e03f 71 0000000000000080', []],
    [
      'integers, as differences to those in the same position',
      [
        [47, 1000, Number.NaN],
        [0, 999],
      ],
      '82 83 5f 67e8 76 82 01 2f',
      [],
    ],
    [
      'large differences',
      [undefined, [262143, -262144, 2 ** 31 - 1, -(2 ** 31)]],
      '82 73 84 6fffff 680000 70ffffff7f 7000000080',
      [],
    ],
    ['strings, once each', ['é', undefined, 'é', ''], '84 7a 73 90 7a', ['é', '']],
    ['a long text, at each occurrence', ['é'.repeat(1024), 'é'.repeat(1024), 0n], `83 ${text} ${text} 77 7a`, ['0']],
    ['a long text that UTF-8 cannot express', ['\ud800'.repeat(1024), 0n], '82 7a 77 7a', ['\ud800'.repeat(1024), '0']],
    ['BigInts', [-255n, 0n], '82 77 7a 77 7a', ['-ff', '0']],
    ['a regular expression', /a/g, '78 7a 7a 30', ['a', 'g']],
    ['a record', { a: undefined, b: 1 }, '7c 02 7a 7a 73 31', ['a', 'b']],
    [
      'a record with the keys of an earlier one',
      [
        { a: 'x', b: undefined },
        { a: 'x', b: 'y' },
      ],
      '82 7c 02 7a 7a 7a 73 c0 01 7a',
      ['a', 'b', 'x', 'y'],
    ],
    ['the integers under one key', [{ a: 5 }, { a: 7, b: undefined }], '82 7d 01 7a 35 7c 02 90 7a 32 73', ['a', 'b']],
  ])('encode %s', (_, value, items, strings) => {
    expect(hex(there(value))).toBe(records(items, strings))
    expect(isSame(value, decodeValue(there(value)))).toBe(true)
  })

  test('encode shared references and cycles', () => {
    const shared: unknown[] = []
    const loop: unknown[] = [shared, shared]
    loop.push(loop)
    expect(hex(there(loop, cyclic))).toBe(records('83 80 7901 7902', [], 3))
    expect(isSame(loop, decodeValue(there(loop, cyclic)), true)).toBe(true)
  })

  test('are decoded unchanged, whatever their sizes and numbers', () => {
    for (const count of [14, 15, 31, 32, 33, 55, 56, 57, 127, 128, 2103, 2104, 2105, 4127, 4128, 4129, 20_000]) {
      const strings = many(count, i => `text ${i}`)
      const value = [
        strings,
        strings.toReversed(),
        many(count, i => ({ [`key ${i}`]: i, list: [i] })),
        many(count, i => ({ [`key ${count - i - 1}`]: i, list: [] })),
      ]
      const bytes = there(value)
      expect(isSame(value, decodeValue(bytes))).toBe(true)
      expect(hex(there(value))).toBe(hex(bytes))
    }
    for (const count of [1, 7, 8, 9, 16, 23, 24, 25, 31, 32, 33, 70]) {
      const record = (i: number) =>
        Object.fromEntries(
          many(count, n => [`k${n}`, [`v${i % n}`, null, n % 2 === i % 3, undefined, i, [n], -0][n % 7]]),
        )
      const value = many(40, record)
      expect(isSame(value, decodeValue(there(value)))).toBe(true)
    }
  })

  test('nested in records of the same keys are decoded unchanged', () => {
    const node = (depth: number): unknown => ({
      kind: depth % 2 ? 'odd' : 'even',
      left: depth > 0 ? node(depth - 1) : null,
      flag: depth % 3 === 0,
      right: depth > 1 ? node(depth - 2) : undefined,
      kindAgain: depth % 2 ? 'odd' : 'even',
    })
    expect(isSame(node(12), decodeValue(there(node(12))))).toBe(true)
  })

  test('are decoded unchanged if the host changed Object.prototype', () => {
    const value = [many(200, i => i), { changed: 1, own: 2 }, { changed: 3, own: 4 }]
    Object.defineProperty(Object.prototype, 'changed', {
      set() {
        throw new Error('inherited')
      },
      get: () => 'inherited',
      configurable: true,
    })
    try {
      const back = decodeValue(there(value)) as typeof value
      expect(back.slice(1).map(each => Object.entries(each))).toEqual([
        [
          ['changed', 1],
          ['own', 2],
        ],
        [
          ['changed', 3],
          ['own', 4],
        ],
      ])
    } finally {
      Reflect.deleteProperty(Object.prototype, 'changed')
    }
  })
})
