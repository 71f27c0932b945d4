// Values that no entry refers to: which of them a gc removes or keeps, and what gc and verify report about them.

import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesBelow, openAsAnotherProcess, temporaryDirectory, temporaryRoot } from '../support/caches.js'

const LONG = 'x'.repeat(20_000)

function withGarbage(every: number) {
  const { cache } = openAsAnotherProcess(temporaryRoot())
  const ns = cache.namespace('ns')
  for (let i = 0; i < 200; i++) ns.set(`key ${i}`, `${i} ${LONG}`)
  for (let i = 0; i < 200; i += every) ns.delete(`key ${i}`)
  return cache
}

test('a gc keeps and counts unused values in a pack that is mostly in use', async () => {
  const cache = withGarbage(20)
  const { notes } = await cache.verify()
  expect(notes).toMatchObject([{ message: expect.stringContaining('they stay until more of the pack is of no use') }])
  const counts = { removedBlobs: 0, keptBlobs: 190, deadBlobs: 10 }
  expect(await cache.gc({ dryRun: true })).toMatchObject(counts)
  const report = await cache.gc()
  expect(report).toMatchObject(counts)
  expect(report.deadBytes).toBeGreaterThan(10 * LONG.length)
  expect(report.deadBytes).toBeLessThan(10 * LONG.length + 2000)
})

test('a gc removes the unused values of a pack that is half garbage', async () => {
  const cache = withGarbage(2)
  const { notes } = await cache.verify()
  expect(notes).toMatchObject([{ message: expect.stringContaining('the next gc removes them') }])
  expect(await cache.gc()).toMatchObject({ removedBlobs: 100, keptBlobs: 100, deadBlobs: 0, deadBytes: 0 })
  expect((await cache.verify()).notes).toEqual([])
})

test('a gc of an unknown namespace throws', async () => {
  const cache = withGarbage(2)
  for (const dryRun of [true, false]) {
    await expect(cache.gc({ namespace: 'nss', dryRun })).rejects.toMatchObject({
      code: 'ERR_CACHE_NAMESPACE',
      message: 'There is no namespace "nss".',
    })
  }
  expect(await cache.gc({ namespace: 'ns' })).toMatchObject({ keptEntries: 100 })
})

test('lists of inputs are not entries: they are not counted and not limited by maxEntries', async () => {
  const directory = temporaryDirectory()
  const files = Array.from({ length: 12 }, (_, n) => join(directory, `${n}.js`))
  for (const file of files) writeFileSync(file, file)
  let nowMs = Date.now()
  const { cache } = openAsAnotherProcess(temporaryRoot(), { clock: () => nowMs })
  const ns = cache.namespace('ns', { project: directory })
  for (let key = 0; key < 6; key++) {
    // More than what a longer computation counts for.
    nowMs += 30 * 86_400_000
    ns.getOrSetSync(`key ${key}`, ctx => files.slice(key).map(file => ctx.readFile(file)).length)
  }
  expect(await cache.gc({ dryRun: true })).toMatchObject({ keptEntries: 6, evictedEntries: 0 })
  expect(await cache.gc({ dryRun: true, maxEntries: 2 })).toMatchObject({ keptEntries: 2, evictedEntries: 4 })
  expect(await cache.gc({ maxEntries: 2 })).toMatchObject({ keptEntries: 2, evictedEntries: 4, unusedEntries: 0 })
  expect([...ns.keys()].sort()).toEqual(['key 4', 'key 5'])
  expect(['key 4', 'key 5'].map(key => ns.get(key))).toEqual([8, 7])
  nowMs += 86_400_000
  expect(await cache.gc({ maxAge: 3_600_000 })).toMatchObject({ keptEntries: 0, unusedEntries: 2 })
})

test('after a clear, a gc leaves no records in the files of maps, and the cache can be used and verified', async () => {
  const { cache } = openAsAnotherProcess(temporaryRoot())
  const tool = cache.namespace('tool')
  const list = Array.from({ length: 4000 }, (_, i) => ({ key: `some/long/path/of/a/file-${i}.js`, value: { i } }))
  expect(tool.setMany(list)).toBe(4000)
  const sizes = () =>
    ['blobs/index', 'namespaces/tool/manifest'].flatMap(map => {
      const path = join(cache.dir, 'v2', map)
      return filesBelow(path).map(file => statSync(join(path, file)).size)
    })
  const count = sizes().length
  expect(count).toBeGreaterThan(6)
  tool.clear()
  expect(await cache.gc()).toMatchObject({ removedBlobs: 4000, deadBlobs: 0 })
  expect(sizes().length).toBe(count)
  expect(Math.max(...sizes())).toBeLessThan(100)
  expect((await cache.verify()).problems).toEqual([])
  expect(tool.setMany(list.slice(0, 500))).toBe(500)
  const other = openAsAnotherProcess(cache.dir).cache.namespace('tool')
  expect(list.filter(({ key }) => other.get(key)).length).toBe(500)
  expect((await cache.verify()).problems).toEqual([])
})
