// Namespaces opened with `values: 'json'`, beside plain handles of the same keys.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorOf, openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'

function both(dir: string) {
  const { cache, warnings } = openAsAnotherProcess(dir)
  return {
    cache,
    warnings,
    json: cache.namespace<Uint8Array>('ns', { project: false, values: 'json' }),
    plain: cache.namespace('ns', { project: false }),
  }
}

const textOf = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()

test('returns JSON byte for byte, in this process and in others', async () => {
  const dir = temporaryDirectory()
  const one = both(dir)
  expect(one.json.set('key', '{"a": 1.0, "b": 1152921504606846976, "c": NaN}')).toBe(true)
  expect(one.json.setMany([{ key: 'second', value: Buffer.from(' 0 ') }])).toBe(1)
  const other = both(dir)
  for (const { json, plain } of [one, other]) {
    for (let times = 0; times < 3; times++) {
      expect(textOf(json.get('key'))).toBe('{"a": 1.0, "b": 1152921504606846976, "c": NaN}')
      expect(textOf(json.get('second'))).toBe(' 0 ')
      expect(plain.get('key')).toEqual({ a: 1, b: 2 ** 60, c: Number.NaN })
      expect(plain.get('second')).toBe(0)
    }
  }
  expect(textOf(other.json.get('absent'))).toBe(undefined)
  expect(other.warnings).toEqual([])
  expect((await other.cache.verify()).problems).toEqual([])
})

test('changing a returned buffer does not change the cache', () => {
  const { json } = both(temporaryDirectory())
  json.set('key', '[1, 2]')
  for (let times = 0; times < 3; times++) json.get('key')?.fill(0)
  expect(textOf(json.get('key'))).toBe('[1, 2]')
})

test('reading a value that JSON cannot express throws, and the value is not reported as damaged', () => {
  const { json, plain, warnings } = both(temporaryDirectory())
  plain.set('map', { a: new Map() })
  plain.set('plain', { a: 1 })
  const { code, message } = errorOf(() => json.get('map'))
  expect([code, message]).toEqual(['ERR_CACHE_VALUE', "The stored value can't be said in JSON: $.a is a Map."])
  expect(textOf(json.get('plain'))).toBe('{"a":1}')
  expect(plain.get('map')).toEqual({ a: new Map() })
  expect(warnings).toEqual([])
})

test('rejects text that is not JSON and keeps the old entry', () => {
  const { json } = both(temporaryDirectory())
  json.set('key', '1')
  expect(errorOf(() => json.set('key', '{]')).code).toBe('ERR_CACHE_VALUE')
  expect(errorOf(() => json.set('key', { a: 1 })).code).toBe('ERR_CACHE_VALUE')
  expect(textOf(json.get('key'))).toBe('1')
})

test('shares computed results with plain handles, and takes plain values as inputs', () => {
  const dir = temporaryDirectory()
  const { json, plain } = both(dir)
  const inputs = { strict: true, at: new Date(0) }
  expect(json.getOrSetSync('computed', () => '[1.0]', { inputs })).toBe('[1.0]')
  expect(plain.getOrSetSync('computed', () => 'anew', { inputs })).toEqual([1])
  expect(textOf(json.getOrSetSync<unknown>('computed', () => 'anew', { inputs }) as Uint8Array)).toBe('[1.0]')
})

test('returns JSON to all callers of one computation', async () => {
  const dir = temporaryDirectory()
  const file = join(dir, 'a.js')
  writeFileSync(file, 'x')
  const { json } = both(temporaryDirectory())
  const compute = () => Promise.resolve(Buffer.from('1.0'))
  const results = await Promise.all([json.analyze('n', file, compute), json.analyze('n', file, compute)])
  expect(results.map(textOf)).toEqual(['1.0', '1.0'])
})

test('rejects an unknown values option', () => {
  const { cache } = openAsAnotherProcess(temporaryDirectory())
  expect(errorOf(() => cache.namespace('ns', { values: 'text' as never })).message).toContain("'plain', 'json'")
})
