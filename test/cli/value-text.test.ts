import { describe, expect, test } from 'vitest'
import { jsonOf, textOf } from '../../cli/value-text.js'

const ESCAPE = '\u001b'
const both = (value: unknown) => [textOf(value).replace(/\n\s*/g, ' '), jsonOf(value)]

describe('a value that JSON can express', () => {
  const value = { a: [1, 'x\u001b', null, true, -2.5], b: {}, c: [], 'key with "quotes"': { d: [[]] } }

  test('is printed as JSON for people and for programs', () => {
    expect(JSON.parse(jsonOf(value))).toEqual(value)
    expect(JSON.parse(textOf(value))).toEqual(value)
    expect(jsonOf(value)).not.toContain('\n')
    expect(textOf({ a: [1, {}] })).toBe('{\n  "a": [\n    1,\n    {}\n  ]\n}')
  })

  test('keeps keys such as __proto__', () => {
    const hostile = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}')
    expect(jsonOf(hostile)).toBe('{"__proto__":1,"constructor":2,"toString":3}')
  })
})

describe('a value that JSON cannot express', () => {
  test.each([
    [undefined, 'undefined', '{"$type":"undefined"}'],
    [12n, '12n', '{"$type":"BigInt","value":"12"}'],
    [Number.NaN, 'NaN', '{"$type":"Number","value":"NaN"}'],
    [-0, '-0', '{"$type":"Number","value":"-0"}'],
    [Number.NEGATIVE_INFINITY, '-Infinity', '{"$type":"Number","value":"-Infinity"}'],
    [new Date(0), 'Date 1970-01-01T00:00:00.000Z', '{"$type":"Date","value":"1970-01-01T00:00:00.000Z"}'],
    [new Date(Number.NaN), 'Date (invalid)', '{"$type":"Date","value":null}'],
    [new RegExp(`a${ESCAPE}`, 'g'), '/a\\u001b/g', '{"$type":"RegExp","value":"/a\\u001b/g"}'],
    [new Map([['a', 1]]), 'Map(1) { "a" => 1 }', '{"$type":"Map","value":[["a",1]]}'],
    [new Map(), 'Map(0) {}', '{"$type":"Map","value":[]}'],
    [new Set([1, [2n]]), 'Set(2) { 1, [ 2n ] }', '{"$type":"Set","value":[1,[{"$type":"BigInt","value":"2"}]]}'],
    [Buffer.from([1, 255]), 'Buffer(2) 01 ff', '{"$type":"Buffer","value":"Af8="}'],
    [new Uint8Array([1, 255]), 'Uint8Array(2) 01 ff', '{"$type":"Uint8Array","value":"Af8="}'],
    [new Uint8Array([1]).buffer, 'ArrayBuffer(1) 01', '{"$type":"ArrayBuffer","value":"AQ=="}'],
    [new Float64Array([0.5]), 'Float64Array(1) { 0.5 }', '{"$type":"Float64Array","value":[0.5]}'],
    [
      new BigInt64Array([1n]),
      'BigInt64Array(1) { 1n }',
      '{"$type":"BigInt64Array","value":[{"$type":"BigInt","value":"1"}]}',
    ],
    [new TypeError('no\u001b'), 'TypeError: no\\u001b', '{"$type":"TypeError","value":"no\\u001b"}'],
    [{ $type: 'Map' }, '{ "$type": "Map" }', '{"$type":"Object","value":{"$type":"Map"}}'],
    [{ a: undefined }, '{ "a": undefined }', '{"a":{"$type":"undefined"}}'],
  ])('%o is printed readably, and tagged with --json', (value, text, json) => {
    expect(both(value)).toEqual([text, json])
  })

  test('can contain itself', () => {
    const parent: Record<string, unknown> = { name: 'p' }
    parent['the child'] = [{ parent }]
    parent.self = new Map([['k', parent]])
    expect(textOf(parent)).toContain('"parent": [Circular $]')
    expect(JSON.parse(jsonOf(parent))['the child'][0].parent).toEqual({ $type: 'Circular', value: '$' })
  })

  test('is not marked as circular if it is only shared', () => {
    const shared = { a: 1 }
    expect(jsonOf([shared, shared])).toBe('[{"a":1},{"a":1}]')
  })

  test('shows the first of many bytes to people, and all of them to programs', () => {
    const bytes = Buffer.alloc(1000, 7)
    expect(textOf(bytes)).toBe(`Buffer(1000) ${'07 '.repeat(32)}…`)
    expect(Buffer.from(JSON.parse(jsonOf(bytes)).value, 'base64')).toEqual(bytes)
  })
})
