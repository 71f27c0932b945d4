// Values that a later version of the library stored with a codec that this version doesn't know.

import { expect, test, vi } from 'vitest'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'

vi.mock('../../src/encoding/encode.js', () => ({
  createValueCodec: () => ({ encode: () => Buffer.from([200, 1, 2, 3]) }),
}))

test('a value with an unknown codec is a miss with a warning and is not reported as damaged', async () => {
  const { cache, warnings } = openAsAnotherProcess(temporaryDirectory())
  const ns = cache.namespace('ns', { project: false })
  expect(ns.set('key', 'stored by a later version')).toBe(true)
  expect(ns.get('key')).toBe(undefined)
  expect(ns.get('key')).toBe(undefined)
  expect(ns.getOrSetSync('key', () => 'computed')).toBe('computed')
  expect(ns.stats().missReasons).toEqual({ unreadable: 3 })
  expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_CODEC'])
  expect(warnings[0]?.message).toContain('codec 200, which this version of wicked-cache does not know')
  expect((await cache.verify()).problems).toEqual([])
})
