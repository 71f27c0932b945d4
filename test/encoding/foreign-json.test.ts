// JSON from programs in other languages: stored byte for byte, and decoded as values.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CacheError } from '../../src/base/errors.js'
import { CODEC } from '../../src/encoding/codecs.js'
import { decodeValue } from '../../src/encoding/decode.js'
import { parseExtendedJson } from '../../src/encoding/extended-json.js'
import { decodeJsonBytes, encodeJsonBytes } from '../../src/encoding/foreign-json.js'
import { findMistake } from '../../src/encoding/json-scan.js'
import { cyclic, strict, there } from './codecs.js'
import { decodeOrRefuse } from './forged.js'

const back = (stored: Uint8Array) => Buffer.from(decodeJsonBytes(stored, decodeValue)).toString()

function refusalOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof CacheError && error.code === 'ERR_CACHE_VALUE') return error.message
    throw error
  }
  throw new Error('It was not refused.')
}

test.each([
  '1.0',
  '1152921504606846976',
  '-0',
  '-0.0',
  '1E+400',
  ' [ ]\n',
  '{"a": NaN, "b": [Infinity, -Infinity]}',
  '"\\ud800 \\u00e9 \\"\\\\\\/"',
  '{"a":1,"a":2,"__proto__":{}}',
  'null',
  '"é😀"',
  `${'['.repeat(1000)}${']'.repeat(1000)}`,
])('%s is returned byte for byte, whether given as text or as bytes', text => {
  const stored = encodeJsonBytes(text)
  expect([...stored]).toEqual([CODEC.foreignJson, ...Buffer.from(text)])
  expect(back(stored)).toBe(text)
  expect(back(encodeJsonBytes(Buffer.from(text)))).toBe(text)
})

test.each([
  '',
  ' ',
  'nan',
  'nul',
  'nullx',
  '+1',
  '01',
  '1.',
  '.5',
  '1e',
  '-',
  '-NaN',
  '1 2',
  '[1',
  '[1,]',
  '[,1]',
  '[1}',
  '{"a" 1}',
  '{"a":1,}',
  '{a:1}',
  '{1:1}',
  '"a',
  '"\n"',
  '"\\x"',
  '"\\u12g4"',
  "'a'",
  `${'['.repeat(1001)}${']'.repeat(1001)}`,
])('%j is rejected, as it is not JSON', text => {
  expect(refusalOf(() => encodeJsonBytes(text))).toMatch(/at byte \d+\.$/)
})

test.each([['\ud800'], [Buffer.from([0x22, 0xff, 0x22])], [1], [undefined], [{}]])(
  '%j is rejected, as it is not UTF-8 text',
  value => {
    refusalOf(() => encodeJsonBytes(value))
  },
)

test('accepts a text if and only if JSON.parse does', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '1',
    '-',
    '.',
    'e5',
    '0',
    'true',
    'null',
    '\\',
    '\\n',
    ' ',
    '\t',
  ]
  const texts = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map(list => list.join('')),
    fc.tuple(fc.json(), fc.nat(), fc.constantFrom('', ...pieces)).map(([text, at, piece]) => {
      const cut = at % (text.length + 1)
      return text.slice(0, cut) + piece + text.slice(cut + 1)
    }),
    fc.json(),
  )
  let valid = 0
  fc.assert(
    fc.property(texts, text => {
      let isJson = true
      try {
        JSON.parse(text)
        valid++
      } catch {
        isJson = false
      }
      return (findMistake(Buffer.from(text)) === undefined) === isJson
    }),
    { numRuns: 5000 },
  )
  expect(valid).toBeGreaterThan(1000)
})

describe('foreign JSON', () => {
  test('is decoded as by JSON.parse', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        expect(decodeValue(encodeJsonBytes(text))).toEqual(JSON.parse(text))
        expect(parseExtendedJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('can contain NaN and Infinity', () => {
    const text = '{"a": [NaN, Infinity, -Infinity, "NaN", "\\"Infinity\\\\"], "__proto__": NaN}'
    const value = decodeValue(encodeJsonBytes(text)) as Record<string, unknown>
    expect(value.a).toEqual([Number.NaN, Infinity, -Infinity, 'NaN', '"Infinity\\'])
    expect(Object.keys(value)).toEqual(['a', '__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('can contain a long string with many escapes beside NaN', () => {
    const long = '\\"'.repeat(3_000_000)
    expect(decodeValue(encodeJsonBytes(`["${long}",NaN]`))).toEqual(['"'.repeat(3_000_000), Number.NaN])
  })

  test('with damaged bytes is reported as damaged', () => {
    const bytes = encodeJsonBytes('{"a": [1, NaN, {"b": null}], "c": "\\u00e9"}')
    for (let at = 1; at < bytes.length; at++) {
      for (const byte of [0, 0x22, 0x5b, 0x7d, 0xff]) {
        const changed = Buffer.from(bytes)
        changed[at] = byte
        decodeOrRefuse(changed)
        decodeOrRefuse(changed.subarray(0, at))
      }
    }
    expect(decodeOrRefuse(Buffer.from([CODEC.foreignJson]))).toBeInstanceOf(CacheError)
    const deep = Buffer.concat([Buffer.from([CODEC.foreignJson]), Buffer.from('['.repeat(9999) + ']'.repeat(9999))])
    expect(decodeOrRefuse(deep)).toBeInstanceOf(CacheError)
  })
})

describe('a value from JavaScript, read as JSON', () => {
  test('is returned as JSON if JSON can express it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), value => {
        expect(JSON.stringify(JSON.parse(back(there(value))))).toBe(JSON.stringify(value))
      }),
    )
    const tree = Array.from({ length: 300 }, (_, i) => ({ type: 'Name', at: i, text: '\ud800é' }))
    expect(JSON.parse(back(there(tree)))).toEqual(JSON.parse(JSON.stringify(tree)))
    expect(back(there([-0, Number.NaN, Infinity, -Infinity]))).toBe('[-0,NaN,Infinity,-Infinity]')
    const shared = { a: 1 }
    expect(back(there([shared, shared], cyclic))).toBe('[{"a":1},{"a":1}]')
    expect(back(there({ ['__proto__' as string]: -0 }))).toBe('{"__proto__":-0}')
  })

  const cycle: unknown[] = []
  cycle.push({ in: cycle })
  test.each<[string, unknown, string]>([
    ['undefined', { a: [undefined] }, '$.a[0] is undefined'],
    ['a BigInt', { 'a b': 1n }, '$["a b"] is a BigInt'],
    ['a Map', [new Map()], '$[0] is a Map'],
    ['a Set', new Set([1]), '$ is a Set'],
    ['a Date', new Date(0), '$ is a Date'],
    ['a RegExp', { a: /x/ }, '$.a is a RegExp'],
    ['bytes', { a: new Uint8Array(3) }, '$.a is a Uint8Array'],
    ['an error', new RangeError('x'), '$ is a RangeError'],
    ['a cycle', cycle, '$[0].in is a reference to what it lies in'],
  ])('is rejected if it contains %s', (_, value, message) => {
    const bytes = there(value, value === cycle ? cyclic : strict)
    expect(refusalOf(() => back(bytes))).toContain(message)
  })
})
