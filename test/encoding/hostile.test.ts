// Forged cbor; see `hostile-records.test.ts` for JSON and records.

import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { CacheError } from '../../src/base/errors.js'
import { decodeValue } from '../../src/encoding/decode.js'
import { createValueCodec } from '../../src/encoding/encode.js'
import { counting, inRounds } from '../support/torture.js'
import { changes, decodeOrRefuse, isValueOrRefused, isValueOrRefusedOnceChanged } from './forged.js'
import { bytesOf } from './record-bytes.js'

const count = counting()

const codec = createValueCodec({ cyclic: true, classInstances: 'refuse' })
const PROTOTYPES = [Object, Array, Map, Set, Function, Error].map(({ prototype }) => prototype as object)
const shapes = PROTOTYPES.map(prototype => Reflect.ownKeys(prototype))

afterEach(() => {
  expect(PROTOTYPES.map(prototype => Reflect.ownKeys(prototype))).toEqual(shapes)
})

/** A message after its lists of keys. */
function shaped(shapes: string, item: string, codec = 4): Buffer {
  const text = Buffer.from(shapes)
  return Buffer.concat([Buffer.from([codec, text.length & 0xff, text.length >> 8]), text, bytesOf(item)])
}

const MALFORMED: Record<string, Uint8Array> = {
  'no bytes': bytesOf(''),
  'a codec byte alone': bytesOf('04'),
  undefined: bytesOf('04 0200 5b5d f7'),
  'trailing bytes': bytesOf('04 0200 5b5d 01 01'),
  'a truncated string': bytesOf('04 0200 5b5d 64 61'),
  'a huge array': bytesOf('04 0200 5b5d 9a ff ff ff ff'),
  'a huge map': bytesOf('04 0200 5b5d ba ff ff ff ff'),
  'a huge string': bytesOf('04 0200 5b5d 7a ff ff ff ff 61'),
  'a huge byte string': bytesOf('04 0200 5b5d 5b 00 00 00 00 ff ff ff ff'),
  'an unknown tag': bytesOf('04 0200 5b5d c7 01'),
  'an unknown tag below others': bytesOf('04 0200 5b5d 82 01 81 d9 0f ff 01'),
  'a text date': bytesOf('04 0200 5b5d c0 61 31'),
  'a bignum': bytesOf('04 0200 5b5d c2 41 01'),
  'a fraction': bytesOf('04 0200 5b5d c4 82 01 01'),
  'packed values': bytesOf('04 0200 5b5d d8 33 84 81 61 61 80 80 e0'),
  'a packed reference': bytesOf('04 0200 5b5d c6 01'),
  'a simple value': bytesOf('04 0200 5b5d e5'),
  'a record of the old form': bytesOf('04 0200 5b5d d8 69 83 19 e0 00 81 61 61 01'),
  'string bundles': bytesOf('04 0200 5b5d d9 df f9 82 1a 00 00 00 01 01 60 60'),
  'a generic object of an unknown class': bytesOf('04 0200 5b5d d8 1b 82 68 46756e6374696f6e 61 31'),
  'a generic object named constructor': bytesOf('04 0200 5b5d d8 1b 82 6b 636f6e7374727563746f72 61 31'),
  'a generic object that is not an array': bytesOf('04 0200 5b5d d8 1b 61 61'),
  'a record whose keys are not an array': bytesOf('04 0200 5b5d d9 df ff 83 19 e0 00 61 61 01'),
  'a record whose keys are a map': bytesOf('04 0200 5b5d d9 df ff 83 19 e0 00 a0 01'),
  'a record with the key __proto__': bytesOf('04 0200 5b5d d9 df ff 83 19 e0 00 81 69 5f5f70726f746f5f5f a0'),
  'a record with a number as key': bytesOf('04 0200 5b5d d9 df ff 83 19 e0 00 81 01 01'),
  'a record that was never defined': bytesOf('04 0200 5b5d d9 e0 00 81 01'),
  'a set that is not an array': bytesOf('04 0200 5b5d d9 01 02 61 61'),
  'a reference in a plain message': bytesOf('04 0200 5b5d d8 1d 00'),
  'a shared leaf in a plain message': bytesOf('04 0200 5b5d d8 1c 00'),
  'a message with references of another shape': bytesOf('05 0200 5b5d 82 80 80'),
  'a reference without a target': bytesOf('05 0200 5b5d 83 80 d8 1d 00 80'),
  'a reference to a target of another kind': bytesOf('05 0200 5b5d 83 80 d8 1d 00 81 80'),
  'a reference to itself': bytesOf('05 0200 5b5d 83 80 d8 1d 00 81 d8 1d 00'),
  'a reference of an unknown kind': bytesOf('05 0200 5b5d 83 80 d8 1d 0f 81 80'),
  'references that disagree': bytesOf('05 0200 5b5d 83 80 82 d8 1d 00 d8 1d 01 81 d9 df ff 82 19 e0 00 80'),
  'a reference as the keys of a record': bytesOf('05 0200 5b5d 83 80 82 d8 1d 01 d9 df ff 82 19 e0 00 d8 1d 01 81 80'),
  'a hidden reference as the keys of a record': bytesOf(
    '05 0200 5b5d 83 80 83 d8 1d 01 d9 df ff 82 19 e0 00 d8 1d 01 d9 df ff 82 19 e0 00 80 81 80',
  ),
  'a leaf as the keys of a record': bytesOf('05 0200 5b5d 83 81 d8 1c 40 82 d8 1d 04 d9 df ff 82 19 e0 00 d8 1d 04 80'),
  'a negative reference': bytesOf('05 0200 5b5d 83 80 d8 1d 20 81 80'),
  'a reference to a missing leaf': bytesOf('05 0200 5b5d 83 80 d8 1d 04 80'),
  'a target that nothing refers to': bytesOf('05 0200 5b5d 83 80 01 81 80'),
  'shapes that go past the end': bytesOf('04 ff ff 5b 5d 01'),
  'truncated shapes': shaped('[["a"]', '01'),
  'shapes that are not a list': shaped('{}', '01'),
  'a shape that is not a list': shaped('["a"]', '01'),
  'a shape with a number as key': shaped('[[1]]', '01'),
  'a shape with the key __proto__': shaped('[["__proto__"]]', 'd9 e0 00 81 a0'),
  'shapes alone': shaped('[["a"]]', ''),
  'undefined after shapes': shaped('[["a"]]', 'f7'),
  'a record without a shape': shaped('[["a"]]', 'd9 e0 01 81 01'),
  'a record that is defined beside shapes': shaped('[["a"]]', 'd9 df ff 83 19 e0 05 81 61 61 01'),
  'a shape that is redefined': shaped('[["a"]]', 'd9 df ff 83 19 e0 00 81 61 62 01'),
  'many shapes that are redefined': shaped('[["a"]]', 'd9 df fe 83 19 e0 00 81 61 62 01'),
  'string bundles after shapes': shaped('[["a"]]', 'd9 df f9 82 1a 00 00 00 01 01 60 60'),
  'a reference without a target after shapes': shaped('[]', '83 80 d8 1d 00 80', 5),
  'a million nested arrays': Buffer.concat([shaped('[]', ''), Buffer.alloc(1_000_000, 0x81)]),
  'a million nested tags': Buffer.concat([shaped('[]', ''), Buffer.alloc(1_000_000, 0xc7)]),
  'many array headers': Buffer.concat([shaped('[]', ''), Buffer.alloc(300_000, bytesOf('9a 00 00 ff ff'))]),
}

describe('malformed cbor', () => {
  test.each(Object.entries(MALFORMED))('%s', (_, bytes) => {
    expect(decodeOrRefuse(bytes)).toBeInstanceOf(CacheError)
    expect(decodeValue(codec.encode({ a: new Map() }))).toEqual({ a: new Map() })
  })

  test('many records with lengths other than their shape are rejected', () => {
    const records = (lengths: number[]) => lengths.map(length => `d9 e0 00 ${(0x80 + length).toString(16)} 01`).join('')
    const message = (lengths: number[]) => shaped('[["a key of its own"]]', `89 ${records(lengths)}`)
    expect(decodeOrRefuse(message([1, 1, 1, 2, 3, 4, 5, 6, 7]))).toBeInstanceOf(CacheError)
    expect(decodeValue(message([1, 1, 1, 1, 1, 1, 1, 1, 1]))).toEqual(new Array(9).fill({ 'a key of its own': 1 }))
  })

  test('a plain map never sets a prototype', () => {
    const value = decodeValue(bytesOf('04 0200 5b5d a1 69 5f5f70726f746f5f5f a1 61 61 01'))
    expect(value).toBeInstanceOf(Map)
  })

  test('a message cut at any byte is rejected', () => {
    const shared = { b: 'text' }
    const bytes = Uint8Array.from(
      codec.encode([shared, { a: [1, 70_000, shared], d: new Date(1) }, -0, /a/, 'é', new Set([1n])]),
    )
    for (let end = 0; end < bytes.length; end++)
      expect(decodeOrRefuse(bytes.subarray(0, end))).toBeInstanceOf(CacheError)
    expect(bytes[0]).toBe(5)
  })

  test('string bundles that would decode the same text repeatedly are rejected', () => {
    const count = 300
    const item = (index: number) => {
      const bytes = bytesOf('d9 df f9 82 1a 00 00 00 00 01')
      // From its own offset to the end of the list.
      bytes.writeUInt32BE((count - index) * bytes.length - 4, 5)
      return bytes
    }
    const items = Array.from({ length: count }, (_, index) => item(index))
    const text = Buffer.concat([bytesOf('79 ff ff'), Buffer.alloc(0xffff, 0x61), bytesOf('60')])
    const value = decodeOrRefuse(Buffer.concat([bytesOf('04 0200 5b5d 99 01 2c'), ...items, text]))
    expect((value as CacheError).cause).toMatchObject({ message: 'a tag that is never written' })
  })
})

const HEADS = [
  '80',
  'a1',
  'd9dfff',
  'd9e000',
  'd81b',
  'd81c',
  'd81d',
  'd90102',
  'c1',
  '19e000',
  '82',
  '83',
  'd840',
  'd9dff9',
  'd9dffe',
  'd9dfff8319e0008161',
]
const BEGINNINGS = [shaped('[]', ''), shaped('[]', '', 5), shaped('[["a"],["b","c"]]', ''), shaped('[["a"]]', '', 5)]
const cborish = fc
  .array(fc.oneof(fc.constantFrom(...HEADS).map(bytesOf), fc.uint8Array({ maxLength: 4 })), { maxLength: 40 })
  .chain(parts => fc.constantFrom(...BEGINNINGS).map(first => Buffer.concat([first, ...parts])))

describe('random bytes', () => {
  test('decode to a value or are rejected', async () => {
    const property = fc.property(fc.oneof(cborish, fc.uint8Array({ maxLength: 60 })), isValueOrRefused)
    await inRounds({ short: 1, share: 0.03 }, seed => {
      fc.assert(property, { seed, numRuns: 50_000 })
      count('hostile messages', 50_000)
    })
  })

  test('changed messages decode to a value or are rejected', async () => {
    const values = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true })
    const property = fc.property(values, changes, isValueOrRefusedOnceChanged)
    await inRounds({ short: 1, share: 0.03 }, seed => {
      fc.assert(property, { seed, numRuns: 20_000 })
      count('hostile messages', 20_000)
    })
  })
})
