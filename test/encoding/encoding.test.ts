import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { decodeValue } from '../../src/encoding/decode.js'
import { andBack, cyclic, hex, lenient, Point, refusal, strict, there } from './codecs.js'
import { isSame } from './same.js'

const proto = JSON.parse('{"a":1,"__proto__":{"b":-0},"c":[]}')
const withLastIndex = /a/g
withLastIndex.lastIndex = 3
const syntaxError = Object.assign(new SyntaxError('bad \ud800', { cause: { line: 3 } }), { loc: { line: 1 }, pos: 7 })
const named = new TypeError('x')
named.name = 'ParseError'

const RESTORED: Record<string, unknown> = {
  null: null,
  booleans: [true, false],
  'undefined in an object and an array': { a: undefined, b: [undefined] },
  integers: [
    0,
    1,
    -1,
    23,
    24,
    255,
    256,
    65535,
    65536,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 31),
    -(2 ** 32),
    -(2 ** 32) - 1,
  ],
  numbers: [0.1, 1e300, 5e-324, 2 ** 53, Infinity, -Infinity, Number.MAX_SAFE_INTEGER],
  'negative zero': [-0, { a: -0 }, new Map([[1, -0]]), new Set([[-0]])],
  NaN: [Number.NaN, 0 / Number('0'), new Map([[Number.NaN, Number.NaN]])],
  'BigInts within 64 bits': [0n, 1n, -1n, 2n ** 64n - 1n, -(2n ** 64n) + 1n],
  'larger BigInts': [2n ** 64n, -(2n ** 64n), 2n ** 4000n, -(2n ** 4000n) - 1n],
  strings: ['', 'a', 'é', '日本', '😀', 'x'.repeat(70_000), 'é'.repeat(40), '日'.repeat(31), '\0', '\ufffd'],
  'lone surrogates': ['\ud800', `${'a'.repeat(100)}\udfff`, { '\ud800': 1, b: 2 }, new Map([['\udc00', '\ud800']])],
  'a leading byte order mark': ['\ufeff', `\ufeff${'a'.repeat(100)}`, { [`\ufeff${'k'.repeat(100)}`]: 1 }],
  'an own __proto__': proto,
  'an own __keys__': [{ __keys__: 1 }, { a: 1, __keys__: { b: 2 } }, { a: 1 }, {}],
  'keys that are also methods': {
    constructor: 1,
    hasOwnProperty: 2,
    toString: 3,
    length: 4,
    // biome-ignore lint/suspicious/noThenProperty: data of that name must work
    then: 5,
    toJSON: { a: 6 },
    valueOf: 7,
  },
  'a constructor that looks like a class': { constructor: { name: 'Map' }, b: 1 },
  'keys of any kind': { '': 1, 'a b': 2, 'a-b': 3, if: 4, '"': 5, '\u2028': 6, '1': 7, '-1': 8, '01': 9, __proto_: 10 },
  'integer-like keys': { b: 1, 2: 2, 1: 3, a: 4 },
  'many shapes': Array.from({ length: 600 }, (_, i) => ({ [`k${i % 300}`]: i, [`v${i % 7}`]: { n: i } })),
  'one shape many times': Array.from({ length: 20 }, (_, i) => ({ 'a b': i, c: { d: [i] } })),
  'a large dictionary with one odd key': Object.fromEntries(
    [...Array(150_000).keys(), '\ud800'].map(key => [`k${key}`, 1]),
  ),
  dates: [
    new Date(0),
    new Date(1e12 + 1),
    new Date(-1),
    new Date(8.64e15),
    new Date(-8.64e15 + 1),
    new Date(Number.NaN),
  ],
  'regular expressions': [/a\/b/gimsuy, /(?:)/, /[\p{L}]/du, withLastIndex, /\ud800/],
  errors: [new Error('m'), new Error(), syntaxError, named, new AggregateError([new RangeError('r'), 1], 'all')],
  maps: new Map<unknown, unknown>([
    ['a', 1],
    [1, 'a'],
    [null, 0],
    [{ a: 1 }, new Map()],
    [undefined, undefined],
    [/x/, 1n],
  ]),
  sets: new Set<unknown>(['a', 1, null, { a: 1 }, new Set(), undefined, Number.NaN, 2n]),
  'byte arrays': [
    new Uint8Array([1, 2]),
    Buffer.from('abc'),
    Buffer.alloc(0),
    new Uint8Array(),
    new Uint8Array(70_000),
  ],
  'typed arrays': [
    new Uint8ClampedArray([1, 255]),
    new Int8Array([-1]),
    new Int16Array([-300]),
    new Uint16Array([300]),
    new Int32Array([-1, 2]),
    new Uint32Array([2 ** 31]),
    new Float32Array([0.5, -0]),
    new Float64Array([Number.NaN, -0]),
    new BigInt64Array([-1n]),
    new BigUint64Array([2n ** 63n]),
    new Uint16Array(Uint8Array.from({ length: 9 }, (_, i) => i).buffer, 2, 3),
  ],
  'array buffers and views': [new Uint8Array([1, 2, 3]).buffer, new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1)],
}

describe('values that are decoded unchanged', () => {
  test.each(Object.entries(RESTORED))('%s', (_, value) => {
    expect(isSame(value, andBack(value))).toBe(true)
    expect(isSame(value, andBack(value, lenient))).toBe(true)
    expect(isSame(value, andBack(value, cyclic))).toBe(true)
  })

  test('objects without a prototype or from another realm get Object.prototype', () => {
    const nothing = Object.assign(Object.create(null), { a: 1, constructor: 2 })
    const foreign = runInNewContext('({ a: [1, { b: 2 }, -0] })')
    expect(isSame({ a: 1, constructor: 2 }, andBack(nothing))).toBe(true)
    expect(isSame({ a: [1, { b: 2 }, -0] }, andBack(foreign))).toBe(true)
  })

  test('accessors are stored by their value, and properties that are not enumerable are left out', () => {
    const value = Object.defineProperties({ a: 1 }, { b: { value: 2 }, c: { get: () => 3, enumerable: true } })
    expect(andBack(value)).toEqual({ a: 1, c: 3 })
  })

  test('encoding does not change the value', () => {
    const value = { a: [-0, '\ud800'], m: new Map([[Number.NaN, { __keys__: -0 }]]) }
    const before = structuredClone(value)
    strict.encode(value)
    expect(isSame(before, value)).toBe(true)
  })

  test("classInstances: 'plain' decodes instances as plain objects", () => {
    const value = [new Point(), { at: Object.assign(new Point(), { [Symbol('s')]: 1, constructor: 'own' }) }]
    expect(isSame([{ x: 1, y: -0 }, { at: { x: 1, y: -0, constructor: 'own' } }], andBack(value, lenient))).toBe(true)
  })

  test('decoded views have their own copied buffers', () => {
    const bytes = Buffer.from(there([Buffer.from('abc'), new Uint8Array([1, 2])]))
    const [buffer, array] = decodeValue(bytes) as [Buffer, Uint8Array]
    bytes.fill(0)
    expect([buffer.toString(), buffer.buffer.byteLength, [...array], array.buffer.byteLength]).toEqual([
      'abc',
      3,
      [1, 2],
      2,
    ])
  })
})

describe('cyclic values', () => {
  test('a value without shared references has the same bytes in plain and cyclic namespaces', () => {
    for (const value of Object.values(RESTORED)) {
      const bytes = there(value, cyclic)
      if ([1, 2, 4].includes(bytes[0] as number)) expect(hex(bytes)).toBe(hex(there(value)))
    }
    expect(hex(there({ a: [{}, -0] }, cyclic))).toBe(hex(there({ a: [{}, -0] })))
  })

  test('keep cycles and shared references through every kind of container', () => {
    const map = new Map<unknown, unknown>()
    const set = new Set<unknown>([map])
    const error = Object.assign(new RangeError('r'), { set })
    const odd: Record<string, unknown> = JSON.parse('{"__proto__":{"a":1},"__keys__":2}')
    const leaves = [new Date(5), /a/g, Buffer.from('abc'), new Float32Array([1]), new DataView(new ArrayBuffer(2))]
    const root = { map, again: [set, set], error, odd, leaves, leavesAgain: [...leaves], self: null as unknown }
    root.self = root
    map.set(root, map).set('error', error).set(set, odd)
    odd['\ud800'] = odd
    error.cause = error
    expect(isSame(root, andBack(root, cyclic), true)).toBe(true)
    expect(isSame([map, root], andBack([map, root], cyclic), true)).toBe(true)
  })

  test('keep parent links, a linked list of 100,000 nodes and over 65,535 shared references', () => {
    const child: Record<string, unknown> = { type: 'leaf' }
    const tree = { type: 'root', body: [child, { type: 'leaf', parent: null as unknown }] }
    child.parent = tree
    tree.body[1]!.parent = tree
    expect(isSame(tree, andBack(tree, cyclic), true)).toBe(true)

    interface Node {
      n: number
      next?: Node
      previous?: Node
    }
    const nodes = Array.from({ length: 100_000 }, (_, n): Node => ({ n }))
    nodes.forEach((node, i) => {
      if (nodes[i - 1]) node.previous = nodes[i - 1]!
      if (nodes[i + 1]) node.next = nodes[i + 1]!
    })
    let node = andBack(nodes[0], cyclic) as Node | undefined
    let previous: Node | undefined
    let count = 0
    for (; node; previous = node, node = node.next) {
      if (node.n !== count++ || node.previous !== previous) throw new Error(`node ${node.n}`)
    }
    expect(count).toBe(100_000)
  })
})

describe('determinism', () => {
  test('the bytes do not depend on earlier encodes, not even failed ones', () => {
    const values = [...Object.values(RESTORED), { __keys__: 1 }, {}]
    const first = values.map(value => hex(there(value)))
    expect(values.toReversed().map(value => hex(there(value)))).toEqual(first.toReversed())
    for (const [index, value] of values.entries()) {
      refusal({ a: { b: [value, () => 1] } })
      expect(hex(there(value))).toBe(first[index])
    }
  })

  test('every NaN has the same bytes', () => {
    const [negative] = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer)
    expect(hex(there([negative, { a: negative }]))).toBe(hex(there([Number.NaN, { a: Number.NaN }])))
  })

  test('a value much larger than the buffer does not change later ones', () => {
    for (const also of [{}, { date: new Date(1) }]) {
      const small = hex(there({ a: 1, ...also }))
      const large = { text: 'é'.repeat(2_000_000), list: Array.from({ length: 100_000 }, (_, i) => i), ...also }
      expect(isSame(large, andBack(large))).toBe(true)
      expect(hex(there({ a: 1, ...also }))).toBe(small)
    }
  })

  test('encodes share one small buffer, even after a large value', () => {
    for (const also of [{}, { date: new Date(1) }]) {
      strict.encode({ text: 'x'.repeat(5_000_000), ...also })
      const next = cyclic.encode({ b: 2, ...also })
      const last = strict.encode({ c: 3, ...also })
      expect([last.buffer === next.buffer, last.byteOffset]).toEqual([true, next.byteOffset])
      expect(last.buffer.byteLength).toBe(8192)
    }
  })

  test('an accessor can encode another value during an encode', () => {
    const list = Array.from({ length: 300 }, (_, i) => ({ i }))
    const value = {
      list,
      get inner() {
        return JSON.stringify(decodeValue(cyclic.encode([list, list, new Date(1)])))
      },
      last: 'text',
    }
    expect(andBack(value)).toEqual({ list, inner: JSON.stringify([list, list, new Date(1)]), last: 'text' })
  })

  test('an accessor cannot encode a cbor value during a cbor encode', () => {
    const value = {
      get a() {
        return strict.encode([new Date(1)]).length
      },
      b: new Map(),
    }
    expect(refusal(value).message).toContain(
      '$.a cannot be read: The value cannot be stored: $ is stored by an accessor',
    )
    expect(andBack({ a: new Map() })).toEqual({ a: new Map() })
  })
})
