import type { CacheStats, NamespaceStats } from '../../src/index.js'
import type { Command } from '../command.js'
import { flag, namespaceParameter } from '../command.js'
import {
  type Cells,
  type Column,
  columnsFor,
  formatAge,
  formatCount,
  formatRatio,
  formatSize,
  hitRateOf,
} from '../format.js'
import type { Output } from '../output.js'
import { isGone, placeCell } from '../place.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'

const COLUMNS: readonly Column[] = [
  { title: 'namespace', align: 'left' },
  { title: 'entries', align: 'right' },
  { title: 'hits', align: 'right' },
  { title: 'misses', align: 'right' },
  { title: 'hit rate', align: 'right' },
  { title: 'size', align: 'right' },
  { title: 'on disk', align: 'right' },
  { title: 'oldest', align: 'right' },
]

function cellsOf(title: string, stats: NamespaceStats | CacheStats): Cells {
  return [
    title,
    formatCount(stats.entryCount),
    formatCount(stats.hitCount),
    formatCount(stats.missCount),
    formatRatio(hitRateOf(stats.hitCount, stats.missCount)),
    formatSize(stats.totalSize),
    formatSize(stats.diskBytes),
    stats.oldestEntryAgeMs === null ? '-' : formatAge(stats.oldestEntryAgeMs),
  ]
}

const withHitRate = <S extends NamespaceStats | CacheStats>(stats: S) => ({
  ...stats,
  hitRate: hitRateOf(stats.hitCount, stats.missCount),
})

function missLines(stats: NamespaceStats | CacheStats): string[] {
  const reasons = Object.entries(stats.missReasons).sort(([, a], [, b]) => b - a)
  if (reasons.length === 0) return []
  return [`Misses: ${reasons.map(([reason, count]) => `${formatCount(count)} ${reason}`).join(', ')}`]
}

const PROJECT_COLUMNS: readonly Column[] = [
  { title: 'project', align: 'left', maxWidth: 80 },
  { title: 'entries', align: 'right' },
]
const PROJECTS_SHOWN = 10

/** The projects with the most entries, and how many entries belong to none. */
function projectLines(projects: Record<string, number>, entryCount: number, isAll: boolean, stdout: Output): string[] {
  const sorted = Object.entries(projects).sort(([, a], [, b]) => b - a)
  if (sorted.length === 0) return []
  const shown = isAll ? sorted : sorted.slice(0, PROJECTS_SHOWN)
  const rows = shown.map(([project, count]): Cells => [printable(placeCell({ project })), formatCount(count)])
  const otherCount = sorted.slice(shown.length).reduce((sum, [, count]) => sum + count, 0)
  if (otherCount > 0)
    rows.push([`${formatCount(sorted.length - shown.length)} more (--all-projects)`, formatCount(otherCount)])
  const ownCount = sorted.reduce((sum, [, count]) => sum + count, 0)
  if (entryCount > ownCount) rows.push(['(user-wide or portable)', formatCount(entryCount - ownCount)])
  const columns = columnsFor(PROJECT_COLUMNS, rows)
  return ['', stdout.colour('bold', columns.header()), ...rows.map(columns.line)]
}

/** By project, over all namespaces. */
function projectsOf(stats: CacheStats): Record<string, number> {
  const projects = new Map<string, number>()
  for (const each of Object.values(stats.namespaces)) {
    for (const [project, count] of Object.entries(each.projects)) {
      projects.set(project, (projects.get(project) ?? 0) + count)
    }
  }
  return Object.fromEntries(projects)
}

const goneOf = (projects: Record<string, number>) => Object.keys(projects).filter(isGone)

async function print(rows: readonly Cells[], below: readonly string[], stdout: Output): Promise<void> {
  const columns = columnsFor(COLUMNS, rows)
  const lines = [stdout.colour('bold', columns.header()), ...rows.map(columns.line)]
  await stdout.line([...lines, ...(below.length > 0 ? ['', ...below] : [])].join('\n'))
}

async function printNamespace(name: string, stats: NamespaceStats, isAll: boolean, stdout: Output): Promise<void> {
  const { projects, entryCount, pastAnswerCount } = stats
  const past = pastAnswerCount > 0 ? [`Answers to earlier states of their inputs: ${formatCount(pastAnswerCount)}`] : []
  const below = [...missLines(stats), ...past, ...projectLines(projects, entryCount, isAll, stdout)]
  // The empty line above the first of them is there already.
  await print([cellsOf(printable(name), stats)], below[0] === '' ? below.slice(1) : below, stdout)
}

async function printAll(stats: CacheStats, isAll: boolean, stdout: Output): Promise<void> {
  const namespaces = Object.entries(stats.namespaces)
  const ownBytes = namespaces.reduce((sum, [, each]) => sum + each.diskBytes, 0)
  const rows = [
    ...namespaces.map(([name, each]) => cellsOf(printable(name), each)),
    // So that the column adds up: values belong to no namespace, all of them share one copy.
    ['(values)', '', '', '', '', '', formatSize(stats.diskBytes - ownBytes), ''],
    cellsOf('total', stats),
  ]
  const savedRatio = formatRatio(stats.totalSize === 0 ? null : stats.savedBytes / stats.totalSize)
  const saved = `Deduplication saved ${formatSize(stats.savedBytes)} of ${formatSize(stats.totalSize)} (${savedRatio})`
  const projects = projectLines(projectsOf(stats), stats.entryCount, isAll, stdout)
  await print(rows, [saved, ...missLines(stats), ...projects], stdout)
}

export const stats: Command = {
  name: 'stats',
  summary: 'Show hits, misses and sizes',
  details:
    'Size is the length of the stored values as if nothing were shared; on disk is what the files take. Values are ' +
    'shared by all namespaces, so a namespace itself takes only its index and its counters. A project whose directory is ' +
    'gone keeps its entries until they have not been used for long: it may only be unmounted. ' +
    'Exit code 1: there is no such namespace.',
  parameters: [{ ...namespaceParameter, describe: 'Only this namespace', isOptional: true }],
  options: { 'all-projects': flag('Show all projects, not only those with the most entries') },
  examples: [
    ['wicked-cache stats', 'All namespaces, and what deduplication saved'],
    ['wicked-cache stats my-plugin', 'One namespace'],
    ['wicked-cache stats --json', 'For a program'],
  ],

  run([name], options, context) {
    const { stdout, stderr } = context
    const isAll = options['all-projects'] === true
    return withCache({ ...options, readOnly: true }, context, async ({ cache, isBroken }) => {
      if (name === undefined) {
        const all = cache.stats()
        if (options.json) {
          const namespaces = Object.entries(all.namespaces).map(([each, value]) => [each, withHitRate(value)] as const)
          const projects = projectsOf(all)
          await stdout.json({
            dir: cache.dir,
            ...withHitRate(all),
            namespaces: Object.fromEntries(namespaces),
            projects,
            goneProjects: goneOf(projects),
          })
        } else if (Object.keys(all.namespaces).length > 0) await printAll(all, isAll, stdout)
        else if (!isBroken()) await stdout.line(printable(`The cache in ${cache.dir} is empty`))
        return 0
      }
      const namespace = cache.namespace(name)
      if (!cache.namespaces().includes(name)) {
        await stderr.line(printable(`There is no namespace ${name} in ${cache.dir}`))
        return 1
      }
      const own = namespace.stats()
      if (options.json) {
        const goneProjects = goneOf(own.projects)
        await stdout.json({ dir: cache.dir, namespace: name, ...withHitRate(own), goneProjects })
      } else await printNamespace(name, own, isAll, stdout)
      return 0
    })
  },
}
