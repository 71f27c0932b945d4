// Lays out statistics as text.

import type { CacheStats, NamespaceStats, NamespaceSummary, RemoteFailing } from '../src/index.js'
import { fitted } from './cells.js'
import {
  formatAge,
  formatCount,
  formatCountOf,
  formatRatio,
  formatShareOfTime,
  formatSize,
  formatTime,
  hitRateOf,
} from './format.js'
import type { Output } from './output.js'
import { placeCell } from './place.js'
import { printable } from './printable.js'
import { type Cells, type Column, tableFor } from './table.js'

/** The subject of a row: a namespace, all of them, or other files on disk. */
type Row = { title: string; diskBytes: number } & Partial<Omit<NamespaceStats, 'diskBytes'>>

const count = (value: number | undefined) => (value === undefined ? '' : formatCount(value))

const COLUMNS: readonly (Column & { cell(row: Row): string })[] = [
  { title: 'namespace', align: 'left', minWidth: 10, cell: ({ title }) => title },
  {
    title: 'saved',
    align: 'right',
    rank: 8,
    cell: ({ savedMs }) => (savedMs === undefined ? '' : savedMs > 0 ? formatTime(savedMs) : '-'),
  },
  { title: 'entries', align: 'right', rank: 5, cell: ({ entryCount }) => count(entryCount) },
  { title: 'hits', align: 'right', rank: 4, cell: ({ hitCount }) => count(hitCount) },
  { title: 'misses', align: 'right', rank: 3, cell: ({ missCount }) => count(missCount) },
  {
    title: 'hit rate',
    align: 'right',
    rank: 7,
    cell: ({ hitCount, missCount }) =>
      hitCount === undefined || missCount === undefined ? '' : formatRatio(hitRateOf(hitCount, missCount)),
  },
  {
    title: 'size',
    align: 'right',
    rank: 6,
    cell: ({ totalSize }) => (totalSize === undefined ? '' : formatSize(totalSize)),
  },
  { title: 'on disk', align: 'right', rank: 2, cell: ({ diskBytes }) => formatSize(diskBytes) },
  {
    title: 'oldest',
    align: 'right',
    rank: 1,
    cell: ({ oldestEntryAgeMs }) =>
      oldestEntryAgeMs === undefined ? '' : oldestEntryAgeMs === null ? '-' : formatAge(oldestEntryAgeMs),
  },
]

/** The time saved, which comes first; nothing if nothing was computed. */
function savedLines({ savedMs, computedMs }: NamespaceStats | CacheStats, where = ''): string[] {
  const wholeMs = savedMs + computedMs
  return wholeMs === 0 ? [] : [`Saved ${formatShareOfTime(savedMs, wholeMs)}${where}`]
}

function missLines(stats: NamespaceStats | CacheStats): string[] {
  const reasons = Object.entries(stats.missReasons).sort(([, a], [, b]) => b - a)
  if (reasons.length === 0) return []
  return [`Misses: ${reasons.map(([reason, count]) => `${formatCount(count)} ${reason}`).join(', ')}`]
}

/** A line about the damage that makes a namespace's figures incomplete. */
export function damageText(name: string, { damage }: NamespaceStats): string[] {
  if (!damage) return []
  const { bytes, count } = damage
  const places = formatCountOf(count, 'place', 'places')
  return [`The index of ${name} is damaged: ${formatSize(bytes)} at ${places} can't be read, so entries are missing`]
}

function remoteLines({ remote }: NamespaceStats | CacheStats): string[] {
  if (!remote) return []
  const { hits, misses, errors, rejected, skipped, uploads, dropped, bytesIn, bytesOut, p50, p95 } = remote
  const asked = [formatCountOf(hits, 'hit', 'hits'), formatCountOf(misses, 'miss', 'misses')]
  const trouble = [
    { count: errors, text: formatCountOf(errors, 'error', 'errors') },
    { count: rejected, text: `${formatCount(rejected)} rejected` },
    { count: skipped, text: `${formatCount(skipped)} skipped` },
  ].flatMap(({ count, text }) => (count > 0 ? [text] : []))
  const lost = dropped > 0 ? `, ${formatCount(dropped)} dropped` : ''
  return [
    `Remote: ${[...asked, ...trouble].join(', ')} (${formatSize(bytesIn)} in)`,
    ...(p50 !== undefined && p95 !== undefined ? [timesLine(p50, p95)] : []),
    ...(uploads + dropped > 0 ? [`Stored there: ${formatCount(uploads)}${lost} (${formatSize(bytesOut)} out)`] : []),
  ]
}

function timesLine(p50: number, p95: number): string {
  return `Its answers took about ${formatTime(p50)} (p50), ${formatTime(p95)} (p95)`
}

/** The state of each store that failed recently, and what was wrong. */
function failingLines({ remote }: CacheStats): string[] {
  return (remote?.failing ?? []).map(({ url, openUntil, failures, failedAt, lastError }: RemoteFailing) => {
    const state = openUntil === undefined ? 'closed' : `open for ${formatTime(openUntil - Date.now())} more`
    const times = formatCountOf(failures, 'failure', 'failures')
    return printable(
      `Breaker of ${url}: ${state}, ${times}, the last ${formatAge(Date.now() - failedAt)} ago: ${lastError}`,
    )
  })
}

const PROJECT_COLUMNS: readonly Column[] = [
  { title: 'project', align: 'left', maxWidth: 80, minWidth: 10 },
  { title: 'entries', align: 'right' },
  { title: 'hits', align: 'right', rank: 2 },
  { title: 'misses', align: 'right', rank: 1 },
  { title: 'hit rate', align: 'right', rank: 3 },
]
const PROJECTS_SHOWN = 10

/** Hits, misses and hit rate of a project; empty if its counts aren't kept any more. */
function askedCells(asked: NamespaceSummary | undefined): Cells {
  if (!asked) return []
  const { hitCount, missCount } = asked
  return [formatCount(hitCount), formatCount(missCount), formatRatio(hitRateOf(hitCount, missCount))]
}

/** The projects with the most entries, their hits and misses, and how many entries belong to no project. */
function projectLines(
  projects: Record<string, number>,
  { entryCount, byProject = {} }: NamespaceStats | CacheStats,
  isAll: boolean,
  stdout: Output,
): string[] {
  const askedCount = (project: string) => (byProject[project]?.hitCount ?? 0) + (byProject[project]?.missCount ?? 0)
  const all = [...new Set([...Object.keys(projects), ...Object.keys(byProject)])].map(project => ({
    project,
    count: projects[project] ?? 0,
  }))
  const sorted = all.sort((a, b) => b.count - a.count || askedCount(b.project) - askedCount(a.project))
  if (sorted.length === 0) return []
  const shown = isAll ? sorted : sorted.slice(0, PROJECTS_SHOWN)
  const rows = shown.map(({ project, count }): Cells => {
    return [printable(placeCell({ project })), formatCount(count), ...askedCells(byProject[project])]
  })
  const others = sorted.slice(shown.length)
  const sum = (some: typeof sorted) => some.reduce((total, { count }) => total + count, 0)
  if (others.length > 0) rows.push([`${formatCount(others.length)} more (--all-projects)`, formatCount(sum(others))])
  const ownCount = sum(sorted)
  if (entryCount > ownCount) rows.push(['(user-wide or portable)', formatCount(entryCount - ownCount)])
  const isAsked = sorted.some(({ project }) => askedCount(project) > 0)
  const columns = isAsked ? PROJECT_COLUMNS : PROJECT_COLUMNS.slice(0, 2)
  const table = tableFor(columns, rows, stdout)
  return [table.header(), ...rows.map(table.line)]
}

/** By project, over all namespaces. */
export function projectsOf(stats: CacheStats): Record<string, number> {
  const projects = new Map<string, number>()
  for (const each of Object.values(stats.namespaces)) {
    for (const [project, count] of Object.entries(each.projects)) {
      projects.set(project, (projects.get(project) ?? 0) + count)
    }
  }
  return Object.fromEntries(projects)
}

/** Options of the text. */
export interface View {
  /** All projects, not only those with the most entries. */
  isAll: boolean
  /** Count hits, misses and times from the day of this time. */
  sinceMs: number | undefined
}

function table(rows: readonly Row[], stdout: Output): string[] {
  const hasTimes = rows.some(({ savedMs }) => savedMs !== undefined && savedMs > 0)
  const columns = COLUMNS.filter(({ title }) => title !== 'saved' || hasTimes)
  const cells = rows.map(row => columns.map(column => column.cell(row)))
  const { header, line } = tableFor(columns, cells, stdout)
  const lines = cells.map(line)
  // If a narrow terminal hides the column of sizes, the row of values would be empty.
  return [header(), ...lines.filter((text, index) => text !== '(values)' || rows[index]?.entryCount !== undefined)]
}

/** Joins the parts with an empty line between them. */
function joined(...parts: readonly (readonly string[])[]): string {
  return parts.flatMap(part => (part.length > 0 ? [part.join('\n')] : [])).join('\n\n')
}

function above(stats: NamespaceStats | CacheStats, where: string, { sinceMs }: View, stdout: Output): string[] {
  const since = sinceMs === undefined ? [] : [`Since ${new Date(sinceMs).toISOString().slice(0, 10)} (UTC):`]
  return [...since, ...savedLines(stats, where).map(text => stdout.colour('green', fitted(text, stdout)))]
}

export function namespaceText(name: string, stats: NamespaceStats, view: View, stdout: Output): string {
  const { projects, pastAnswerCount } = stats
  const past = pastAnswerCount > 0 ? [`Answers to earlier states of their inputs: ${formatCount(pastAnswerCount)}`] : []
  return joined(
    above(stats, '', view, stdout),
    table([{ title: printable(name), ...stats }], stdout),
    [...missLines(stats), ...remoteLines(stats), ...past].map(text => fitted(text, stdout)),
    projectLines(projects, stats, view.isAll, stdout),
  )
}

export function cacheText(stats: CacheStats, view: View, stdout: Output): string {
  const namespaces = Object.entries(stats.namespaces)
  const ownBytes = namespaces.reduce((sum, [, each]) => sum + each.diskBytes, 0)
  const rows = [
    ...namespaces.map(([name, each]) => ({ title: printable(name), ...each })),
    // This makes the column add up: values belong to no namespace, because all namespaces share them.
    { title: '(values)', diskBytes: stats.diskBytes - ownBytes },
    { title: 'total', ...stats },
  ]
  const savedRatio = formatRatio(stats.totalSize === 0 ? null : stats.savedBytes / stats.totalSize)
  const shared = `Deduplication saved ${formatSize(stats.savedBytes)} of ${formatSize(stats.totalSize)} (${savedRatio})`
  const timedCount = namespaces.filter(([, { savedMs, computedMs }]) => savedMs + computedMs > 0).length
  return joined(
    above(stats, ` in ${formatCountOf(timedCount, 'namespace', 'namespaces')}`, view, stdout),
    table(rows, stdout),
    [shared, ...missLines(stats), ...remoteLines(stats), ...failingLines(stats)].map(text => fitted(text, stdout)),
    projectLines(projectsOf(stats), stats, view.isAll, stdout),
  )
}
