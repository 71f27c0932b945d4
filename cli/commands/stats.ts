import type { CacheStats, NamespaceStats } from '../../src/index.js'
import type { Command } from '../command.js'
import { namespaceParameter } from '../command.js'
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

async function print(rows: readonly Cells[], below: readonly string[], stdout: Output): Promise<void> {
  const columns = columnsFor(COLUMNS, rows)
  const lines = [stdout.colour('bold', columns.header()), ...rows.map(columns.line)]
  await stdout.line([...lines, ...(below.length > 0 ? ['', ...below] : [])].join('\n'))
}

async function printNamespace(name: string, stats: NamespaceStats, stdout: Output): Promise<void> {
  await print([cellsOf(printable(name), stats)], missLines(stats), stdout)
}

async function printAll(stats: CacheStats, stdout: Output): Promise<void> {
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
  await print(rows, [saved, ...missLines(stats)], stdout)
}

export const stats: Command = {
  name: 'stats',
  summary: 'Show hits, misses and sizes',
  details:
    'Size is the length of the stored values as if nothing were shared; on disk is what the files take. Values are ' +
    'shared by all namespaces, so a namespace itself takes only its index and its counters. ' +
    'Exit code 1: there is no such namespace.',
  parameters: [{ ...namespaceParameter, describe: 'Only this namespace', isOptional: true }],
  options: {},
  examples: [
    ['wicked-cache stats', 'All namespaces, and what deduplication saved'],
    ['wicked-cache stats my-plugin', 'One namespace'],
    ['wicked-cache stats --json', 'For a program'],
  ],

  run([name], options, context) {
    const { stdout, stderr } = context
    return withCache({ ...options, readOnly: true }, context, async ({ cache, isBroken }) => {
      if (name === undefined) {
        const all = cache.stats()
        if (options.json) {
          const namespaces = Object.entries(all.namespaces).map(([each, value]) => [each, withHitRate(value)] as const)
          await stdout.json({ dir: cache.dir, ...withHitRate(all), namespaces: Object.fromEntries(namespaces) })
        } else if (Object.keys(all.namespaces).length > 0) await printAll(all, stdout)
        else if (!isBroken()) await stdout.line(printable(`The cache in ${cache.dir} is empty`))
        return 0
      }
      const namespace = cache.namespace(name)
      if (!cache.namespaces().includes(name)) {
        await stderr.line(printable(`There is no namespace ${name} in ${cache.dir}`))
        return 1
      }
      const own = namespace.stats()
      if (options.json) await stdout.json({ dir: cache.dir, namespace: name, ...withHitRate(own) })
      else await printNamespace(name, own, stdout)
      return 0
    })
  },
}
