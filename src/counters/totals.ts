// What the records of counters add up to: in all, and day by day. A record says on which day (UTC) its counts were written,
// which is within seconds of when they were counted.
//
// A full file keeps a sum for each of the latest days that have counts, and one sum for all days before. Days of the future,
// which clocks that were wrong have left, are shown to no one, and kept only where they take no other day's place.

import { readU48 } from '../base/u48.js'
import { viewOf } from '../log/frames.js'
import type { Change, RecordView } from '../log-map/record.js'
import { COUNT_BYTES, COUNTER_NAMES, type CounterName, type Counts } from './names.js'
import { recordOf } from './record.js'

const DAY_MS = 86_400_000
/** Of a record that says nothing of its day. */
const NO_DAY = 0
/** How many days a full file keeps apart: a month. */
const KEPT_DAYS = 31
/** The last day that a date can have. */
const MAX_DAY = 1e8

/** Not amounts that add up: of these the largest counts. */
const LEVELS: readonly CounterName[] = ['day-size']

export function noCounts(): Counts {
  const counts: Partial<Counts> = {}
  for (const name of COUNTER_NAMES) counts[name] = 0
  return counts as Counts
}

/** Adds to `totals`; days aside. */
function addCounts(totals: Counts, counts: Iterable<readonly [CounterName, number]>): void {
  for (const [name, count] of counts) {
    if (LEVELS.includes(name)) totals[name] = Math.max(totals[name], count)
    else if (name !== 'day') totals[name] += count
  }
}

/** The sum of all records, and of counts that are not written yet. */
export function sumOf(records: Iterable<RecordView>, pending: ReadonlyMap<CounterName, number>): Counts {
  const totals = noCounts()
  addCounts(totals, pending)
  for (const record of records) addCounts(totals, countsIn(record))
  return totals
}

/** The sum of each day that is known up to now, by the number of days since 1970, in no order. */
export function countsByDay(records: Iterable<RecordView>, nowMs: number): Map<number, Counts> {
  const days = new Map<number, Counts>()
  for (const record of records) {
    const counts = countsIn(record)
    const day = dayOf(counts)
    if (day !== NO_DAY && !isFuture(day, nowMs)) addToDay(days, day, counts)
  }
  return days
}

/** What was counted since the start of the day of this time, up to now. */
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

/** Whether only a clock that is ahead can have counted on this day: those of two machines may differ by a day. */
function isFuture(day: number, nowMs: number): boolean {
  return day > Math.floor(nowMs / DAY_MS) + 1
}

/** The date of a day, such as `2026-01-31`. */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** What a full file becomes: the sums of the latest days, each under the key of its first record, and that of all others. */
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

/** Of names that a later version has, nothing is known. */
function countsIn({ value }: RecordView): Map<CounterName, number> {
  const counts = new Map<CounterName, number>()
  const view = viewOf(value)
  for (let at = 0; at + COUNT_BYTES <= value.length; at += COUNT_BYTES) {
    const name = COUNTER_NAMES[value[at] as number]
    if (name) counts.set(name, (counts.get(name) ?? 0) + readU48(view, at + 1))
  }
  return counts
}
