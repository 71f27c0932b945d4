// Forged JSON and records; see `hostile.test.ts` for cbor.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CacheError } from '../../src/base/errors.js'
import { decodeValue } from '../../src/encoding/decode.js'
import { createValueCodec } from '../../src/encoding/encode.js'
import { counting, inRounds } from '../support/torture.js'
import { changes, decodeOrRefuse, isValueOrRefused, isValueOrRefusedOnceChanged } from './forged.js'
import { bytesOf, json, recordBytes as records } from './record-bytes.js'

const count = counting()
const codec = createValueCodec({ cyclic: true, classInstances: 'refuse' })

const MALFORMED: Record<string, Uint8Array> = {
  'no JSON': json(''),
  'cut JSON': json('[1'),
  'JSON and more': json('[1]2'),
  'a million nested arrays of JSON': json(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`),
  '1,001 nested objects of JSON': json(`${'{"a":'.repeat(1001)}1${'}'.repeat(1001)}`),
  'records without a length': bytesOf('02'),
  'a length that goes past the end': bytesOf('02 ff ff ff ff 72 5b 5d'),
  'a length that ends before the items do': Buffer.concat([bytesOf('02 01 00 00 00 81 72'), Buffer.from('[]')]),
  'no items': records(''),
  'items and more': records('72 72'),
  'a number that goes past the length': records('71 0000'),
  'a truncated integer': records('60'),
  undefined: records('73'),
  'no strings': records('72', ''),
  'strings that are not a list': records('72', {}),
  'a string that is not a string': records('7a', [1]),
  'a missing string': records('7a'),
  'a string before its definition': records('91', ['a']),
  'an unused string': records('72', ['a']),
  'a long string number': records('7b ff ff ff ff ff 01', ['a']),
  'a text that goes past the items': records('7f 03000000 6161'),
  'a text of four billion bytes': records('7f ffffffff 6161'),
  'a text without a length': records('7f 00'),
  'a record with undefined keys': records('c0'),
  'a record with a far too high number of keys': records('f8 ff'),
  'a record with undefined keys under a long number': records('7e 80 01'),
  'a record with a key twice': records('7c 02 7a 90 72 72', ['a']),
  'a record with a number as key': records('7c 01 31 72', ['a']),
  'a record with a text as key': records('7c 01 7f 01000000 61 72'),
  'a record of more keys than bytes': records('7c ff ff 03 7a', ['a']),
  'a huge array': records('8f ff ff ff ff 0f 72'),
  'an invalid BigInt': records('77 7a', ['x']),
  'a BigInt in another form': records('77 7a', ['0x1']),
  'a BigInt without digits': records('77 7a', ['-']),
  'an invalid regular expression': records('78 7a 7a 30', ['(', 'g']),
  'a regular expression with unknown flags': records('78 7a 90 30', ['a']),
  'a regular expression without its lastIndex': records('78 7a 7a 72', ['a', 'g']),
  'a reference in a value without references': records('81 79 01'),
  'a reference without a target': records('81 79 02', [], 3),
  'a reference to the next item': records('82 79 00 80', [], 3),
  '1,001 levels': records(`${'81'.repeat(1001)}72`),
  '1,001 levels with references': records(`${'81'.repeat(1001)}72`, [], 3),
  '1,001 levels of records': records(`7d 01 7a ${'c0'.repeat(1000)} 72`, ['a']),
  'a million nested arrays': records(Buffer.alloc(1_000_000, 0x81)),
  'a million nested arrays with references': records(Buffer.alloc(1_000_000, 0x81), [], 3),
  'a million nested records': records(Buffer.concat([bytesOf('7d 01 7a'), Buffer.alloc(1_000_000, 0xc0)]), ['a']),
}

describe('malformed bytes', () => {
  test.each(Object.entries(MALFORMED))('%s', (_, bytes) => {
    expect(decodeOrRefuse(bytes)).toMatchObject({ code: 'ERR_CACHE_CORRUPT' })
  })

  test('1,000 levels are decoded', () => {
    const depthOf = (bytes: Uint8Array) => {
      let depth = 0
      for (let at = decodeValue(bytes); at !== null; at = Object.values(at as object)[0]) depth++
      return depth
    }
    expect(depthOf(records(`${'81'.repeat(1000)}72`))).toBe(1000)
    expect(depthOf(records(`7d 01 7a ${'c0'.repeat(999)} 72`, ['a']))).toBe(1000)
    expect(depthOf(json(`${'{"a":'.repeat(1000)}null${'}'.repeat(1000)}`))).toBe(1000)
  })

  test('an unknown codec is reported as such, not as damage', () => {
    for (const byte of [8, 9, 0x7b, 255]) {
      let thrown: unknown
      try {
        decodeValue(Buffer.from([byte, 1, 2]))
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({ code: 'ERR_CACHE_CODEC', message: expect.stringContaining(`codec ${byte},`) })
    }
    for (const bytes of [bytesOf(''), bytesOf('00 31')])
      expect(decodeOrRefuse(bytes)).toMatchObject({ code: 'ERR_CACHE_CORRUPT' })
  })

  test('keys never set a prototype or call a setter', () => {
    const value = decodeValue(records('7d 02 7a 7a 80 80', ['__proto__', 'constructor'])) as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.entries(value)).toEqual([
      ['__proto__', []],
      ['constructor', []],
    ])
    expect(Object.keys(decodeValue(json('{"__proto__":1}')) as object)).toEqual(['__proto__'])
  })

  test('a large BigInt with many references uses memory once', () => {
    const digits = 'f'.repeat(100_000)
    const before = process.memoryUsage().rss
    const value = decodeValue(
      records(Buffer.concat([bytesOf('8f a0 9c 01 77 7a'), repeated('77 90', 19_999)]), [digits]),
    )
    expect((value as bigint[]).length).toBe(20_000)
    expect(new Set(value as bigint[]).size).toBe(1)
    // A copy for each would take 1 GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6)
  })

  test('a value cut at any byte is rejected', () => {
    const shared = { b: 'text' }
    const values = [
      { a: [1, 'two', { three: null }] },
      [undefined, { a: /a/g }, 2n ** 70n, -0, 0.5, 'long text '.repeat(200), { a: 70_000 }],
      [shared, { a: [1, 70_000, shared] }, 'é'],
    ]
    expect(values.map(value => codec.encode(value)[0])).toEqual([1, 2, 3])
    for (const value of values) {
      const bytes = Uint8Array.from(codec.encode(value))
      for (let end = 0; end < bytes.length; end++)
        expect(decodeOrRefuse(bytes.subarray(0, end))).toBeInstanceOf(CacheError)
    }
  })
})

function repeated(hex: string, times: number): Buffer {
  const bytes = bytesOf(hex)
  return Buffer.alloc(times * bytes.length, bytes)
}

const HEADS =
  `30 6401 6a0001 70 71 72 73 74 76 77 78 7901 7902 7a 7b00 7c01 7c027a7a 7d 7e00 7f01000000 80 81 82 8f 90 91 b000
  c0 c1 f800`.split(/\s+/)
const STRINGS = [[], ['a'], ['a', 'b', '__proto__'], ['1f', 'g', '']]
const likeRecords = fc
  .tuple(
    fc.array(fc.oneof(fc.constantFrom(...HEADS).map(bytesOf), fc.uint8Array({ maxLength: 4 })), { maxLength: 40 }),
    fc.constantFrom(...STRINGS),
    fc.constantFrom(2, 3),
  )
  .map(([parts, strings, codecByte]) => records(Buffer.concat(parts), strings, codecByte))

describe('random bytes', () => {
  test('decode to a value or are rejected', async () => {
    const property = fc.property(likeRecords, isValueOrRefused)
    await inRounds({ short: 1, share: 0.02 }, seed => {
      fc.assert(property, { seed, numRuns: 50_000 })
      count('hostile messages', 50_000)
    })
  })

  test('changed values decode to a value or are rejected', async () => {
    const property = fc.property(fc.anything({ withBigInt: true }), changes, isValueOrRefusedOnceChanged)
    await inRounds({ short: 1, share: 0.02 }, seed => {
      fc.assert(property, { seed, numRuns: 20_000 })
      count('hostile messages', 20_000)
    })
  })
})
