// Formats the output of `top`: lines for a terminal or a file, an object for a program.

import type { CacheStats } from '../../src/index.js'
import { shortened } from '../cells.js'
import { formatCount, formatRatio, formatSize, hitRateOf } from '../format.js'
import type { Output } from '../output.js'
import { printable } from '../printable.js'
import { type Cells, type Column, tableFor } from '../table.js'
import type { Rates, RateWindow } from './rates.js'

export interface Snapshot {
  dir: string
  atMs: number
  stats: CacheStats
  /** Entries and sizes by namespace; undefined if there are too many entries to read them repeatedly. */
  sizes: Readonly<Record<string, { entryCount: number; totalSize: number }>> | undefined
  rates: RateWindow
}

const COLUMNS: readonly Column[] = [
  { title: 'namespace', align: 'left', minWidth: 10 },
  { title: 'hits/s', align: 'right', usualWidth: 8, rank: 9 },
  { title: 'misses/s', align: 'right', rank: 8 },
  { title: 'hit rate', align: 'right', rank: 7 },
  { title: 'sets/s', align: 'right', usualWidth: 8, rank: 4 },
  { title: 'hits', align: 'right', rank: 3 },
  { title: 'misses', align: 'right', rank: 2 },
  { title: 'entries', align: 'right', rank: 5 },
  { title: 'size', align: 'right', usualWidth: 9, rank: 6 },
]

const formatRate = (perSecond: number) =>
  perSecond >= 99.95 ? formatCount(Math.round(perSecond)) : perSecond.toFixed(1)

/** Sorts by activity, then by name. */
function namesOf({ stats, rates }: Snapshot): string[] {
  const busy = (name: string) => {
    const { hitsPerSecond, missesPerSecond, setsPerSecond } = rates.ratesOf(name)
    return hitsPerSecond + missesPerSecond + setsPerSecond
  }
  return Object.keys(stats.namespaces).toSorted((a, b) => busy(b) - busy(a) || (a < b ? -1 : 1))
}

function cellsOf({ stats, sizes, rates }: Snapshot, name: string): Cells {
  const { hitsPerSecond, missesPerSecond, setsPerSecond, hitRate }: Rates = rates.ratesOf(name)
  const counts = stats.namespaces[name]
  const own = sizes && Object.hasOwn(sizes, name) ? sizes[name] : undefined
  return [
    printable(name),
    formatRate(hitsPerSecond),
    formatRate(missesPerSecond),
    formatRatio(hitRate),
    formatRate(setsPerSecond),
    formatCount(counts?.hitCount ?? 0),
    formatCount(counts?.missCount ?? 0),
    own ? formatCount(own.entryCount) : '-',
    own ? formatSize(own.totalSize) : '-',
  ]
}

/** At most `rows` lines. */
export function linesOf(snapshot: Snapshot, output: Output, rows = Number.POSITIVE_INFINITY): string[] {
  const { stats, dir, atMs } = snapshot
  const { hitCount, missCount, setCount, diskBytes } = stats
  const time = new Date(atMs).toISOString().slice(11, 19)
  const whole = [
    `${formatCount(hitCount)} hits`,
    `${formatCount(missCount)} misses`,
    `hit rate ${formatRatio(hitRateOf(hitCount, missCount))}`,
    `${formatCount(setCount)} sets`,
    `${formatSize(diskBytes)} on disk`,
  ].join(', ')
  const cut = (line: string) => (output.room === undefined ? line : shortened(line, output.room, output.ellipsis))
  const names = namesOf(snapshot)
  const shown = names.slice(0, Math.max(1, rows - 5))
  const cells = shown.map(name => cellsOf(snapshot, name))
  const table = tableFor(COLUMNS, cells, output)
  const hiddenCount = names.length - shown.length
  return [
    cut(printable(`${time} UTC  ${dir}`)),
    cut(whole),
    '',
    table.header(),
    ...cells.map(table.line),
    ...(hiddenCount > 0 ? [`and ${formatCount(hiddenCount)} more`] : []),
    ...(names.length === 0 ? ['No namespaces'] : []),
  ]
}

export function jsonOf(snapshot: Snapshot) {
  const { stats, sizes, rates, atMs, dir } = snapshot
  const { hitCount, missCount, setCount, diskBytes } = stats
  const namespaces = namesOf(snapshot).map(name => {
    const counts = stats.namespaces[name]
    const own = sizes && Object.hasOwn(sizes, name) ? sizes[name] : undefined
    return [
      name,
      {
        hitCount: counts?.hitCount ?? 0,
        missCount: counts?.missCount ?? 0,
        setCount: counts?.setCount ?? 0,
        ...rates.ratesOf(name),
        ...(own && { entryCount: own.entryCount, totalSize: own.totalSize }),
      },
    ]
  })
  return { at: atMs, dir, hitCount, missCount, setCount, diskBytes, namespaces: Object.fromEntries(namespaces) }
}
