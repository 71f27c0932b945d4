import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CacheError } from '../../src/base/errors.js'
import { decodeValue } from '../../src/encoding/decode.js'
import { createValueCodec, type ValueCodec } from '../../src/encoding/encode.js'
import { StoredValue } from '../../src/encoding/stored-value.js'
import { isSame } from './same.js'

const plain = createValueCodec({ cyclic: false, classInstances: 'refuse' })
const cyclic = createValueCodec({ cyclic: true, classInstances: 'refuse' })

function encoded(codec: ValueCodec, value: unknown): Buffer | undefined {
  try {
    return Buffer.from(codec.encode(value))
  } catch (error) {
    if (error instanceof CacheError && error.code === 'ERR_CACHE_VALUE') return undefined
    throw error
  }
}

const utf16 = fc.array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd7f0, max: 0xe010 }), fc.nat(0x7f)), {
  maxLength: 80,
})
const text = fc.oneof(
  utf16.map(units => String.fromCharCode(...units)),
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc.string({ maxLength: 30 }).map(tail => `\ufeff${tail.repeat(4)}`),
)
const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'type', 'loc', '0', '1', '') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '__proto__',
      '__keys__',
      'constructor',
      'hasOwnProperty',
      'toJSON',
      'length',
      'then',
      'read',
    ),
  },
  text,
)
const scalar = fc.oneof(
  text,
  fc.constantFrom(-0, 0, Number.NaN, undefined, null, true, 2 ** 32, -(2 ** 32), 2n ** 64n, -(2n ** 64n)),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  fc
    .uint8Array({ maxLength: 8 })
    .chain(bytes =>
      fc.constantFrom<unknown>(bytes, Buffer.from(bytes), bytes.slice().buffer, new DataView(bytes.slice().buffer)),
    ),
  fc.constantFrom(/a/g, new Float64Array([-0]), new RangeError('\ud800')),
)
const asObject = (entries: [string, unknown][]) => {
  const object = {}
  for (const [name, value] of entries)
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  return object
}
const { value: nasty } = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    tie('list'),
    tie('object'),
    tie('map'),
    tie('set'),
  ),
  list: fc.array(tie('value'), { maxLength: 5 }),
  object: fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map(asObject),
  map: fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map(entries => new Map(entries)),
  set: fc.array(tie('value'), { maxLength: 4 }).map(items => new Set(items)),
}))
const anything = fc.anything({
  key: fc.oneof(key, fc.string()),
  maxDepth: 4,
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
})
/** Among so many others that they aren't stored as JSON. */
const amongMany = (inner: fc.Arbitrary<unknown>) =>
  fc.tuple(inner, inner, fc.boolean()).map(([one, other, isFlat]) => {
    const rest = Array.from({ length: 200 }, (_, i) => (isFlat ? [i] : { type: 'x', loc: i }))
    return { one, rest, other }
  })
const single = fc.oneof(nasty, anything)
const value = fc.oneof({ weight: 3, arbitrary: single }, { weight: 1, arbitrary: amongMany(single) })

test('a value is decoded unchanged or rejected', () => {
  let refused = 0
  const numRuns = 20_000
  fc.assert(
    fc.property(value, fc.constantFrom(plain, cyclic), (input, codec) => {
      const bytes = encoded(codec, input)
      if (!bytes) refused++
      return !bytes || isSame(input, decodeValue(bytes), codec === cyclic)
    }),
    { numRuns },
  )
  expect(refused).toBeLessThan(numRuns / 2)
})

test('edge-case values are never rejected', () => {
  fc.assert(
    fc.property(nasty, input => input === undefined || isSame(input, decodeValue(plain.encode(input)))),
    { numRuns: 10_000 },
  )
})

test('equal values have equal bytes, whatever was encoded before and by whichever codec', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 2, maxLength: 6 }), values => {
      const first = values.map(input => encoded(plain, input)?.toString('hex'))
      const fresh = createValueCodec({ cyclic: false, classInstances: 'refuse' })
      const reversed = values.toReversed().map(input => encoded(fresh, input)?.toString('hex'))
      return isSame(first, reversed.toReversed())
    }),
    { numRuns: 5_000 },
  )
})

test('a decoded value encodes to the bytes it came from', () => {
  fc.assert(
    fc.property(value, fc.constantFrom(plain, cyclic), (input, codec) => {
      const bytes = encoded(codec, input)
      return !bytes || bytes.equals(Buffer.from(codec.encode(decodeValue(bytes))))
    }),
    { numRuns: 10_000 },
  )
})

/** Changes all that can be changed of a value. */
function spoil(value: unknown, spoilt = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || spoilt.has(value)) return
  spoilt.add(value)
  if (value instanceof Date) value.setTime(1)
  if (value instanceof RegExp) value.lastIndex = 99
  if (ArrayBuffer.isView(value)) {
    new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(0xee)
    return
  }
  for (const part of value instanceof Map ? [...value].flat() : value instanceof Set ? value : Object.values(value))
    spoil(part, spoilt)
  if (value instanceof Map || value instanceof Set) value.clear()
  for (const name of Object.keys(value)) Object.defineProperty(value, name, { value: 'spoilt' })
}

test('a stored value that is read repeatedly is the same each time, even if the caller changes it', () => {
  fc.assert(
    fc.property(value, fc.constantFrom(plain, cyclic), (input, codec) => {
      const bytes = encoded(codec, input)
      if (!bytes) return true
      const stored = new StoredValue(bytes)
      return [1, 2, 3].every(() => {
        const read = stored.get()
        const isGood = isSame(input, read, codec === cyclic)
        spoil(read)
        return isGood
      })
    }),
    { numRuns: 10_000 },
  )
})

test('graphs keep their cycles and shared references', () => {
  const kinds = fc.constantFrom('object', 'array', 'map', 'set', 'error', 'date', 'bytes')
  const edges = fc.array(fc.tuple(fc.nat(11), fc.nat(11), key), { maxLength: 40 })
  fc.assert(
    fc.property(fc.array(kinds, { minLength: 1, maxLength: 12 }), edges, (nodeKinds, links) => {
      const nodes = nodeKinds.map((kind): object => {
        if (kind === 'object') return {}
        if (kind === 'array') return []
        if (kind === 'map') return new Map()
        if (kind === 'set') return new Set()
        if (kind === 'error') return new TypeError('m')
        return kind === 'date' ? new Date(7) : Buffer.from('b')
      })
      for (const [from, to, name] of links) {
        const [source, target] = [nodes[from % nodes.length]!, nodes[to % nodes.length]!]
        if (Array.isArray(source)) source.push(target)
        else if (source instanceof Map) source.set(target, nodes[0]).set(name, target)
        else if (source instanceof Set) source.add(target)
        else if (!(source instanceof Date || Buffer.isBuffer(source)))
          Object.defineProperty(source, name, { value: target, enumerable: true, configurable: true, writable: true })
      }
      return isSame(nodes[0], decodeValue(cyclic.encode(nodes[0])), true)
    }),
    { numRuns: 20_000 },
  )
})
