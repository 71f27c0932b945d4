// cache.summary(): the hits, misses and sets of this thread.

import { expect, test } from 'vitest'
import { openAsAnotherProcess, openIn, temporaryRoot } from '../support/caches.js'

test('counts this process only, by namespace, whether written to disk or not', () => {
  const dir = temporaryRoot()
  const before = openAsAnotherProcess(dir).cache
  before.namespace('tool').set('key', 1)
  before.close()
  const { cache } = openAsAnotherProcess(dir)
  const tool = cache.namespace('tool')
  cache.namespace('unused')
  cache.namespace('__proto__').get('nothing')
  // More than are kept in memory.
  for (let i = 0; i < 3000; i++) tool.get('key')
  tool.getMany(['nothing', 'at all'])
  tool.set('other', 2)
  const summary = cache.summary()
  expect(Object.keys(summary).sort()).toEqual(['__proto__', 'tool'])
  expect(summary.tool).toEqual({
    hitCount: 3000,
    missCount: 2,
    missReasons: { 'never-set': 2 },
    setCount: 1,
    savedMs: 0,
    computedMs: 0,
  })
  expect(cache.stats()).toMatchObject({ setCount: 2 })
  cache.close()
  expect(cache.summary().tool).toMatchObject({ hitCount: 3000, setCount: 1 })
})

test('includes times, and covers all caches on the directory in this process', () => {
  const dir = temporaryRoot()
  const [one, two] = [openIn(dir).cache, openIn(dir).cache]
  for (const cache of [one, two]) cache.namespace('tool').getOrSetSync('key', () => cache.dir)
  const { hitCount, missCount, setCount, savedMs, computedMs } = one.summary().tool ?? {}
  expect({ hitCount, missCount, setCount }).toEqual({ hitCount: 1, missCount: 1, setCount: 1 })
  expect([savedMs, computedMs]).toEqual([expect.any(Number), expect.any(Number)])
  expect(two.summary()).toEqual(one.summary())
})

test('keeps the counts of a removed namespace', () => {
  const { cache } = openIn(temporaryRoot())
  cache.namespace('tool').get('nothing')
  cache.removeNamespace('tool')
  expect(cache.summary().tool).toMatchObject({ missCount: 1 })
})

test('is empty without calls', () => {
  const { cache } = openIn(temporaryRoot())
  cache.namespace('tool')
  expect(cache.summary()).toEqual({})
})
