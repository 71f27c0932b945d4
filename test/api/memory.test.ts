// A cache in memory behaves like one on disk and writes nothing to disk.

import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { nodeFiles } from '../../src/files/files.js'
import { memoryFiles } from '../../src/files/memory.js'
import { type CacheWarning, openCache, openCacheSync } from '../../src/index.js'
import { settle, temporaryDirectory } from '../support/caches.js'
import { expectSameAsReal } from '../support/disk-contract.js'
import { printedSeed } from '../support/random.js'

function opened() {
  const warnings: CacheWarning[] = []
  const cache = openCacheSync({ dir: ':memory:', onWarning: warning => warnings.push(warning) })
  onTestFinished(() => cache.close())
  return { cache, warnings, entries: cache.namespace('tool', { project: false }) }
}

test('its file system answers every call like the real one', () => {
  const root = temporaryDirectory()
  const files = memoryFiles(nodeFiles, root)
  expectSameAsReal(root, { files, root }, printedSeed('files in memory'), true)
})

test('stores, computes, lists, deletes and counts', () => {
  const { entries, warnings } = opened()
  expect(entries.set('key', { a: [1] })).toBe(true)
  expect(entries.get('key')).toEqual({ a: [1] })
  let calls = 0
  const compute = () => ++calls
  expect([entries.getOrSetSync('other', compute), entries.getOrSetSync('other', compute)]).toEqual([1, 1])
  expect([...entries.keys()].sort()).toEqual(['key', 'other'])
  entries.delete('key')
  expect(entries.explain('key').reason).toBe('deleted')
  expect(entries.stats()).toMatchObject({ entryCount: 1, hitCount: 2, missCount: 1 })
  expect(warnings).toEqual([])
})

test('checks source files on the real disk', () => {
  const { entries } = opened()
  const file = join(temporaryDirectory(), 'a.txt')
  writeFileSync(file, 'one')
  settle(file)
  const read = () => entries.analyzeSync('text', file, ({ source }) => source)
  expect([read(), read()]).toEqual(['one', 'one'])
  writeFileSync(file, 'two')
  expect(read()).toBe('two')
  expect(entries.stats()).toMatchObject({ hitCount: 1, missCount: 2 })
})

test('is separate for each openCache and leaves nothing on disk', async () => {
  const one = await openCache({ dir: ':memory:' })
  const other = await openCache({ dir: ':memory:' })
  one.namespace('tool', { project: false }).set('key', 1)
  expect(other.namespace('tool', { project: false }).get('key')).toBeUndefined()
  expect(one.dir).not.toBe(other.dir)
  one.close()
  other.close()
  expect([existsSync(one.dir), existsSync(':memory:'), existsSync(resolve('/', ':memory:'))]).toEqual([
    false,
    false,
    false,
  ])
})

test('holds many entries, keeps its limits and passes verify', async () => {
  const { cache, entries } = opened()
  for (let i = 0; i < 5000; i++) entries.set(`key ${i}`, { i, text: 'x'.repeat(100) })
  expect(entries.get('key 4999')).toMatchObject({ i: 4999 })
  const { keptEntries } = await cache.gc({ maxEntries: 100 })
  expect(keptEntries).toBeLessThanOrEqual(100)
  expect((await cache.verify()).isWhole).toBe(true)
  expect([...entries.keys()].length).toBe(keptEntries)
})
