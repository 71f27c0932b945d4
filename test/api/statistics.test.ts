import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openAsAnotherProcess, openIn, temporaryDirectory, temporaryRoot } from '../support/caches.js'
import { fullDiskFiles, meteredFiles } from '../support/files.js'

const START = Date.UTC(2026, 0, 1)

describe('counts', () => {
  test('cover one namespace over all its versions', () => {
    const { cache } = openIn(temporaryRoot())
    const [one, two] = [cache.namespace('tool', { version: '1' }), cache.namespace('tool', { version: '2' })]
    one.set('key', 1)
    one.get('key')
    two.get('key')
    cache.namespace('other').set('other', 1)
    cache.namespace('other').get('key')
    expect(two.stats()).toMatchObject({ setCount: 1, hitCount: 1, missCount: 1, entryCount: 1 })
    expect(cache.stats()).toMatchObject({ setCount: 2, hitCount: 1, missCount: 2, entryCount: 2 })
  })

  test("of a namespace without any set are part of the cache's total", () => {
    const { cache } = openIn(temporaryRoot())
    cache.namespace('tool').get('key')
    expect(cache.namespace('tool').stats()).toMatchObject({ missCount: 1 })
    expect(cache.stats()).toMatchObject({ missCount: 1 })
  })

  test('come from get, getMany, set and setMany only', () => {
    const entries = openIn(temporaryRoot()).cache.namespace('tool')
    entries.set('a', 1)
    entries.setMany([
      { key: 'b', value: 2 },
      { key: 'c', value: 3 },
    ])
    entries.getMany(['a', 'b', 'no'])
    entries.get('c')
    for (const key of ['a', 'no']) {
      entries.has(key)
      entries.find(key)
      entries.delete(key)
    }
    for (const _key of entries.keys()) entries.has('b')
    expect(entries.stats()).toMatchObject({ setCount: 3, hitCount: 3, missCount: 1 })
  })

  test('give each miss a reason, and the reasons add up to the misses', () => {
    const root = temporaryDirectory()
    let now = START
    const entries = openIn(join(root, 'cache'), { clock: () => now }).cache.namespace('tool')
    const source = join(root, 'a.js')
    writeFileSync(source, 'a')
    entries.set('file', 1, { files: [source] })
    entries.set('absent', 1, { files: [join(root, 'b.js')] })
    entries.set('ttl', 1, { ttl: 1 })
    entries.set('deleted', 1)
    entries.set('invalidated', 1)
    entries.delete('deleted')
    entries.invalidate('invalidated')
    writeFileSync(source, 'changed')
    writeFileSync(join(root, 'b.js'), '')
    now += 1
    for (const key of ['file', 'absent', 'ttl', 'deleted', 'invalidated', 'never', 'never']) entries.get(key)
    const stats = entries.stats()
    expect(stats.missReasons).toEqual({
      'source-changed': 1,
      'source-appeared': 1,
      expired: 1,
      deleted: 1,
      invalidated: 1,
      'never-set': 2,
    })
    expect(stats.missCount).toBe(7)
  })

  test('are also given per project, including portable results and misses', () => {
    const root = temporaryDirectory()
    const dir = join(root, 'cache')
    const [one, two] = ['one', 'two'].map(name => join(root, name)) as [string, string]
    for (const project of [one, two]) {
      mkdirSync(project)
      writeFileSync(join(project, 'a.js'), 'a')
    }
    const { cache } = openIn(dir)
    const tool = cache.namespace('tool', { project: one })
    tool.analyzeSync('length', join(one, 'a.js'), ({ source }) => source.length)
    tool.in(two).analyzeSync('length', join(two, 'a.js'), ({ source }) => source.length)
    tool.in(two).get('nope')
    cache.namespace('other', { project: two }).set('key', 1)
    cache.namespace('other', { project: false }).get('nope')
    cache.close()
    const again = openAsAnotherProcess(dir).cache
    const { namespaces, byProject, missCount } = again.stats()
    expect(namespaces.tool?.byProject).toMatchObject({
      [one]: { hitCount: 0, missCount: 1, missReasons: { 'never-set': 1 }, setCount: 1 },
      [two]: { hitCount: 1, missCount: 1, missReasons: { 'never-set': 1 }, setCount: 0 },
    })
    expect(Object.keys(byProject ?? {}).sort()).toEqual([one, two].sort())
    expect(byProject?.[two]).toMatchObject({ hitCount: 1, missCount: 1, setCount: 1 })
    expect(missCount).toBe(3)
    expect(again.stats({ since: 0 })).not.toHaveProperty('byProject')
    again.stats({ reset: true })
    expect(again.stats().byProject).toEqual({})
  })

  test('add up over processes', () => {
    const dir = temporaryRoot()
    for (let run = 1; run <= 5; run++) {
      const { cache } = openAsAnotherProcess(dir)
      const entries = cache.namespace('tool')
      entries.set(`key ${run}`, run)
      entries.get(`key ${run}`)
      entries.get('nothing')
      expect(entries.stats()).toMatchObject({ setCount: run, hitCount: run, missCount: run })
      cache.close()
    }
  })

  test('of processes that close at the same time all count, even if equal', () => {
    const dir = temporaryRoot()
    openIn(dir).cache.namespace('tool').set('key', 1)
    const caches = Array.from({ length: 4 }, () => openAsAnotherProcess(dir).cache)
    for (const cache of caches) {
      cache.namespace('tool').get('key')
      cache.namespace('tool').stats()
    }
    for (const cache of caches) cache.close()
    expect(openAsAnotherProcess(dir).cache.stats()).toMatchObject({ hitCount: 4 })
  })

  test('survive a clear', () => {
    const entries = openIn(temporaryRoot()).cache.namespace('tool')
    entries.set('key', 1)
    entries.get('key')
    entries.clear()
    expect(entries.stats()).toMatchObject({
      entryCount: 0,
      setCount: 1,
      hitCount: 1,
      oldestEntryAgeMs: null,
      totalSize: 0,
    })
  })

  test('stay exact over hundreds of closes', () => {
    const dir = temporaryRoot()
    for (let run = 0; run < 400; run++) {
      const { cache } = openAsAnotherProcess(dir)
      cache.namespace('tool').get('nothing')
      cache.close()
    }
    expect(openIn(dir).cache.stats()).toMatchObject({ missCount: 400 })
  })
})

describe('a hit', () => {
  test('writes nothing: counts are buffered until there are many or the cache closes', () => {
    const dir = temporaryRoot()
    openIn(dir).cache.namespace('tool').set('key', 1)
    const { files, traffic, reset } = meteredFiles()
    const { cache } = openAsAnotherProcess(dir, {}, { files })
    const entries = cache.namespace('tool')
    for (let hit = 0; hit < 500; hit++) entries.get('key')
    expect(traffic.calls).not.toHaveProperty('append')
    reset()
    for (let hit = 0; hit < 10_000; hit++) entries.get('key')
    expect(traffic.calls.append).toBeLessThan(20)
    cache.close()
    expect(openIn(dir).cache.stats().hitCount).toBe(10_500)
  })

  test('does not retry the write on every call if the disk is full', () => {
    const dir = temporaryRoot()
    openIn(dir).cache.namespace('tool').set('key', 1)
    const room = { bytes: 0, refusals: 0 }
    const { cache, warnings } = openAsAnotherProcess(dir, {}, { files: fullDiskFiles(room) })
    const entries = cache.namespace('tool')
    for (let hit = 0; hit < 5000; hit++) expect(entries.get('key')).toBe(1)
    expect(room.refusals).toBeLessThan(50)
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_IO'])
  })

  test('in a read-only cache counts only in its own process', () => {
    const dir = temporaryRoot()
    openIn(dir).cache.namespace('tool').set('key', 1)
    const { cache } = openIn(dir, { mode: 'readonly' })
    for (let hit = 0; hit < 3000; hit++) cache.namespace('tool').get('key')
    expect(cache.stats().hitCount).toBe(3000)
    cache.close()
    expect(openAsAnotherProcess(dir).cache.stats().hitCount).toBe(0)
  })
})

describe('sizes and ages', () => {
  test('distinguish stored bytes from referenced bytes', () => {
    let now = START
    const { cache } = openIn(temporaryRoot(), { clock: () => now })
    const value = Buffer.alloc(10_000, 1)
    cache.namespace('a').set('x', value)
    now += 50
    cache.namespace('b').set('y', value)
    cache.namespace('b').set('z', value)
    const stats = cache.stats()
    const size = stats.uniqueSize
    expect(size).toBeGreaterThanOrEqual(10_000)
    expect(stats).toMatchObject({ entryCount: 3, totalSize: 3 * size, savedBytes: 2 * size, oldestEntryAgeMs: 50 })
    expect(stats.namespaces.b).toMatchObject({ entryCount: 2, totalSize: 2 * size, oldestEntryAgeMs: 0 })
    expect(stats.diskBytes).toBeGreaterThanOrEqual(10_000)
    expect(stats.diskBytes).toBeLessThan(100_000)
  })

  test('of an empty cache are zero and null', () => {
    const stats = openIn(temporaryRoot()).cache.stats()
    expect(stats).toEqual({
      namespaces: {},
      byProject: {},
      days: [],
      sharing: [],
      entryCount: 0,
      hitCount: 0,
      missCount: 0,
      missReasons: {},
      setCount: 0,
      totalSize: 0,
      oldestEntryAgeMs: null,
      diskBytes: 0,
      savedMs: 0,
      computedMs: 0,
      uniqueSize: 0,
      savedBytes: 0,
    })
  })

  test('are listed for names such as __proto__ too', () => {
    const { cache } = openIn(temporaryRoot())
    for (const name of ['__proto__', 'constructor', 'toString']) cache.namespace(name).set('key', 1)
    const { namespaces } = cache.stats()
    expect(Object.keys(namespaces).sort()).toEqual(['__proto__', 'constructor', 'toString'])
  })
})
