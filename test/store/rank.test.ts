// Which entries gc() and the background gc evict first: by last use and computation time.

import { expect, test, vi } from 'vitest'
import { lastUseOf, rankOf } from '../../src/gc/rank.js'
import type { Entry } from '../../src/manifest/entry.js'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'

const NOW = Date.UTC(2026, 0, 20)
const DAY = 86_400_000
const HUGE = 0xffffffff

function entryOf(computeMs: number | undefined, sizeBytes: number, usedAt = NOW): Entry {
  const id = Buffer.alloc(21)
  id.writeUInt32LE(sizeBytes, 16)
  return { blob: { id, location: { pack: 0, offset: 0 } }, createdAt: 0, usedAt, epoch: 1, computeMs } as Entry
}

const rank = (...given: Parameters<typeof entryOf>) => rankOf(entryOf(...given), NOW, false)

test('twice the computation time per byte counts like a use two days later', () => {
  // 1 µs per byte, the entry's own bytes included.
  expect(rank(1, 700)).toBe(NOW)
  expect(rank(2, 700)).toBe(NOW + 2 * DAY)
  expect(rank(1, 1700)).toBe(NOW - 2 * DAY)
  expect(rank(8, 700, NOW - 6 * DAY)).toBe(NOW)
})

test('a value that was set ranks by its last use only', () => {
  expect(rank(undefined, 1)).toBe(NOW)
  expect(rank(undefined, HUGE, NOW - DAY)).toBe(NOW - DAY)
})

test('no computation time counts for more than sixteen days', () => {
  for (const ms of [1e9, Number.POSITIVE_INFINITY]) expect(rank(ms, 0)).toBe(NOW + 16 * DAY)
  for (const ms of [0, 1e-9]) expect(rank(ms, HUGE)).toBe(NOW - 16 * DAY)
  expect(rank(Number.NaN, 1)).toBe(NOW)
  expect(rank(-1, 1)).toBe(NOW)
})

test('a list of inputs ranks as high as any entry of the same last use', () => {
  expect(rankOf(entryOf(undefined, HUGE), NOW, true)).toBe(NOW + 16 * DAY)
})

test('an entry last used by a clock that is ahead ranks as the oldest', () => {
  expect(lastUseOf(entryOf(1, 700, NOW + DAY), NOW)).toBe(0)
})

/** A cache in which three of four entries took a second to compute. */
function filled(maxSize: number) {
  let now = NOW
  let seconds = 0
  const { cache } = openAsAnotherProcess(temporaryRoot(), { clock: () => now, maxSize })
  const entries = cache.namespace('tool')
  const clock = vi.spyOn(process, 'uptime').mockImplementation(() => seconds)
  for (let i = 0; i < 2000; i++) {
    now += 1000
    entries.getOrSetSync(`${i % 4 ? 'slow' : 'quick'} ${i}`, () => {
      seconds += i % 4 ? 1 : 0.0001
      return `${i} ${'x'.repeat(600)}`
    })
  }
  clock.mockRestore()
  const kept = () => [...entries.keys()]
  const slowShare = () => kept().filter(key => key.startsWith('slow')).length / kept().length
  return { cache, kept, slowShare }
}

test('gc() keeps entries that took long to compute', async () => {
  const { cache, kept, slowShare } = filled(Number.POSITIVE_INFINITY)
  expect(slowShare()).toBe(0.75)
  expect(await cache.gc({ maxEntries: 1000 })).toMatchObject({ evictedEntries: 1000, keptEntries: 1000 })
  expect(kept().length).toBe(1000)
  expect(slowShare()).toBe(1)
})

test('the background gc keeps entries that took long to compute', () => {
  const { kept, slowShare } = filled(1_000_000)
  expect(kept().length).toBeLessThan(1300)
  expect(slowShare()).toBeGreaterThan(0.9)
})

test('the background gc drops too old entries, however long they took', () => {
  let now = NOW
  let seconds = 0
  const { cache } = openAsAnotherProcess(temporaryRoot(), { clock: () => now, maxAge: '5d' })
  const entries = cache.namespace('tool')
  const clock = vi.spyOn(process, 'uptime').mockImplementation(() => seconds)
  for (let i = 0; i < 100; i++) {
    entries.getOrSetSync(`slow ${i}`, () => {
      seconds += 10
      return i
    })
  }
  clock.mockRestore()
  now += 6 * DAY
  for (let i = 0; i < 3000; i++) entries.set(`key ${i}`, i)
  expect([...entries.keys()].filter(key => key.startsWith('slow'))).toEqual([])
})
