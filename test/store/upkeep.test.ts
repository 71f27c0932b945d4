// A cache keeps its limits by background gc steps in the processes that set.

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { CacheHandle } from '../../src/cache/cache.js'
import { nodeFiles } from '../../src/files/files.js'
import type { CacheOptions } from '../../src/index.js'
import { filesBelow, openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { printedSeed, randomFrom } from '../support/random.js'
import { Killed, mortalFiles } from './environment.js'

const LONG = 'x'.repeat(2000)
let now = 1_790_000_000_000
const clock = () => now

function open(dir: string, options: CacheOptions = {}) {
  const { cache, warnings } = openAsAnotherProcess(dir, { clock, ...options })
  return { cache, warnings, ns: cache.namespace('ns') }
}

/** Until the test has ended, a slice of work takes so many looks at the clock, on a busy machine as well. */
function countTime(): void {
  let ms = performance.now()
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => (ms += 0.2))
  onTestFinished(() => spy.mockRestore())
}

const bytesOf = (dir: string) =>
  filesBelow(join(dir, 'v2')).reduce((sum, name) => sum + (statSync(join(dir, 'v2', name)).size ?? 0), 0)
const numbersOf = (cache: ReturnType<typeof open>['cache'], name = 'ns') =>
  [...cache.namespace(name).keys()].map(key => Number(key.split(' ')[1])).sort((a, b) => a - b)

/** Sets so many entries, a millisecond apart, each with a value of its own; the size that was ever reached. */
function setMany(cache: ReturnType<typeof open>['cache'], from: number, count: number, name = 'ns'): number {
  const ns = cache.namespace(name)
  let largest = 0
  for (let i = from; i < from + count; i++) {
    now++
    expect(ns.set(`key ${i}`, `${i} ${LONG}`)).toBe(true)
    if (i % 50 === 0) largest = Math.max(largest, bytesOf(cache.dir))
  }
  return largest
}

describe('a cache with a maximum size', () => {
  test('keeps it by evicting the least recently used entries', () => {
    const { cache, warnings } = open(temporaryRoot(), { maxSize: 1_000_000 })
    const largest = setMany(cache, 0, 4000)
    expect(largest).toBeLessThan(2_500_000)
    expect(bytesOf(cache.dir)).toBeLessThan(2_500_000)
    const kept = numbersOf(cache)
    expect(kept.length).toBeGreaterThan(200)
    // What is left is the end of what was set, but for what was set while a round went on.
    expect(kept.filter(i => i < 4000 - 3 * kept.length)).toEqual([])
    for (const i of kept) expect(cache.namespace('ns').get(`key ${i}`)).toBe(`${i} ${LONG}`)
    expect(warnings).toEqual([])
  })

  test('keeps it over processes that set one entry each', () => {
    countTime()
    const dir = temporaryRoot()
    let largest = 0
    for (let i = 0; i < 1500; i++) {
      now += 60_000
      const { cache, ns } = open(dir, { maxSize: 300_000 })
      expect(ns.set(`key ${i}`, `${i} ${LONG}`)).toBe(true)
      expect(ns.get(`key ${i}`)).toBe(`${i} ${LONG}`)
      cache.close()
      if (i % 10 === 0) largest = Math.max(largest, bytesOf(dir))
    }
    expect(largest).toBeLessThan(1_500_000)
  })

  test('counts a value shared by namespaces once', () => {
    const { cache } = open(temporaryRoot(), { maxSize: 1_000_000 })
    for (let i = 0; i < 250; i++) {
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        now++
        cache.namespace(name).set(`key ${i}`, `${i} ${LONG}`)
      }
    }
    expect(cache.stats().entryCount).toBe(1250)
  })

  test('keeps entries in use', () => {
    const { cache, ns } = open(temporaryRoot(), { maxSize: 1_000_000 })
    setMany(cache, 0, 50)
    for (let i = 50; i < 3000; i += 50) {
      setMany(cache, i, 50)
      now += 5 * 3_600_000
      for (let used = 0; used < 20; used++) ns.get(`key ${used}`)
    }
    for (let used = 0; used < 20; used++) expect(ns.get(`key ${used}`)).toBe(`${used} ${LONG}`)
  })
})

test('a namespace keeps its own limits, and others are left alone', () => {
  const { cache } = open(temporaryRoot())
  const bounded = cache.namespace('ns', { maxEntries: 200 })
  setMany(cache, 0, 300, 'other')
  setMany(cache, 0, 2000)
  expect(numbersOf(cache).length).toBeLessThan(300)
  expect(bounded.get('key 1999')).toBe(`1999 ${LONG}`)
  expect(numbersOf(cache, 'other').length).toBe(300)
})

test('nothing is evicted far below maxEntries, however many buckets there are', () => {
  const { cache } = open(temporaryRoot(), { maxEntries: 10_000 })
  const entries = Array.from({ length: 5000 }, (_, i) => ({ key: `key ${i} ${'k'.repeat(100)}`, value: i }))
  for (let round = 0; round < 4; round++) {
    now += 1000
    for (let at = 0; at < 5000; at += 100) expect(cache.namespace('ns').setMany(entries.slice(at, at + 100))).toBe(100)
  }
  expect(filesBelow(join(cache.dir, 'v2', 'namespaces', 'ns', 'manifest')).length).toBeGreaterThan(15)
  expect([...cache.namespace('ns').keys()]).toHaveLength(5000)
})

test('entries past the maximum age are dropped', () => {
  const { cache } = open(temporaryRoot(), { maxAge: 3_600_000 })
  setMany(cache, 0, 300)
  now += 3_700_000
  setMany(cache, 300, 300)
  expect(numbersOf(cache)).toEqual(Array.from({ length: 300 }, (_, at) => at + 300))
})

describe('limits', () => {
  const kept = (dir: string, options: CacheOptions = {}) => {
    const { cache, warnings } = open(dir, options)
    setMany(cache, 0, 1000)
    cache.close()
    return { count: numbersOf(open(dir).cache).length, warnings }
  }
  const withConfig = (content: string) => {
    const dir = temporaryRoot()
    nodeFiles.makeDirectory(dir)
    writeFileSync(join(dir, 'config.json'), content)
    return dir
  }

  test('default to 2 GB', () => expect(kept(temporaryRoot())).toEqual({ count: 1000, warnings: [] }))

  test('can be set in config.json, for all namespaces or one', () => {
    for (const content of ['{"maxEntries": 100}', '{"namespaces": {"ns": {"maxSize": "200KB"}}}']) {
      const { count, warnings } = kept(withConfig(content))
      expect(warnings).toEqual([])
      expect(count).toBeLessThan(200)
    }
  })

  test('from the environment override config.json, and options override both', () => {
    const dir = withConfig('{"maxSize": "none"}')
    process.env.WICKED_CACHE_MAX_SIZE = '200KB'
    try {
      expect(kept(dir).count).toBeLessThan(200)
      expect(kept(temporaryRoot(), { maxSize: Number.POSITIVE_INFINITY }).count).toBe(1000)
    } finally {
      delete process.env.WICKED_CACHE_MAX_SIZE
    }
  })

  test.each([
    'not json',
    '[]',
    '{"maxSize": 5}',
    '{"maxSize": "five"}',
    '{"maxSise": "5GB"}',
    '{"namespaces": []}',
    '{"namespaces": {"ns": {"maxAge": null}}}',
  ])('that are invalid in config.json (%s) give one warning, and the defaults apply', content => {
    const { count, warnings } = kept(withConfig(content))
    expect(count).toBe(1000)
    expect(warnings).toMatchObject([{ code: 'ERR_CACHE_CONFIG', message: expect.stringContaining('config.json') }])
  })

  test('that are invalid in the environment give a warning that names the variable', () => {
    process.env.WICKED_CACHE_MAX_AGE = 'long'
    try {
      expect(kept(temporaryRoot()).warnings).toMatchObject([
        { code: 'ERR_CACHE_CONFIG', message: expect.stringContaining('WICKED_CACHE_MAX_AGE') },
      ])
    } finally {
      delete process.env.WICKED_CACHE_MAX_AGE
    }
  })
})

test('a read-only cache runs no background gc', () => {
  const dir = temporaryRoot()
  const { cache } = open(dir)
  setMany(cache, 0, 100)
  cache.close()
  const before = bytesOf(dir)
  const reader = open(dir, { mode: 'readonly', maxEntries: 1, maxSize: 1 })
  for (let i = 0; i < 200; i++) reader.ns.get(`key ${i % 100}`)
  expect(bytesOf(dir)).toBe(before)
})

test('a killed background gc loses no kept entry, and another process finishes its cycle', () => {
  const dir = temporaryRoot()
  const seed = printedSeed('killed upkeep')
  const random = randomFrom(seed)
  const values = new Map<string, string>()
  let killedCount = 0
  for (let i = 0, round = 0; i < 6000; round++) {
    const files = mortalFiles(20 + random(400), random(2))
    const cache = new CacheHandle(
      { dir, clock, maxSize: 500_000, onWarning: () => undefined },
      { files, random: () => random(1e9) / 1e9 },
    )
    const ns = cache.namespace('ns')
    for (let isAlive = true; isAlive && i < 6000; i++) {
      now++
      const [key, value] = [`key ${i}`, `${i % 3000} ${LONG}`]
      values.set(key, value)
      isAlive = ns.set(key, value)
      try {
        files.stat(dir)
      } catch (error) {
        expect(error).toBeInstanceOf(Killed)
        isAlive = false
        killedCount++
      }
    }
    // Here the dead owner is this very process.
    if (existsSync(layoutOf(dir).gcLock)) nodeFiles.remove(layoutOf(dir).gcLock)
    if (round % 5 > 0) continue
    const next = openAsAnotherProcess(dir, { clock, mode: 'readonly' })
    for (const key of next.cache.namespace('ns').keys()) {
      expect(next.cache.namespace('ns').get(key), `seed ${seed}, round ${round}, ${key}`).toBe(values.get(key))
    }
    expect(next.warnings).toEqual([])
  }
  expect(killedCount).toBeGreaterThan(20)
  expect(bytesOf(dir)).toBeLessThan(2_500_000)
})

test('an entry that another process sets during a background gc step is not lost', () => {
  const dir = temporaryRoot()
  const other = open(dir).ns
  let isArmed = false
  const lateKeys: string[] = []
  // After the slice has read the manifests, and before it gives up the pack that the others write to.
  const files = interceptedFiles(call => {
    if (isArmed && call.name === 'createFile' && call.path.endsWith('.pack')) {
      isArmed = false
      lateKeys.push(`late ${lateKeys.length}`)
      expect(other.set(lateKeys.at(-1) as string, `late ${lateKeys.length} ${LONG}`)).toBe(true)
    }
    return call.proceed()
  })
  const { cache } = openAsAnotherProcess(dir, { clock, maxSize: 200_000 }, { files })
  for (let i = 0; i < 400; i++) {
    now++
    isArmed = true
    cache.namespace('ns').set(`key ${i}`, `${i} ${LONG}`)
  }
  expect(lateKeys.length).toBeGreaterThan(3)
  const ns = openAsAnotherProcess(dir, { clock }).cache.namespace('ns')
  // Evicted is allowed, lost is not.
  expect(lateKeys.filter(key => ns.get(key) === undefined && [...ns.keys()].includes(key))).toEqual([])
})

test.each([
  ['a step of another process', '', true],
  ['a gc()', 'gc\n', false],
])('a set past the limit waits for %s (%o): %s', (_, content, waits) => {
  const dir = temporaryRoot()
  setMany(open(dir, { maxSize: 2_000_000 }).cache, 0, 400)
  let tries = 0
  const { gcLock: lock, upkeep } = layoutOf(dir)
  rmSync(upkeep, { force: true })
  const files = interceptedFiles(call => {
    if (call.name === 'createFile' && call.path === lock) tries++
    return call.proceed()
  })
  // This process has not taken a slice yet.
  const { cache } = openAsAnotherProcess(dir, { clock, maxSize: 500_000 }, { files })
  writeFileSync(lock, content)
  let mostTries = 0
  for (let i = 0; i < 64; i++) {
    tries = 0
    expect(cache.namespace('ns').set(`late ${i}`, `${i} ${LONG}`)).toBe(true)
    mostTries = Math.max(mostTries, tries)
  }
  expect(mostTries).toBeGreaterThan(0)
  expect(mostTries > 1, 'a set tried again').toBe(waits)
})

test('gc() ends a running background gc cycle', async () => {
  const { cache } = open(temporaryRoot(), { maxSize: 500_000 })
  setMany(cache, 0, 400)
  const path = layoutOf(cache.dir).upkeep
  expect(readFileSync(path, 'latin1')).toContain('"phase"')
  await cache.gc()
  expect(existsSync(path)).toBe(false)
  expect(bytesOf(cache.dir)).toBeLessThan(500_000)
  setMany(cache, 400, 400)
  for (const i of numbersOf(cache)) expect(cache.namespace('ns').get(`key ${i}`)).toBe(`${i} ${LONG}`)
})
