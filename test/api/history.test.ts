import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { nodeFiles } from '../../src/files/files.js'
import type { Namespace } from '../../src/index.js'
import { openAsAnotherProcess, openIn, temporaryRoot } from '../support/caches.js'

/** Sets a thousand entries, and more until it is enough: how much the background gc does meanwhile depends on the machine. */
async function setUntil(entries: Namespace, isEnough: () => boolean): Promise<void> {
  for (let n = 0; n < 1000 || n % 20 !== 0 || !isEnough(); n++) {
    entries.set(`key ${n}`, n)
    if (n % 20 === 0) await new Promise(resolve => setImmediate(resolve))
  }
}

const today = () => new Date().toISOString().slice(0, 10)

describe('the days of the statistics', () => {
  test('count hits, misses and sets over all namespaces', () => {
    const root = temporaryRoot()
    // By chance the first set takes a slice of the background gc, which measures the cache.
    const { cache } = openAsAnotherProcess(root, {}, { random: () => 0.5 })
    for (const name of ['one', 'two']) {
      const entries = cache.namespace(name)
      entries.set('key', 1)
      entries.get('key')
      entries.get('other')
    }
    cache.close()
    const { days } = openIn(root).cache.stats()
    expect(days).toMatchObject([{ day: today(), hitCount: 2, missCount: 2, setCount: 2, diskBytes: null }])
  })

  test('report the size of the cache after a gc and what it dropped', async () => {
    const root = temporaryRoot()
    let now = Date.UTC(2026, 0, 1)
    const { cache } = openIn(root, { clock: () => now })
    const entries = cache.namespace('tool')
    entries.set('expired', 'a value', { ttl: 1 })
    for (let n = 0; n < 10; n++) {
      now += 1000
      entries.set(`key ${n}`, 'x'.repeat(100))
    }
    const report = await cache.gc({ maxEntries: 4 })
    await cache.gc({ dryRun: true, maxEntries: 1 })
    expect(cache.stats().days).toEqual([
      {
        day: today(),
        hitCount: 0,
        missCount: 0,
        setCount: 11,
        savedMs: 0,
        diskBytes: report.diskBytesAfter,
        evictedEntries: 6,
        evictedBytes: 6 * 103,
        uselessEntries: 1,
      },
    ])
  })

  test.each([
    ['a link', (path: string) => symlinkSync(join(path, '..', '..', '..', 'elsewhere'), path)],
    ['a directory', (path: string) => mkdirSync(path)],
  ])('are not written if %s blocks their file, but the limits still hold', async (_, replace) => {
    const root = temporaryRoot()
    const { cache } = openIn(root, { maxEntries: 200 })
    const entries = cache.namespace('tool')
    entries.set('first', 1)
    mkdirSync(layoutOf(root).history, { recursive: true })
    // By chance the first set has written it.
    rmSync(join(layoutOf(root).history, '_.0'), { force: true })
    replace(join(layoutOf(root).history, '_.0'))
    await setUntil(entries, () => entries.stats().entryCount < 400)
    expect((await cache.gc({ maxEntries: 10 })).keptEntries).toBe(10)
  })

  test('report what the background gc dropped', async () => {
    const root = temporaryRoot()
    const { cache } = openIn(root, { maxEntries: 200 })
    const entries = cache.namespace('tool')
    const evicted = () => cache.stats().days[0]?.evictedEntries ?? 0
    await setUntil(entries, () => evicted() > 300)
    cache.close()
    const [day] = openAsAnotherProcess(root).cache.stats().days
    expect(day?.evictedEntries).toBeGreaterThan(300)
    expect(day?.diskBytes).toBeGreaterThan(1000)
  })

  test('leave out counts from a clock that is ahead, and so does stats since a time', () => {
    const root = temporaryRoot()
    const now = () => Date.now() + 40 * 86_400_000
    const ahead = openAsAnotherProcess(root, {}, { files: { ...nodeFiles, now } }).cache
    ahead.namespace('tool').get('key')
    ahead.close()
    const { cache } = openAsAnotherProcess(root)
    expect(cache.stats()).toMatchObject({ days: [], missCount: 1 })
    expect(cache.stats({ since: Date.now() })).toMatchObject({ missCount: 0 })
  })

  test('are empty for an unused cache', () => {
    expect(openIn(temporaryRoot()).cache.stats().days).toEqual([])
  })
})
