// What a run got out of the cache, from the library's own statistics.

/** @typedef {import('wicked-cache').Namespace} Namespace */
/** @typedef {{ hitCount: number, missCount: number, missReasons: Record<string, number> }} Counts */
/** @typedef {{ name: string, valueCount: number, sizeBytes: number, distinctBytes: number }} Stored */

/**
 * Hits and misses of all processes so far; the difference of two is what happened in between.
 *
 * @param {readonly Namespace[]} namespaces
 * @param {Counts} [earlier]
 * @returns {Counts}
 */
export function countsOf(namespaces, earlier = { hitCount: 0, missCount: 0, missReasons: {} }) {
  /** @type {Counts[]} */
  const all = namespaces.map(namespace => ({ ...namespace.stats() }))
  /** @param {(stats: Counts) => number | undefined} field */
  const since = field => all.reduce((sum, stats) => sum + (field(stats) ?? 0), 0) - (field(earlier) ?? 0)
  const reasons = new Set(all.flatMap(stats => Object.keys(stats.missReasons)))
  const missReasons = Array.from(reasons, reason => [reason, since(stats => stats.missReasons[reason])])
  return {
    hitCount: since(stats => stats.hitCount),
    missCount: since(stats => stats.missCount),
    missReasons: Object.fromEntries(missReasons.filter(([, count]) => count !== 0)),
  }
}

/**
 * How much the values take that the namespaces hold, of whatever version, each namespace by itself and then all together. The distinct bytes of all are
 * less than the sum of each one's where namespaces hold equal values.
 *
 * @param {readonly Namespace[]} namespaces
 * @returns {{ alone: Stored[], together: Stored }}
 */
export function storedBy(namespaces) {
  const alone = namespaces.map(namespace => stored(namespace.name, [namespace]))
  return { alone, together: stored('together', namespaces) }
}

/**
 * @param {string} name
 * @param {readonly Namespace[]} namespaces
 * @returns {Stored}
 */
function stored(name, namespaces) {
  let [valueCount, sizeBytes, distinctBytes] = [0, 0, 0]
  const digests = new Set()
  for (const entry of namespaces.flatMap(namespace => [...namespace.entries({ allVersions: true })])) {
    valueCount++
    sizeBytes += entry.sizeBytes
    if (!digests.has(entry.digest)) distinctBytes += entry.sizeBytes
    digests.add(entry.digest)
  }
  return { name, valueCount, sizeBytes, distinctBytes }
}
