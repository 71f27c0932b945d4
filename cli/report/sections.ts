// The sections of a report that are tables.

import type { CacheStats, GcReport, NamespaceSummary } from '../../src/index.js'
import { formatAge, formatCount, formatCountOf, formatSize, formatTime, hitRateOf } from '../format.js'
import { isGone } from '../place.js'
import type { Report } from './gather.js'
import { html, type Markup } from './markup.js'
import { name, share, table } from './table.js'

const NAMESPACES_SHOWN = 100
const REASONS_SHOWN = 100

/** The note below a truncated table. */
const andMore = (count: number, one: string, many: string) =>
  count > 0 && html`<p>And ${formatCountOf(count, one, many)} more.</p>`

export function namespacesOf({ namespaces }: CacheStats): Markup {
  const all = Object.entries(namespaces).sort(([, a], [, b]) => b.totalSize - a.totalSize)
  if (all.length === 0) return html`<p>Nothing is stored.</p>`
  const rows = all
    .slice(0, NAMESPACES_SHOWN)
    .map(([namespace, stats]) => [
      name(namespace),
      share(hitRateOf(stats.hitCount, stats.missCount)),
      formatCount(stats.hitCount),
      formatCount(stats.missCount),
      formatTime(stats.savedMs),
      formatCount(stats.entryCount),
      formatSize(stats.totalSize),
      formatSize(stats.savedBytes),
      stats.oldestEntryAgeMs === null ? '–' : formatAge(stats.oldestEntryAgeMs),
    ])
  const titles = [
    'Namespace',
    'Hit rate',
    'Hits',
    'Misses',
    'Time saved',
    'Entries',
    'Size',
    'Saved by sharing',
    'Oldest',
  ]
  return html`${table('Namespaces, the largest first', titles, rows)}${andMore(all.length - rows.length, 'namespace', 'namespaces')}`
}

export function missesOf({ namespaces, missCount }: CacheStats): Markup {
  if (missCount === 0) return html`<p>There were no misses.</p>`
  return reasonsTable('Namespace', Object.entries(namespaces))
}

/** A table of misses by reason, for namespaces or projects. */
function reasonsTable(kind: string, all: readonly (readonly [name: string, summary: NamespaceSummary])[]): Markup {
  const reasons = all
    .flatMap(([each, { missReasons, missCount }]) =>
      Object.entries(missReasons).map(([reason, count]) => ({ each, reason, count, missCount })),
    )
    .sort((a, b) => b.count - a.count)
  const rows = reasons
    .slice(0, REASONS_SHOWN)
    .map(({ each, reason, count, missCount }) => [
      name(each),
      reason.replaceAll('-', ' '),
      formatCount(count),
      share(count / missCount),
    ])
  const caption = `Misses by ${kind.toLowerCase()} and reason, the most frequent first`
  const titles = [kind, "'Reason", 'Misses', `Of the ${kind.toLowerCase()}'s`]
  return html`${table(caption, titles, rows)}${andMore(reasons.length - rows.length, 'reason', 'reasons')}`
}

export function projectsOf({ projects, projectCount, madeAt }: Report): Markup {
  if (projectCount === 0) return html`<p>Nothing was asked or stored in a project.</p>`
  const rows = projects.map(({ project, entryCount, bytes, computeMs, usedAt, asked }) => [
    html`${name(project)}${isGone(project) && ' (gone)'}`,
    share(asked && hitRateOf(asked.hitCount, asked.missCount)),
    ...(asked ? [formatCount(asked.hitCount), formatCount(asked.missCount), formatTime(asked.savedMs)] : NOT_KNOWN),
    formatCount(entryCount),
    formatSize(bytes),
    formatTime(computeMs),
    usedAt === 0 ? '–' : formatAge(madeAt - usedAt),
  ])
  const titles = ['Project', 'Hit rate', 'Hits', 'Misses', 'Time saved', 'Entries', 'Size', 'Computed in', 'Last use']
  const asked = projects.flatMap(each => (each.asked ? [[each.project, each.asked] as const] : []))
  return html`<p>Hits and misses are of all that was asked in a project, also where the answer belongs to every checkout. Entries are the project's own.</p>
${table('Projects, the largest first', titles, rows)}${andMore(projectCount - rows.length, 'project', 'projects')}
${asked.some(([, { missCount }]) => missCount > 0) && reasonsTable('Project', asked)}`
}

/** The cells for hits, misses and time saved of a project whose counts aren't kept. */
const NOT_KNOWN = ['–', '–', '–']

export function sharingOf({ sharing, savedBytes, totalSize, uniqueSize }: CacheStats): Markup {
  const total = html`<p>Values of ${formatSize(totalSize)} take ${formatSize(uniqueSize)}, since equal ones are stored once: ${formatSize(savedBytes)} less. This includes equal values within one namespace.</p>`
  if (sharing.length === 0) return html`${total}<p>No value belongs to several namespaces.</p>`
  const rows = sharing.map(({ namespaces, bytes }) => [
    html`${namespaces.slice(0, NAMES_SHOWN).map((each, at) => html`${at > 0 && ', '}${name(each)}`)}${namespaces.length > NAMES_SHOWN && ` and ${namespaces.length - NAMES_SHOWN} more`}`,
    formatSize(bytes),
    formatSize(bytes * (namespaces.length - 1)),
  ])
  return html`${total}${table('Values that several namespaces have', ['Namespaces', 'Shared', 'Saved at least'], rows)}`
}

const NAMES_SHOWN = 6

export function gcOf(gc: GcReport | undefined): Markup {
  if (!gc) return html`<p>This could not be told.</p>`
  const rows = [
    ['Expired entries', formatCount(gc.expiredEntries)],
    ['Entries whose sources have changed', formatCount(gc.staleEntries)],
    ['Entries that were not used for long', formatCount(gc.unusedEntries)],
    ['Entries that are worth least, of what is too much', formatCount(gc.evictedEntries)],
    ['Values that no entry refers to', formatCount(gc.removedBlobs)],
    ['On disk before', formatSize(gc.diskBytesBefore)],
    ['On disk after', formatSize(gc.diskBytesAfter)],
  ]
  return table('wicked-cache gc would remove', ['What', 'How much'], rows)
}
