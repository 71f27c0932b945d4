// Options of statistics and listings: counts alone, one namespace, reset, progress.

import { describe, expect, test } from 'vitest'
import { openAsAnotherProcess, openIn, temporaryRoot } from '../support/caches.js'

function store(): string {
  const root = temporaryRoot()
  const { cache } = openIn(root)
  for (const name of ['one', 'two']) {
    const entries = cache.namespace(name)
    entries.set('key', name)
    entries.get('key')
    entries.get('other')
  }
  cache.close()
  return root
}

describe('statistics', () => {
  test('with countsOnly read no entries', () => {
    const { cache } = openIn(store())
    const stats = cache.stats({ countsOnly: true })
    expect(stats).toMatchObject({ hitCount: 2, missCount: 2, setCount: 2, entryCount: 0, totalSize: 0 })
    expect(stats.namespaces.one).toMatchObject({ hitCount: 1, entryCount: 0, oldestEntryAgeMs: null })
    expect(stats.diskBytes).toBeGreaterThan(0)
  })

  test('of one namespace leave out the others', () => {
    const { cache } = openIn(store())
    expect(Object.keys(cache.stats({ namespace: 'two' }).namespaces)).toEqual(['two'])
    expect(cache.stats({ namespace: 'two' })).toMatchObject({ entryCount: 1, hitCount: 1 })
    expect(cache.stats({ namespace: 'nope' }).namespaces).toEqual({})
  })

  test('restart from zero after a reset, in every process, and the entries stay', () => {
    const root = store()
    const { cache } = openIn(root)
    cache.namespace('two').get('key')
    expect(cache.stats({ reset: true, namespace: 'two' })).toMatchObject({ hitCount: 2 })
    expect(cache.stats().namespaces).toMatchObject({
      one: { hitCount: 1, missCount: 1, entryCount: 1 },
      two: { hitCount: 0, missCount: 0, setCount: 0, entryCount: 1 },
    })
    cache.namespace('two').get('key')
    cache.close()
    const other = openAsAnotherProcess(root).cache
    expect(other.stats().namespaces.two).toMatchObject({ hitCount: 1, missCount: 0, entryCount: 1 })
    other.stats({ reset: true })
    expect(other.stats()).toMatchObject({ hitCount: 0, missCount: 0, entryCount: 2 })
    expect(openIn(root).cache.namespace('one').get('key')).toBe('one')
  })

  test('with since count from the start of that day', () => {
    const root = store()
    const { cache } = openIn(root)
    const dayMs = 86_400_000
    expect(cache.stats({ since: Date.now() - dayMs })).toMatchObject({ hitCount: 2, missCount: 2, entryCount: 2 })
    expect(cache.stats({ since: Date.now() + dayMs })).toMatchObject({ hitCount: 0, missCount: 0, entryCount: 2 })
  })

  test('of a read-only cache cannot be reset', () => {
    const root = store()
    const { cache } = openIn(root, { mode: 'readonly' })
    expect(() => cache.stats({ reset: true })).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTION' }))
    expect(cache.stats()).toMatchObject({ hitCount: 2 })
  })

  test.each([
    [{ namespaces: 'one' }, 'ERR_CACHE_OPTION'],
    [{ namespace: '' }, 'ERR_CACHE_NAMESPACE'],
    [{ since: 'yesterday' }, 'ERR_CACHE_OPTION'],
    [{ since: Number.NaN }, 'ERR_CACHE_OPTION'],
    [{ countsOnly: 1 }, 'ERR_CACHE_OPTION'],
    [{ reset: 'yes' }, 'ERR_CACHE_OPTION'],
    [{ onProgress: true }, 'ERR_CACHE_OPTION'],
  ])('reject %j', (options, code) => {
    const { cache } = openIn(store())
    expect(() => cache.stats(options as object)).toThrow(expect.objectContaining({ code }))
    expect(cache.stats()).toMatchObject({ hitCount: 2 })
  })
})

describe('progress', () => {
  test('of stats and listings rises to 1', () => {
    const { cache } = openIn(temporaryRoot())
    for (const name of ['one', 'two']) {
      const many = Array.from({ length: 20_000 }, (_, index) => ({ key: `key ${index}`, value: index }))
      cache.namespace(name).setMany(many)
    }
    const told: number[] = []
    cache.stats({ onProgress: fraction => told.push(fraction) })
    const listed: number[] = []
    const count = [...cache.namespace('one').entries({ onProgress: fraction => listed.push(fraction) })].length
    expect(count).toBe(20_000)
    for (const fractions of [told, listed]) {
      expect(fractions.length).toBeGreaterThan(8)
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
      expect(fractions[0]).toBeGreaterThan(0)
      expect(fractions.at(-1)).toBeCloseTo(1, 9)
    }
    // Half of it is one of two namespaces of one size.
    expect(told.filter(fraction => fraction <= 0.5).length / told.length).toBeCloseTo(0.5, 1)
  })
})
