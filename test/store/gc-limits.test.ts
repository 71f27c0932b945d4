// What a gc with limits drops, and whether a dry run predicts it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import type { GcProgress } from '../../src/index.js'
import { filesBelow, nextTurn, openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { printedSeed, randomFrom } from '../support/random.js'

const HOUR_MS = 3_600_000
let now = 1_790_000_000_000
const clock = () => now

const open = (dir: string, options = {}) => {
  const { cache, warnings } = openAsAnotherProcess(dir, { clock, ...options })
  return { cache, warnings, ns: cache.namespace('ns') }
}
const keysOf = (cache: ReturnType<typeof open>['cache'], name = 'ns') =>
  [...cache.namespace(name).keys()].map(key => Number(key.split(' ')[1])).sort((a, b) => a - b)
const upTo = (from: number, end: number) => Array.from({ length: end - from }, (_, at) => from + at)

describe('a maximum age', () => {
  test('drops entries that were not used for longer, and the miss reports it', async () => {
    const { cache, ns } = open(temporaryRoot())
    ns.set('key 1', 1)
    ns.set('key 2', 2)
    now += 10 * HOUR_MS
    ns.get('key 2')
    cache.close()
    const again = open(cache.dir)
    now += 3 * HOUR_MS
    expect(await again.cache.gc({ maxAge: 5 * HOUR_MS })).toMatchObject({ unusedEntries: 1, keptEntries: 1 })
    expect([again.ns.get('key 1'), again.ns.get('key 2')]).toEqual([undefined, 2])
    expect(again.ns.stats().missReasons).toEqual({ evicted: 1 })
  })
})

describe('a maximum number of entries', () => {
  test('keeps the most recently used entries over all namespaces and processes', async () => {
    const dir = temporaryRoot()
    for (let i = 0; i < 40; i++) {
      now += 1000
      const { cache } = open(dir)
      cache.namespace(i % 2 ? 'odd' : 'even').set(`key ${i}`, i)
      cache.close()
    }
    now += 10 * HOUR_MS
    const reader = open(dir).cache
    expect([0, 2, 4].map(i => reader.namespace('even').get(`key ${i}`))).toEqual([0, 2, 4])
    reader.close()
    const { cache } = open(dir)
    expect(await cache.gc({ maxEntries: 13 })).toMatchObject({ evictedEntries: 27, keptEntries: 13, keptBlobs: 13 })
    expect(keysOf(cache, 'even')).toEqual([0, 2, 4, 30, 32, 34, 36, 38])
    expect(keysOf(cache, 'odd')).toEqual([31, 33, 35, 37, 39])
  })

  test('keeps exactly that many of the entries used in the same millisecond', async () => {
    const { cache, ns } = open(temporaryRoot())
    ns.setMany(upTo(0, 50).map(i => ({ key: `key ${i}`, value: i })))
    expect(await cache.gc({ maxEntries: 20 })).toMatchObject({ evictedEntries: 30, keptEntries: 20 })
    expect(keysOf(cache).length).toBe(20)
  })

  test('for one namespace keeps the others, including their expired entries', async () => {
    const { cache, ns } = open(temporaryRoot())
    for (const name of ['ns', 'other']) {
      for (let i = 0; i < 10; i++) {
        now++
        cache.namespace(name).set(`key ${i}`, i, i === 9 ? { ttl: 1 } : {})
      }
    }
    now += 10
    const report = await cache.gc({ namespace: 'ns', maxEntries: 4 })
    expect(report).toMatchObject({ expiredEntries: 1, evictedEntries: 5, keptEntries: 14 })
    expect(keysOf(cache)).toEqual([5, 6, 7, 8])
    expect(keysOf(cache, 'other')).toEqual(upTo(0, 10))
    expect(ns.get('key 8')).toBe(8)
  })
})

describe('a maximum size', () => {
  const fill = (dir: string, count: number, length: number) => {
    const { cache, ns } = open(dir)
    for (let i = 0; i < count; i++) {
      now++
      ns.set(`key ${i}`, `${i} ${'x'.repeat(length)}`)
    }
    cache.close()
  }
  const bytesOf = (dir: string) =>
    filesBelow(join(dir, 'v2')).reduce((sum, name) => sum + readFileSync(join(dir, 'v2', name)).length, 0)

  test.each([
    [300, 3000, 1],
    [3000, 30, 1],
    [20, 100_000, 3],
    [2000, 100, 0],
  ])('is kept by the files on disk: %d values of %d bytes', async (count, length, divisor) => {
    const dir = temporaryRoot()
    fill(dir, count, length)
    const maxSize = divisor === 0 ? 0 : Math.floor(bytesOf(dir) / (2 * divisor))
    const { cache } = open(dir)
    const report = await cache.gc({ maxSize })
    expect(report.evictedEntries).toBeGreaterThan(count / 3)
    cache.close()
    // What is left of an empty cache: the beginnings of its files.
    expect(bytesOf(dir)).toBeLessThanOrEqual(Math.max(maxSize, 4000))
    const kept = keysOf(open(dir).cache)
    expect(kept).toEqual(upTo(count - kept.length, count))
    if (divisor > 0) expect(bytesOf(dir)).toBeGreaterThan(maxSize / 2)
  })

  test('counts a shared value once, and keeps it as long as one of its entries', async () => {
    const { cache } = open(temporaryRoot())
    const value = 'x'.repeat(100_000)
    for (let i = 0; i < 10; i++) {
      now++
      cache.namespace(`ns ${i}`).set('key', value)
    }
    expect(await cache.gc({ maxSize: 150_000 })).toMatchObject({
      evictedEntries: 0,
      keptEntries: 10,
      keptBlobs: 1,
    })
    const report = await cache.gc({ namespace: 'ns 3', maxSize: 50_000 })
    expect(report).toMatchObject({ evictedEntries: 1, keptEntries: 9, keptBlobs: 1, removedBlobs: 0 })
    expect(cache.namespace('ns 9').get('key')).toBe(value)
  })

  test('drops nothing below the limit', async () => {
    const dir = temporaryRoot()
    fill(dir, 50, 100)
    const { cache } = open(dir)
    expect(await cache.gc({ maxSize: 10_000_000, maxEntries: 50, maxAge: HOUR_MS })).toMatchObject({
      evictedEntries: 0,
      unusedEntries: 0,
      keptEntries: 50,
    })
  })
})

test.each([Number.NaN, -1, '2 many', null])('a limit of %j is rejected', async bound => {
  const { cache } = open(temporaryRoot())
  for (const name of ['maxSize', 'maxAge', 'maxEntries']) {
    const options = { [name]: bound } as object
    await expect(cache.gc(options)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION', value: bound })
    expect(() => cache.namespace('ns', options)).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTION' }))
    expect(() => open(cache.dir, options)).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTION' }))
  }
})

describe('a dry run', () => {
  test('changes nothing and predicts how many entries the next gc drops and keeps', async () => {
    const random = randomFrom(printedSeed('dry run'))
    for (let round = 0; round < 8; round++) {
      const dir = temporaryRoot()
      const { cache } = open(dir)
      for (let i = 0; i < 600; i++) {
        now += random(3)
        const key = `key ${random(400)}`
        const names = ['a', 'b', 'c'].map(name => cache.namespace(name))
        const ns = names[random(3)] as (typeof names)[0]
        if (random(5) === 0) ns.delete(key)
        else ns.set(key, `${random(200)} ${'x'.repeat(random(2000))}`, random(4) === 0 ? { ttl: 300 } : {})
      }
      if (round % 2) cache.namespace('b').clear()
      cache.close()
      const options = [
        {},
        { maxEntries: 100 },
        { maxSize: 100_000 },
        { maxAge: 400 },
        { namespace: 'a', maxEntries: 20 },
      ][random(5)] as object
      const contents = () => filesBelow(dir).map(name => [name, readFileSync(join(dir, name), 'latin1')])
      const before = contents()
      const reader = open(dir, { mode: 'readonly' })
      const foretold = await reader.cache.gc({ ...options, dryRun: true })
      expect(contents()).toEqual(before)
      const report = await open(dir).cache.gc(options)
      const { diskBytesAfter: bytes, removedBlobs, ...exact } = foretold
      expect({ ...report, isDryRun: true }, JSON.stringify(options)).toMatchObject(exact)
      // Estimates: what a bucket or a pack is rewritten to is not worked out.
      expect(removedBlobs).toBe(report.removedBlobs)
      expect(Math.abs(bytes - report.diskBytesAfter)).toBeLessThan(report.diskBytesBefore / 3)
    }
  })

  test('takes no lock', async () => {
    const { cache, ns } = open(temporaryRoot())
    ns.set('key', 1)
    const gcs = await Promise.all([cache.gc({ dryRun: true }), cache.gc(), cache.gc({ dryRun: true })])
    expect(gcs.map(({ isDryRun }) => isDryRun)).toEqual([true, false, true])
  })
})

describe('an abort', () => {
  test('at any point keeps the entries not yet dropped and leaves no lock', async () => {
    for (let stopAt = 0, isStopped = true; isStopped; stopAt++) {
      const { cache, ns } = open(temporaryRoot())
      for (let i = 0; i < 60; i++) ns.set(`key ${i}`, `value ${i}`, i % 2 ? { ttl: 10 } : {})
      now += 100
      const controller = new AbortController()
      let count = 0
      const onProgress = () => {
        if (count++ === stopAt) controller.abort(new Error('enough'))
      }
      isStopped = await cache.gc({ signal: controller.signal, onProgress }).then(
        () => false,
        error => {
          expect(error).toEqual(new Error('enough'))
          return true
        },
      )
      for (let i = 0; i < 60; i += 2) expect(ns.get(`key ${i}`)).toBe(`value ${i}`)
      expect(existsSync(layoutOf(cache.dir).gcLock)).toBe(false)
      expect(await cache.gc()).toMatchObject({ keptEntries: 30, keptBlobs: 30 })
      if (!isStopped) expect(stopAt).toBeGreaterThan(2)
    }
  })

  test('before the start does nothing', async () => {
    const { cache, ns } = open(temporaryRoot())
    ns.set('key', 1, { ttl: 1 })
    now += 10
    await expect(cache.gc({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    expect(ns.find('key').length).toBe(1)
  })
})

test('progress goes from 0 to 1, starting with the entries', async () => {
  const { cache, ns } = open(temporaryRoot())
  for (let i = 0; i < 3000; i++) ns.set(`key ${i}`, i, i % 2 ? { ttl: 1 } : {})
  now += 10
  const seen: GcProgress[] = []
  await cache.gc({ onProgress: progress => seen.push(progress) })
  expect(seen.every(({ fraction }) => fraction >= 0 && fraction <= 1)).toBe(true)
  expect(seen.at(-1)).toEqual({ step: 'values', fraction: 1 })
  const steps = seen.map(({ step }) => step)
  expect(steps).toEqual(steps.toSorted())
  for (const step of ['entries', 'values'] as const) {
    const fractions = seen.filter(progress => progress.step === step).map(({ fraction }) => fraction)
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
  }
})

describe('a removed namespace', () => {
  test('is gone after the next gc, with its statistics and values', async () => {
    const { cache, ns } = open(temporaryRoot())
    for (let i = 0; i < 30; i++) ns.set(`key ${i}`, i)
    cache.namespace('other').set('key', 'stays')
    expect([ns.get('key 1'), cache.removeNamespace('ns')]).toEqual([1, 30])
    expect([ns.get('key 2'), cache.removeNamespace('ns')]).toEqual([undefined, 0])
    cache.close()
    const again = open(cache.dir).cache
    again.removeNamespace('ns')
    expect(await again.gc()).toMatchObject({ removedBlobs: 30, keptEntries: 1 })
    expect(again.namespaces()).toEqual(['other'])
    expect(again.stats().namespaces).not.toHaveProperty('ns')
    expect(existsSync(layoutOf(cache.dir).namespace('ns'))).toBe(false)
    expect(again.namespace('ns').set('key', 2)).toBe(true)
    expect(again.namespace('ns').get('key')).toBe(2)
  })

  test('loses no set made at the same time', async () => {
    const random = randomFrom(printedSeed('removed while set'))
    const dir = temporaryRoot()
    for (let round = 0; round < 40; round++) {
      const gc = open(dir).cache
      const setters = [open(dir), open(dir)]
      for (const { ns } of setters) ns.get('none')
      gc.removeNamespace('ns')
      let isDone = false
      const collected = gc.gc().finally(() => {
        isDone = true
      })
      const model = new Map<string, number>()
      for (let step = 0; !isDone || step < 10; step++) {
        const key = `key ${random(30)}`
        expect(setters[random(2)]?.ns.set(key, step)).toBe(true)
        model.set(key, step)
        await new Promise(resolve => setImmediate(resolve))
      }
      await collected
      for (const [key, value] of model) expect(open(dir).ns.get(key), `round ${round}`).toBe(value)
      for (const each of [gc, ...setters.map(({ cache }) => cache)]) each.close()
    }
  })

  test('loses no set made between any two calls of the gc', async () => {
    for (let setAt = 0, isOver = false; !isOver; setAt++) {
      const dir = temporaryRoot()
      const { cache, ns } = open(dir)
      for (let i = 0; i < 5; i++) ns.set(`key ${i}`, i)
      cache.removeNamespace('ns')
      cache.close()
      const other = open(dir)
      other.ns.get('key 1')
      let calls = 0
      const files = interceptedFiles(call => {
        if (calls++ === setAt) expect(other.ns.set('new', 'value 3')).toBe(true)
        return call.proceed()
      })
      const gc = openAsAnotherProcess(dir, { clock }, { files })
      await gc.cache.gc()
      isOver = calls <= setAt
      if (!isOver) expect(open(dir).ns.get('new'), `set before call ${setAt}`).toBe('value 3')
      expect([...gc.warnings, ...other.warnings]).toEqual([])
    }
  })

  test('keeps its statistics if it was only cleared', async () => {
    const { cache, ns } = open(temporaryRoot())
    ns.set('key', 1)
    ns.clear()
    cache.close()
    const again = open(cache.dir).cache
    await again.gc()
    expect(again.namespace('ns').stats()).toMatchObject({ setCount: 1, entryCount: 0 })
  })
})

test('foreign files in and beside the cache are left alone', async () => {
  const dir = temporaryRoot()
  const { cache, ns } = open(dir)
  ns.set('key', 1)
  await nextTurn()
  const theirs = ['notes.txt', 'v2/notes.txt', 'v2/blobs/packs/mine.pack', 'v2/namespaces/ns/manifest/_.0.bak']
  theirs.push('v2/namespaces/ns/manifest/notes.new', 'v2/blobs/index/a.txt', 'v3/0.pack')
  mkdirSync(join(dir, 'v3'))
  for (const name of theirs) writeFileSync(join(dir, name), 'theirs')
  ns.delete('key')
  cache.removeNamespace('ns')
  await cache.gc({ maxSize: 0, maxEntries: 0, maxAge: 0 })
  for (const name of theirs) expect(readFileSync(join(dir, name), 'utf8')).toBe('theirs')
})
