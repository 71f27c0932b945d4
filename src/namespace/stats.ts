// Works out statistics from manifests and counters.

import type {
  CacheStats,
  DayStats,
  EntrySummary,
  MissReason,
  NamespaceStats,
  NamespaceSummary,
  RemoteCounts,
  RemoteFailing,
  RemoteTotals,
  StatsOptions,
} from '../api/index.js'
import { answerTimeOf } from '../counters/answer-times.js'
import { COUNTER_NAMES, type CounterName, type Counts } from '../counters/names.js'
import { countsByDay, countsSince, dateOf, noCounts } from '../counters/totals.js'
import type { NamespaceStore } from '../entries/store.js'
import { diskUsage } from '../files/disk-usage.js'
import type { RecordView } from '../log-map/record.js'
import { labelOf } from '../manifest/owner.js'
import type { ListedEntry } from '../manifest/records.js'
import { blobLength } from '../packs/blob.js'
import { modeOf } from './info.js'
import { Sharing } from './sharing.js'

/** How many groups of namespaces that share values are reported. */
const MAX_GROUPS = 50

interface Reading {
  /** Called with each entry that is read. */
  visit?: (listed: ListedEntry) => void
  /** Shown all counts. */
  tally?: (counts: Counts) => void
  countsOnly?: boolean | undefined
  since?: number | undefined
  onProgress?: StatsOptions['onProgress']
}

/**
 * Reads the whole manifest, unless only counts are wanted. Unreadable records are reported and left out.
 */
export function namespaceStats(store: NamespaceStore, reading: Reading = {}): NamespaceStats {
  const { visit, tally, countsOnly, since, onProgress } = reading
  let entryCount = 0
  let pastAnswerCount = 0
  const projects: Record<string, number> = Object.create(null)
  let totalSize = 0
  const damage = { bytes: 0, count: 0 }
  let oldest = Number.POSITIVE_INFINITY
  const { environment, counters } = store
  const attempt = <T>(fallback: T, read: () => T): T => {
    try {
      return read()
    } catch (error) {
      store.report(error)
      return fallback
    }
  }
  const diskBytes = attempt(0, () => diskUsage(environment.files, store.path))
  const counted = attempt(noCounts(), () =>
    since === undefined ? counters.totals() : countsSince(counters.records(), since, environment.files.now()),
  )
  attempt(undefined, () => {
    const entries = countsOnly
      ? []
      : store.manifest.entries(
          error => store.report(error),
          onProgress,
          ({ bytes, count }) => {
            damage.bytes += bytes
            damage.count += count
          },
        )
    for (const listed of entries) {
      const { entry, isAnswer, scope, project } = listed
      if (isAnswer) pastAnswerCount++
      else entryCount++
      if (!isAnswer && scope === 'project') projects[project] = (projects[project] ?? 0) + 1
      totalSize += blobLength(entry.blob.id)
      if (!isAnswer) oldest = Math.min(oldest, entry.createdAt)
      visit?.(listed)
    }
  })
  tally?.(counted)
  const remote = hasRemote(counted) ? remoteCountsOf(counted) : undefined
  const byProject =
    since === undefined ? attempt(new Map<string, Counts>(), () => counters.totalsByProject()) : undefined
  return {
    entryCount,
    pastAnswerCount,
    projects: { ...projects },
    ...(byProject && { byProject: summariesOf(byProject) }),
    ...summaryFrom(counted),
    totalSize,
    ...(damage.count > 0 && { damage }),
    oldestEntryAgeMs: entryCount === 0 ? null : store.now() - oldest,
    diskBytes,
    ...(remote && { remote }),
  }
}

/** The statistics of hits, misses and times. */
export function summaryFrom(counts: Counts): NamespaceSummary {
  const missReasons: NamespaceSummary['missReasons'] = {}
  for (const name of COUNTER_NAMES) if (isReason(name) && counts[name] > 0) missReasons[name] = counts[name]
  return {
    hitCount: counts.hits,
    missCount: Object.values(missReasons).reduce((sum, count) => sum + count, 0),
    missReasons,
    setCount: counts.sets,
    savedMs: counts['time-saved'] / 1000,
    computedMs: counts['time-computed'] / 1000,
  }
}

function summariesOf(counts: ReadonlyMap<string, Counts>): Record<string, NamespaceSummary> {
  return Object.fromEntries(Array.from(counts, ([project, each]) => [project, summaryFrom(each)]))
}

function sumByProject(all: readonly NamespaceStats[]): Record<string, NamespaceSummary> {
  const sums = new Map<string, NamespaceSummary>()
  for (const [project, summary] of all.flatMap(({ byProject = {} }) => Object.entries(byProject))) {
    const sum = sums.get(project)
    sums.set(project, sum ? sumOfSummaries(sum, summary) : summary)
  }
  return Object.fromEntries(sums)
}

function sumOfSummaries(a: NamespaceSummary, b: NamespaceSummary): NamespaceSummary {
  const missReasons = { ...a.missReasons }
  addReasons(missReasons, b.missReasons)
  return {
    hitCount: a.hitCount + b.hitCount,
    missCount: a.missCount + b.missCount,
    missReasons,
    setCount: a.setCount + b.setCount,
    savedMs: a.savedMs + b.savedMs,
    computedMs: a.computedMs + b.computedMs,
  }
}

function addReasons(sums: NamespaceSummary['missReasons'], added: NamespaceSummary['missReasons']): void {
  for (const [reason, count] of Object.entries(added)) {
    sums[reason as MissReason] = (sums[reason as MissReason] ?? 0) + count
  }
}

function hasRemote(counts: Counts): boolean {
  return COUNTER_NAMES.some(name => name.startsWith('remote') && counts[name] > 0)
}

function remoteCountsOf(counts: Counts): RemoteCounts {
  const [p50, p95] = [0.5, 0.95].map(share => answerTimeOf(counts, share))
  return {
    hits: counts['remote-hits'],
    misses: counts['remote-misses'],
    errors: counts['remote-errors'],
    rejected: counts['remote-rejected'],
    skipped: counts['remote-skipped'],
    uploads: counts['remote-uploads'],
    dropped: counts['remote-dropped'],
    bytesIn: counts['remote-bytes-in'],
    bytesOut: counts['remote-bytes-out'],
    ...(p50 !== undefined && { p50 }),
    ...(p95 !== undefined && { p95 }),
  }
}

/** Undefined where it was never asked, as far as is known. */
function remoteTotalsOf(counts: Counts, failing: RemoteFailing[]): RemoteTotals | undefined {
  if (!hasRemote(counts) && failing.length === 0) return undefined
  const isOpen = failing.some(({ breaker }) => breaker === 'open')
  return { ...remoteCountsOf(counts), breaker: isOpen ? 'open' : 'closed', failing }
}

interface CacheReading extends Pick<StatsOptions, 'since' | 'countsOnly' | 'onProgress' | 'onEntry'> {
  /** Records of the counters of the cache as a whole. */
  history: readonly RecordView[]
  /** Remote stores that failed lately. */
  failing: RemoteFailing[]
  /** The current time of the clock that days are counted by. */
  nowMs: number
}

/**
 * Statistics of all namespaces, by name, and of what sharing values saves.
 *
 * @throws what `onEntry` throws
 */
export function cacheStats(
  stores: ReadonlyMap<string, NamespaceStore>,
  diskBytes: number,
  { countsOnly, since, onProgress, onEntry, history, failing, nowMs }: CacheReading,
): CacheStats {
  const progressOf = onProgress ? progressOver([...stores.values()], onProgress) : () => undefined
  const sharing = new Sharing()
  let failure: { error: unknown } | undefined
  const counted = noCounts()
  const tally = (counts: Counts) => {
    for (const name of COUNTER_NAMES) counted[name] += counts[name]
  }
  const show = (name: string, listed: ListedEntry) => {
    if (!onEntry || failure) return
    try {
      onEntry(summaryOf(name, listed))
    } catch (error) {
      // This error comes from the caller's function, not from a damaged cache.
      failure = { error }
    }
  }
  const statsOf = Array.from(stores, ([name, store]) => {
    const visit = (listed: ListedEntry) => {
      const { id } = listed.entry.blob
      sharing.add(name, id.toString('latin1'), blobLength(id))
      show(name, listed)
    }
    return [name, namespaceStats(store, { countsOnly, since, visit, tally, onProgress: progressOf(store) })] as const
  })
  if (failure) throw failure.error
  const shares = sharing.shares()
  const savedBy = (name: string, { totalSize }: NamespaceStats) => totalSize - (shares.get(name) ?? 0)
  // Not by assignment, which would lose a namespace that is called `__proto__`.
  const namespaces = Object.fromEntries(
    statsOf.map(([name, stats]) => [name, { ...stats, savedBytes: savedBy(name, stats) }]),
  )
  const all = Object.values(namespaces)
  const sum = (field: 'entryCount' | 'hitCount' | 'missCount' | 'setCount' | 'totalSize' | 'savedMs' | 'computedMs') =>
    all.reduce((total, stats) => total + stats[field], 0)
  const ages = all.flatMap(({ oldestEntryAgeMs }) => oldestEntryAgeMs ?? [])
  const missReasons: CacheStats['missReasons'] = {}
  for (const stats of all) addReasons(missReasons, stats.missReasons)
  const remote = remoteTotalsOf(counted, failing)
  const savedBytes = Math.round(all.reduce((total, stats) => total + stats.savedBytes, 0))
  return {
    namespaces,
    ...(since === undefined && { byProject: sumByProject(all) }),
    entryCount: sum('entryCount'),
    hitCount: sum('hitCount'),
    missCount: sum('missCount'),
    missReasons,
    setCount: sum('setCount'),
    totalSize: sum('totalSize'),
    oldestEntryAgeMs: ages.length === 0 ? null : Math.max(...ages),
    diskBytes,
    savedMs: sum('savedMs'),
    computedMs: sum('computedMs'),
    uniqueSize: sum('totalSize') - savedBytes,
    savedBytes,
    sharing: sharing.largest(MAX_GROUPS),
    days: daysOf([...stores.values()], history, nowMs),
    ...(remote && { remote }),
  }
}

function summaryOf(namespace: string, listed: ListedEntry): EntrySummary {
  const { version, scope, project, isAnswer, entry } = listed
  return {
    namespace,
    key: labelOf(listed),
    version,
    project: scope === 'project' ? project : null,
    isPortable: scope === 'portable',
    isPastAnswer: isAnswer,
    mode: modeOf(entry),
    sizeBytes: blobLength(entry.blob.id),
    createdAt: entry.createdAt,
    usedAt: entry.usedAt,
    computeMs: entry.computeMs ?? null,
  }
}

/** The days with counts, earliest first. */
function daysOf(stores: readonly NamespaceStore[], history: readonly RecordView[], nowMs: number): DayStats[] {
  const days = countsByDay(recordsOf(stores, history), nowMs)
  return Array.from(days, ([day, counts]) => dayStatsOf(day, counts)).sort((a, b) => (a.day < b.day ? -1 : 1))
}

function* recordsOf(stores: readonly NamespaceStore[], history: readonly RecordView[]): IterableIterator<RecordView> {
  yield* history
  for (const { counters, report } of stores) {
    try {
      yield* counters.records()
    } catch (error) {
      report(error)
    }
  }
}

function dayStatsOf(day: number, counts: Counts): DayStats {
  const { hitCount, missCount, setCount, savedMs } = summaryFrom(counts)
  return {
    day: dateOf(day),
    hitCount,
    missCount,
    setCount,
    savedMs,
    diskBytes: counts['day-size'] || null,
    evictedEntries: counts['day-evicted'],
    evictedBytes: counts['day-evicted-bytes'],
    uselessEntries: counts['day-useless'],
  }
}

function isReason(name: CounterName): name is MissReason {
  return name !== 'hits' && name !== 'sets' && !/^(remote|time|day|project)/.test(name)
}

/** The overall progress of several parts that are read one after the other, weighted by the size of their files. */
function progressOver(stores: readonly NamespaceStore[], onProgress: (fraction: number) => void) {
  const sizes = new Map(stores.map(store => [store, 1 + diskUsage(store.environment.files, store.path)]))
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  let before = 0
  return (store: NamespaceStore) => {
    const start = before
    const size = sizes.get(store) ?? 0
    before += size
    return (fraction: number) => onProgress((start + fraction * size) / total)
  }
}
