// Adds up the records of counters, in all and day by day. A record holds the day (UTC) on which its counts were written, which
// is within seconds of when they were counted.
//
// A full file keeps a sum for each of the latest days that have counts, and one sum for all days before. Days in the future
// come from wrong clocks. They are never shown, and kept only if there is room for them.

import { readU48 } from '../base/u48.js'
import { viewOf } from '../log/frames.js'
import type { Change, RecordView } from '../log-map/record.js'
import { COUNT_BYTES, COUNTER_NAMES, type CounterName, type Counts } from './names.js'
import { recordOf } from './record.js'

const DAY_MS = 86_400_000
/** The day of a record without one. */
const NO_DAY = 0
/** How many days a full file keeps separate sums for. */
const KEPT_DAYS = 31
/** The last day that a JavaScript date can express. */
const MAX_DAY = 1e8

/** Names whose largest value counts, and not the sum. */
const LEVELS: readonly CounterName[] = ['day-size']

export function noCounts(): Counts {
  const counts: Partial<Counts> = {}
  for (const name of COUNTER_NAMES) counts[name] = 0
  return counts as Counts
}

/** Adds the counts of a record, without its day, to `totals`. */
function addCounts(totals: Counts, counts: Iterable<readonly [CounterName, number]>): void {
  for (const [name, count] of counts) {
    if (LEVELS.includes(name)) totals[name] = Math.max(totals[name], count)
    else if (name !== 'day') totals[name] += count
  }
}

/** The sum of all records and of pending counts. */
export function sumOf(records: Iterable<RecordView>, pending: ReadonlyMap<CounterName, number>): Counts {
  const totals = noCounts()
  addCounts(totals, pending)
  for (const record of records) addCounts(totals, countsIn(record))
  return totals
}

/** The sums of all days up to now, by the number of days since 1970, in no particular order. */
export function countsByDay(records: Iterable<RecordView>, nowMs: number): Map<number, Counts> {
  const days = new Map<number, Counts>()
  for (const record of records) {
    const counts = countsIn(record)
    const day = dayOf(counts)
    if (day !== NO_DAY && !isFuture(day, nowMs)) addToDay(days, day, counts)
  }
  return days
}

/** The counts from the start of the day of this time up to now. */
export function countsSince(records: Iterable<RecordView>, sinceMs: number, nowMs: number): Counts {
  const totals = noCounts()
  const first = Math.floor(sinceMs / DAY_MS)
  for (const record of records) {
    const counts = countsIn(record)
    const day = dayOf(counts)
    if (day >= first && !isFuture(day, nowMs)) addCounts(totals, counts)
  }
  return totals
}

function addToDay(days: Map<number, Counts>, day: number, counts: Iterable<readonly [CounterName, number]>): void {
  const totals = days.get(day) ?? noCounts()
  addCounts(totals, counts)
  days.set(day, totals)
}

/** Whether this day can only come from a clock that is ahead. The dates of two machines may differ by a day. */
function isFuture(day: number, nowMs: number): boolean {
  return day > Math.floor(nowMs / DAY_MS) + 1
}

/** The date of a day, such as `2026-01-31`. */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/**
 * The records of a full file's successor: one sum for each of the latest days, under the key of the day's first record, and one
 * sum for all others.
 */
export function addedUp(records: readonly RecordView[], nowMs: number): Change[] {
  const days = [...new Set(records.map(record => dayOf(countsIn(record))))]
  const isFirst = (a: number, b: number) => Number(isFuture(a, nowMs)) - Number(isFuture(b, nowMs)) || b - a
  const kept = new Set(days.sort(isFirst).slice(0, KEPT_DAYS))
  const sums = new Map<number, { key: Buffer; totals: Counts }>()
  for (const record of records) {
    const counts = countsIn(record)
    const day = dayOf(counts)
    const group = kept.has(day) ? day : NO_DAY
    const sum = sums.get(group) ?? { key: Buffer.from(record.key), totals: noCounts() }
    addCounts(sum.totals, counts)
    sums.set(group, sum)
  }
  return Array.from(sums, ([day, { key, totals }]) => recordOf(key, new Map(Object.entries({ ...totals, day }))))
}

function dayOf(counts: ReadonlyMap<CounterName, number>): number {
  const day = counts.get('day') ?? NO_DAY
  return day > MAX_DAY ? NO_DAY : day
}

/** A later version may have written counts whose names this version doesn't know. */
function countsIn({ value }: RecordView): Map<CounterName, number> {
  const counts = new Map<CounterName, number>()
  const view = viewOf(value)
  for (let at = 0; at + COUNT_BYTES <= value.length; at += COUNT_BYTES) {
    const name = COUNTER_NAMES[value[at] as number]
    if (name) counts.set(name, (counts.get(name) ?? 0) + readU48(view, at + 1))
  }
  return counts
}
