// A value that would evict all others is not stored.

import { expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'

const LIMIT = 2_000_000

test.each([0.6, 0.9, 1.1, 3])(
  'a value of %d times maxSize is rejected with a warning and evicts nothing',
  async times => {
    const { cache, warnings } = openAsAnotherProcess(temporaryRoot(), { maxSize: LIMIT })
    const small = cache.namespace('small')
    for (let i = 0; i < 100; i++) small.set(`key ${i}`, `value ${i}`)
    expect(cache.namespace('large').set('key', 'x'.repeat(LIMIT * times))).toBe(false)
    expect(cache.namespace('large').get('key')).toBe(undefined)
    for (let i = 100; i < 300; i++) small.set(`key ${i}`, `value ${i}`)
    await cache.gc()
    for (let i = 0; i < 300; i++) expect(small.get(`key ${i}`)).toBe(`value ${i}`)
    expect(warnings).toMatchObject([{ code: 'ERR_CACHE_VALUE_TOO_LARGE', message: expect.stringContaining('2000000') }])
  },
)

test('setMany stores all values except the one that is too large', () => {
  const { cache, warnings } = openAsAnotherProcess(temporaryRoot(), { maxSize: LIMIT })
  const ns = cache.namespace('ns')
  const keys = Array.from({ length: 3000 }, (_, n) => `key ${n}`)
  const textOf = (key: string) => (key === 'key 1500' ? 'x'.repeat(LIMIT) : key)
  expect(ns.setMany(keys.map(key => ({ key, value: textOf(key) })))).toBe(2999)
  expect(keys.filter(key => ns.get(key) !== key)).toEqual(['key 1500'])
  expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_VALUE_TOO_LARGE'])
})

test('a value of half of maxSize is stored, and a computed one that is too large is only returned', () => {
  const { cache } = openAsAnotherProcess(temporaryRoot(), { maxSize: LIMIT })
  const ns = cache.namespace('ns')
  const half = 'x'.repeat(LIMIT / 2 - 1000)
  expect([ns.set('half', half), ns.get('half') === half]).toEqual([true, true])
  expect(ns.getOrSetSync('large', () => 'y'.repeat(LIMIT)).length).toBe(LIMIT)
})
