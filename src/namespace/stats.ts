// Statistics, worked out from what the manifests and counters hold.

import type { CacheStats, MissReason, NamespaceStats } from '../base/types.js'
import { COUNTER_NAMES, type Counts, noCounts } from '../counters/counters.js'
import type { Entry } from '../manifest/entry.js'
import { blobLength } from '../packs/packs.js'
import type { NamespaceStore } from './store.js'

/**
 * Reads the whole manifest, showing each entry to `visit`. What cannot be read is reported and left out.
 */
export function namespaceStats(store: NamespaceStore, visit: (entry: Entry) => void = () => undefined): NamespaceStats {
  let entryCount = 0
  let totalSize = 0
  let oldest = Number.POSITIVE_INFINITY
  let counts: Counts | undefined
  let diskBytes = 0
  try {
    diskBytes = store.diskBytes()
    counts = store.counters.totals()
    for (const { entry } of store.manifest.entries()) {
      entryCount++
      totalSize += blobLength(entry.blob.id)
      oldest = Math.min(oldest, entry.createdAt)
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
    hitCount: hits,
    missCount: Object.values(misses).reduce((sum, count) => sum + count, 0),
    missReasons,
    setCount: sets,
    totalSize,
    oldestEntryAgeMs: entryCount === 0 ? null : store.now() - oldest,
    diskBytes,
  }
}

/** Adds namespaces up; `uniqueSize` and `diskBytes` are of the whole cache and cannot be added. */
export function cacheStats(
  namespaces: Record<string, NamespaceStats>,
  whole: { uniqueSize: number; diskBytes: number },
): CacheStats {
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
  return {
    namespaces,
    entryCount: sum('entryCount'),
    hitCount: sum('hitCount'),
    missCount: sum('missCount'),
    missReasons,
    setCount: sum('setCount'),
    totalSize: sum('totalSize'),
    oldestEntryAgeMs: ages.length === 0 ? null : Math.max(...ages),
    diskBytes: whole.diskBytes,
    uniqueSize: whole.uniqueSize,
    savedBytes: sum('totalSize') - whole.uniqueSize,
  }
}

function isReason(name: (typeof COUNTER_NAMES)[number]): name is MissReason {
  return name !== 'hits' && name !== 'sets'
}
