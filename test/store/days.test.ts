import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Counters } from '../../src/counters/counters.js'
import { countsByDay, countsSince, dateOf } from '../../src/counters/totals.js'
import { nodeFiles } from '../../src/files/files.js'
import { filesBelow } from '../support/caches.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

const FIRST_DAY = 20_454

/** Counters as a process has them that runs on this day, 2026-01-01 being day 0. */
function processOn(day: number, path: string): Counters {
  const now = () => (FIRST_DAY + day) * 86_400_000 + 3_600_000
  return new Counters(newEnvironment({ files: { ...nodeFiles, now } }), path, 'history')
}

function count(day: number, path: string, hits: number): void {
  const counters = processOn(day, path)
  counters.count('hits', hits)
  counters.count('expired', 1)
  counters.flush()
  counters.close()
}

const at = (day: number) => (FIRST_DAY + day) * 86_400_000

/** As seen on that day. */
function hitsByDay(path: string, today = 1000): Record<string, number> {
  const counters = processOn(0, path)
  const days = [...countsByDay(counters.records(), at(today))].sort(([a], [b]) => a - b)
  counters.close()
  return Object.fromEntries(days.map(([day, { hits }]) => [dateOf(day), hits]))
}

function totalHits(path: string): number {
  const counters = processOn(0, path)
  const { hits } = counters.totals()
  counters.close()
  return hits
}

test('counts of different days are kept apart and added up', () => {
  const path = temporaryDirectory()
  for (const [day, hits] of [
    [0, 2],
    [1, 3],
    [0, 5],
  ] as const)
    count(day, path, hits)
  expect(hitsByDay(path)).toEqual({ '2026-01-01': 7, '2026-01-02': 3 })
  expect(totalHits(path)).toBe(10)
})

test('counts since a time cover its day and later ones', () => {
  const path = temporaryDirectory()
  for (let day = 0; day < 5; day++) count(day, path, 10 ** day)
  const counters = processOn(0, path)
  const since = (day: number, today: number) => countsSince(counters.records(), at(day), at(today)).hits
  expect([0, 2, 2.9, 4, 5].map(day => since(day, 5))).toEqual([11_111, 11_100, 11_100, 10_000, 0])
  // Tomorrow's may be of a machine whose clock is a little ahead.
  expect([3, 2, 1].map(today => since(0, today))).toEqual([11_111, 1111, 111])
  counters.close()
})

test('a full file keeps sums of the latest 31 days and loses no count', () => {
  const path = temporaryDirectory()
  const sizes: number[] = []
  let flushCount = 0
  for (let day = 0; day < 60; day++) {
    for (let flush = 0; flush < 20; flush++, flushCount++) {
      count(day, path, 1)
      const [file] = filesBelow(path)
      sizes.push(statSync(join(path, file as string)).size)
    }
  }
  expect(totalHits(path)).toBe(flushCount)
  const days = hitsByDay(path)
  // The file is full now and then, so the days of before may still be there.
  expect(Object.keys(days).length).toBeGreaterThanOrEqual(31)
  expect(Object.keys(days).length).toBeLessThan(40)
  expect(Object.keys(days).at(-1)).toBe('2026-03-01')
  expect(Object.values(days).every(hits => hits === 20)).toBe(true)
  expect(Math.max(...sizes)).toBeLessThan(33 * 1024)
})

test('a process whose clock is years ahead or before 1970 affects no other day', () => {
  const path = temporaryDirectory()
  count(-30_000, path, 1)
  count(20_000, path, 1)
  for (let flush = 0; flush < 400; flush++) count(flush % 3, path, 1)
  expect(totalHits(path)).toBe(402)
  expect(hitsByDay(path)).toEqual({
    '2026-01-01': 134,
    '2026-01-02': 133,
    '2026-01-03': 133,
  })
})

test('more future days than are kept affect no earlier day', () => {
  const path = temporaryDirectory()
  for (let day = 0; day < 40; day++) count(15_000 + day, path, 1)
  for (let day = 0; day < 3; day++) for (let flush = 0; flush < 200; flush++) count(day, path, 1)
  expect(totalHits(path)).toBe(640)
  expect(hitsByDay(path, 3)).toEqual({ '2026-01-01': 200, '2026-01-02': 200, '2026-01-03': 200 })
})

test('a full file keeps its days when a clock that is behind reads it', () => {
  const path = temporaryDirectory()
  for (let day = 0; day < 20; day++) count(day, path, 1)
  for (let flush = 0; flush < 400; flush++) count(-5000, path, 1)
  expect(Object.keys(hitsByDay(path))).toHaveLength(21)
})

test('the largest size of a day is kept, in a full file too', () => {
  const path = temporaryDirectory()
  for (let flush = 0; flush < 600; flush++) {
    const counters = processOn(flush < 300 ? 0 : 1, path)
    counters.count('day-size', 1000 + (flush % 300))
    counters.count('day-evicted', 2)
    counters.flush()
    counters.close()
  }
  const days = countsByDay(processOn(0, path).records(), at(1))
  const shown = [...days].map(([day, counts]) => [day - FIRST_DAY, counts['day-size'], counts['day-evicted']])
  expect(shown.sort()).toEqual([
    [0, 1299, 600],
    [1, 1299, 600],
  ])
})

test('a damaged record loses only its own counts, and a truncated one nothing else', () => {
  const path = temporaryDirectory()
  for (let day = 0; day < 3; day++) count(day, path, day + 1)
  const file = join(path, filesBelow(path)[0] as string)
  const bytes = readFileSync(file)
  truncateSync(file, bytes.length - 5)
  expect(hitsByDay(path)).toEqual({ '2026-01-01': 1, '2026-01-02': 2 })
  // A byte of the first record's payload.
  const first = bytes.indexOf(Buffer.from([0xf7, 2]))
  bytes[first + 24 + 8] = 0x55
  writeFileSync(file, bytes)
  expect(hitsByDay(path)).toEqual({ '2026-01-02': 2, '2026-01-03': 3 })
})
