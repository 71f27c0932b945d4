// What the records of counters add up to: in all, day by day, and project by project. A record says on which day (UTC) its
// counts were written, which is within seconds of when they were counted, and of which project they are.
//
// A full file keeps a sum for each of the latest days that have counts, and one sum for all days before. Days of the future,
// which clocks that were wrong have left, are shown to no one, and kept only where they take no other day's place. Beside them
// it keeps a sum for each of the projects that were counted latest. The days hold these counts as well.

import { readU48 } from '../base/u48.js'
import { viewOf } from '../log/frames.js'
import type { Change, RecordView } from '../log-map/record.js'
import { COUNT_BYTES, COUNTER_NAMES, type CounterName, type Counts } from './names.js'
import { KEY_BYTES, recordOf } from './record.js'

const DAY_MS = 86_400_000
/** The day of a record without one. */
const NO_DAY = 0
/** How many days a full file keeps separate sums for. */
const KEPT_DAYS = 31
/** The last day that a JavaScript date can express. */
const MAX_DAY = 1e8

/** How much the sums of projects may take of a full file: those of some 30 to 50. */
const PROJECTS_BYTES = 8 * 1024
/** What a record takes besides its value. */
const RECORD_BYTES = 48

/** Not amounts that add up: of these the largest counts. */
const LEVELS: readonly CounterName[] = ['day-size']
/** What says whose counts they are. */
const MARKS: readonly CounterName[] = ['day', 'project', 'project-sum']

export function noCounts(): Counts {
  const counts: Partial<Counts> = {}
  for (const name of COUNTER_NAMES) counts[name] = 0
  return counts as Counts
}

/** Adds the counts of a record, without its day and project, to `totals`. */
function addCounts(totals: Counts, counts: Iterable<readonly [CounterName, number]>): void {
  for (const [name, count] of counts) {
    if (LEVELS.includes(name)) totals[name] = Math.max(totals[name], count)
    else if (!MARKS.includes(name)) totals[name] += count
  }
}

/** The sum of all records, and of counts that are not written yet. */
export function sumOf(records: Iterable<RecordView>, pending: Iterable<readonly [CounterName, number]>): Counts {
  const totals = noCounts()
  addCounts(totals, pending)
  for (const { counts } of counted(records)) addCounts(totals, counts)
  return totals
}

/** The same for each project, by its directory. Projects whose sums were given up are not among them. */
export function sumsByProject(
  records: Iterable<RecordView>,
  pending: ReadonlyMap<string, Iterable<readonly [CounterName, number]>>,
): Map<string, Counts> {
  const sums = new Map<string, Counts>()
  for (const [project, counts] of pending) if (project !== '') addTo(sums, project, counts)
  for (const record of records) {
    const { counts, project } = read(record)
    if (project !== '') addTo(sums, project, counts)
  }
  return sums
}

/** The sum of each day that is known up to now, by the number of days since 1970, in no order. */
export function countsByDay(records: Iterable<RecordView>, nowMs: number): Map<number, Counts> {
  const days = new Map<number, Counts>()
  for (const { counts, day } of counted(records)) {
    if (day !== NO_DAY && !isFuture(day, nowMs)) addTo(days, day, counts)
  }
  return days
}

/** The counts from the start of the day of this time up to now. */
export function countsSince(records: Iterable<RecordView>, sinceMs: number, nowMs: number): Counts {
  const totals = noCounts()
  const first = Math.floor(sinceMs / DAY_MS)
  for (const { counts, day } of counted(records)) {
    if (day >= first && !isFuture(day, nowMs)) addCounts(totals, counts)
  }
  return totals
}

function addTo<K>(sums: Map<K, Counts>, key: K, counts: Iterable<readonly [CounterName, number]>): void {
  const totals = sums.get(key) ?? noCounts()
  addCounts(totals, counts)
  sums.set(key, totals)
}

/** Whether this day can only come from a clock that is ahead. The dates of two machines may differ by a day. */
function isFuture(day: number, nowMs: number): boolean {
  return day > Math.floor(nowMs / DAY_MS) + 1
}

/** The date of a day, such as `2026-01-31`. */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** What a full file becomes: sums of the latest days, and of all others, and then sums of the latest projects. */
export function addedUp(records: readonly RecordView[], nowMs: number): Change[] {
  const all = records.map(read)
  return [...sumsOfDays(all, nowMs), ...sumsOfProjects(all)]
}

/** Each under the key of its first record. */
function sumsOfDays(records: readonly Counted[], nowMs: number): Change[] {
  const all = records.filter(({ isSum }) => !isSum)
  const isFirst = (a: number, b: number) => Number(isFuture(a, nowMs)) - Number(isFuture(b, nowMs)) || b - a
  const kept = new Set([...new Set(all.map(({ day }) => day))].sort(isFirst).slice(0, KEPT_DAYS))
  const sums = new Map<number, { key: Buffer; totals: Counts }>()
  for (const { key, counts, day } of all) {
    const group = kept.has(day) ? day : NO_DAY
    const sum = sums.get(group) ?? { key: Buffer.from(key), totals: noCounts() }
    addCounts(sum.totals, counts)
    sums.set(group, sum)
  }
  return Array.from(sums, ([day, { key, totals }]) => recordOf(key, new Map(Object.entries(totals)), day))
}

/** The latest that there is room for, each under the key of its first record, marked as that of a sum. Its day is the latest. */
function sumsOfProjects(records: readonly Counted[]): Change[] {
  const sums = new Map<string, { key: Buffer; totals: Counts; day: number }>()
  for (const { key, counts, day, project } of records) {
    if (project === '') continue
    const sum = sums.get(project) ?? { key: sumKeyOf(key), totals: noCounts(), day: NO_DAY }
    addCounts(sum.totals, counts)
    sum.day = Math.max(sum.day, day)
    sums.set(project, sum)
  }
  const latest = [...sums].sort(([, a], [, b]) => b.day - a.day || b.totals.hits - a.totals.hits)
  const changes: Change[] = []
  let bytes = 0
  for (const [project, { key, totals, day }] of latest) {
    const change = recordOf(key, new Map(Object.entries(totals)), day, project, 'project-sum')
    bytes += RECORD_BYTES + change.value.length
    if (bytes <= PROJECTS_BYTES) changes.push(change)
  }
  return changes
}

/** A sum is beside records that have the same counts. In their keys, this byte is of an offset that is never as large. */
function sumKeyOf(key: Buffer): Buffer {
  const sumKey = Buffer.from(key)
  sumKey[KEY_BYTES - 1] = 0x80
  return sumKey
}

interface Counted {
  key: Buffer
  counts: ReadonlyMap<CounterName, number>
  day: number
  /** The directory of the project, `''` where there is none. */
  project: string
  /** Whether other records have these counts as well. */
  isSum: boolean
}

function* counted(records: Iterable<RecordView>): IterableIterator<Counted> {
  for (const record of records) {
    const each = read(record)
    if (!each.isSum) yield each
  }
}

/** Of names that a later version has, nothing is known. */
function read({ key, value }: RecordView): Counted {
  const counts = new Map<CounterName, number>()
  const view = viewOf(value)
  let project = ''
  let isSum = false
  for (let at = 0; at + COUNT_BYTES <= value.length; at += COUNT_BYTES) {
    const name = COUNTER_NAMES[value[at] as number]
    if (!name) continue
    const count = readU48(view, at + 1)
    if (name === 'project' || name === 'project-sum') {
      isSum = name === 'project-sum'
      project = value.subarray(at + COUNT_BYTES, at + COUNT_BYTES + count).toString()
      break
    }
    counts.set(name, (counts.get(name) ?? 0) + count)
  }
  const day = counts.get('day') ?? NO_DAY
  return { key, counts, day: day > MAX_DAY ? NO_DAY : day, project, isSum }
}
