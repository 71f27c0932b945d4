// Statistics, worked out from what the manifests and counters hold.

import type { CacheStats, MissReason, NamespaceStats } from '../api/index.js'
import { COUNTER_NAMES, type Counts, noCounts } from '../counters/counters.js'
import type { NamespaceStore } from '../entries/store.js'
import type { Entry } from '../manifest/entry.js'
import { blobLength } from '../packs/packs.js'

/**
 * Reads the whole manifest, showing each entry to `visit`. What cannot be read is reported and left out.
 */
export function namespaceStats(store: NamespaceStore, visit: (entry: Entry) => void = () => undefined): NamespaceStats {
  let entryCount = 0
  let pastAnswerCount = 0
  const projects: Record<string, number> = Object.create(null)
  let totalSize = 0
  let oldest = Number.POSITIVE_INFINITY
  let counts: Counts | undefined
  let diskBytes = 0
  try {
    diskBytes = store.diskBytes()
    counts = store.counters.totals()
    for (const { entry, isAnswer, scope, project } of store.manifest.entries(error => store.report(error))) {
      if (isAnswer) pastAnswerCount++
      else entryCount++
      if (!isAnswer && scope === 'project') projects[project] = (projects[project] ?? 0) + 1
      totalSize += blobLength(entry.blob.id)
      if (!isAnswer) oldest = Math.min(oldest, entry.createdAt)
      visit(entry)
    }
  } catch (error) {
    store.report(error)
  }
  const { hits, sets, ...misses } = counts ?? noCounts()
  const missReasons: NamespaceStats['missReasons'] = {}
  for (const name of COUNTER_NAMES) if (isReason(name) && misses[name] > 0) missReasons[name] = misses[name]
  return {
    entryCount,
    pastAnswerCount,
    projects: { ...projects },
    hitCount: hits,
    missCount: Object.values(misses).reduce((sum, count) => sum + count, 0),
    missReasons,
    setCount: sets,
    totalSize,
    oldestEntryAgeMs: entryCount === 0 ? null : store.now() - oldest,
    diskBytes,
  }
}

/** Statistics of all stores, by name, and of what sharing blobs between them saves. */
export function cacheStats(stores: ReadonlyMap<string, NamespaceStore>, diskBytes: number): CacheStats {
  /** How many namespaces refer to a blob. */
  const owners = new Map<string, number>()
  const blobsOf = new Map<string, Map<string, number>>()
  const statsOf = Array.from(stores, ([name, store]) => {
    const blobs = new Map<string, number>()
    const stats = namespaceStats(store, ({ blob: { id } }) => blobs.set(id.toString('latin1'), blobLength(id)))
    for (const id of blobs.keys()) owners.set(id, (owners.get(id) ?? 0) + 1)
    blobsOf.set(name, blobs)
    return [name, stats] as const
  })
  const savedBy = (name: string, { totalSize }: NamespaceStats) => {
    let share = 0
    for (const [id, sizeBytes] of blobsOf.get(name) ?? []) share += sizeBytes / (owners.get(id) ?? 1)
    return totalSize - share
  }
  // Not by assignment, which would lose a namespace that is called `__proto__`.
  const namespaces = Object.fromEntries(
    statsOf.map(([name, stats]) => [name, { ...stats, savedBytes: savedBy(name, stats) }]),
  )
  const all = Object.values(namespaces)
  const sum = (field: 'entryCount' | 'hitCount' | 'missCount' | 'setCount' | 'totalSize') =>
    all.reduce((total, stats) => total + stats[field], 0)
  const ages = all.flatMap(({ oldestEntryAgeMs }) => oldestEntryAgeMs ?? [])
  const missReasons: CacheStats['missReasons'] = {}
  for (const stats of all) {
    for (const [reason, count] of Object.entries(stats.missReasons)) {
      missReasons[reason as MissReason] = (missReasons[reason as MissReason] ?? 0) + count
    }
  }
  const savedBytes = Math.round(all.reduce((total, stats) => total + stats.savedBytes, 0))
  return {
    namespaces,
    entryCount: sum('entryCount'),
    hitCount: sum('hitCount'),
    missCount: sum('missCount'),
    missReasons,
    setCount: sum('setCount'),
    totalSize: sum('totalSize'),
    oldestEntryAgeMs: ages.length === 0 ? null : Math.max(...ages),
    diskBytes,
    uniqueSize: sum('totalSize') - savedBytes,
    savedBytes,
  }
}

function isReason(name: (typeof COUNTER_NAMES)[number]): name is MissReason {
  return name !== 'hits' && name !== 'sets'
}
