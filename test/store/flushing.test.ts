// Counts and times of last use are buffered in memory and written within seconds. A killed process or a terminated worker loses
// no more than that.

import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const DAY_MS = 86_400_000
let now = 1_790_000_000_000
const clock = () => now

function hits(dir: string): number {
  const { cache } = openAsAnotherProcess(dir, { clock })
  const { hitCount } = cache.stats()
  cache.close()
  return hitCount
}

function filled(): string {
  const dir = temporaryRoot()
  const { cache } = openAsAnotherProcess(dir, { clock })
  for (let i = 0; i < 100; i++) cache.namespace('ns').set(`key ${i}`, i)
  cache.close()
  now += 30 * DAY_MS
  return dir
}

test('many counts are written by a timer without another call', () => {
  const dir = filled()
  const ns = openAsAnotherProcess(dir, { clock }).cache.namespace('ns')
  for (let i = 0; i < 500; i++) ns.get(`key ${i % 100}`)
  expect(hits(dir)).toBe(0)
  vi.advanceTimersByTime(1100)
  expect(hits(dir)).toBe(500)
})

test('few counts are written by a later call', () => {
  const dir = filled()
  const ns = openAsAnotherProcess(dir, { clock }).cache.namespace('ns')
  ns.get('key 1')
  vi.advanceTimersByTime(5000)
  expect(hits(dir)).toBe(0)
  ns.get('key 1')
  vi.advanceTimersByTime(1)
  expect(hits(dir)).toBe(2)
})

test('times of last use are written with the counts, so that used entries survive maxAge', async () => {
  const dir = filled()
  const ns = openAsAnotherProcess(dir, { clock }).cache.namespace('ns')
  for (let i = 0; i < 50; i++) ns.get(`key ${i}`)
  vi.advanceTimersByTime(1100)
  vi.useRealTimers()
  const { cache } = openAsAnotherProcess(dir, { clock })
  expect(await cache.gc({ maxAge: 7 * DAY_MS })).toMatchObject({ unusedEntries: 50, keptEntries: 50 })
})

describe('with many namespaces', () => {
  const NAMES = Array.from({ length: 60 }, (_, n) => `ns ${n}`)

  /** A cache of which each write takes so long that few fit into a piece of work. */
  function slowlyWritten() {
    const dir = temporaryRoot()
    const { cache } = openAsAnotherProcess(dir, { clock })
    for (const name of NAMES) for (let i = 0; i < 3; i++) cache.namespace(name).set(`key ${i}`, i)
    cache.close()
    now += 30 * DAY_MS
    let elapsedMs = 0
    let writeCount = 0
    vi.spyOn(performance, 'now').mockImplementation(() => elapsedMs)
    const hrtime = Object.assign(() => [0, elapsedMs * 1e6] as [number, number], { bigint: process.hrtime.bigint })
    vi.spyOn(process, 'hrtime').mockImplementation(hrtime)
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    const files = interceptedFiles(call => {
      if (call.name === 'append') {
        elapsedMs += 5
        writeCount++
      }
      return call.proceed()
    })
    const opened = openAsAnotherProcess(dir, { clock, maxEntries: 40 }, { files }).cache
    return { dir, cache: opened, writes: () => writeCount, elapsed: () => elapsedMs }
  }

  test('buffered counts are written a few at a time', () => {
    const { dir, cache, writes } = slowlyWritten()
    for (const name of NAMES) for (let i = 0; i < 20; i++) cache.namespace(name).get(`key ${i % 3}`)
    vi.advanceTimersByTime(1001)
    const first = writes()
    expect(first).toBeLessThan(12)
    vi.advanceTimersByTime(3000)
    expect(writes()).toBeGreaterThanOrEqual(2 * NAMES.length)
    expect(hits(dir)).toBe(20 * NAMES.length)
  })

  test('a set writes only the uses that its background gc step needs', () => {
    const { cache, elapsed } = slowlyWritten()
    for (const name of NAMES) for (let i = 0; i < 2; i++) cache.namespace(name).get(`key ${i}`)
    const own = cache.namespace('own')
    let longestMs = 0
    for (let i = 0; i < 400; i++) {
      const before = elapsed()
      own.set(`key ${i}`, i)
      longestMs = Math.max(longestMs, elapsed() - before)
    }
    expect(longestMs).toBeLessThan(100)
  })
})
