// Which entries go: those that are of no use any more, and of what is too much the least recently used first.
//
// Of entries that were last used in the same millisecond, those go that come first in the order of the manifests. A cutoff
// says the same by time alone, so that an entry that is used between the choice and the deed stays.

import type { Environment } from '../log/environment.js'
import type { Entry } from '../manifest/entry.js'
import type { Removal } from '../manifest/manifest.js'
import { judge } from '../manifest/verdict.js'
import { type Census, lastUseOf } from './census.js'

/** All entries that were last used before this time go, and of those used in that very millisecond as many as `ties`. */
export interface Cutoff {
  lastUse: number
  ties: number
}

/** Why an entry goes, whatever room there is; undefined when it stays. What cannot be judged stays. */
export function invalidate(
  environment: Environment,
  entry: Entry,
  nowMs: number,
  maxAgeMs: number,
): Removal | undefined {
  const { reason, path } = judge(environment, entry, { nowMs, base: undefined })
  if (reason && reason !== 'unreadable') return { cause: reason, path }
  return nowMs - lastUseOf(entry) > maxAgeMs ? { cause: 'evicted' } : undefined
}

/**
 * Strikes from the census what is too much of `part` of it, or of the whole; undefined when nothing is. A part is weighed as
 * if it shared no value with the rest, the whole as it lies on disk.
 */
export function evict(
  census: Census,
  limits: { maxEntries: number; maxSizeBytes: number },
  part?: { start: number; end: number },
): Cutoff | undefined {
  const { start, end } = part ?? { start: 0, end: census.length }
  const entries: number[] = []
  let partBytes = 0
  for (let entry = start; entry < end; entry++) {
    if (census.isStruck(entry)) continue
    entries.push(entry)
    partBytes += census.costOf(entry)
  }
  let count = entries.length
  const isTooMuch = () => count > limits.maxEntries || (part ? partBytes : census.liveCost) > limits.maxSizeBytes
  if (!isTooMuch()) return undefined
  entries.sort((a, b) => census.lastUse(a) - census.lastUse(b) || a - b)
  const cutoff: Cutoff = { lastUse: Number.NEGATIVE_INFINITY, ties: 0 }
  for (const entry of entries) {
    if (!isTooMuch()) break
    const lastUse = census.lastUse(entry)
    cutoff.ties = lastUse === cutoff.lastUse ? cutoff.ties + 1 : 1
    cutoff.lastUse = lastUse
    count--
    partBytes -= census.costOf(entry)
    census.strike(entry)
  }
  return cutoff
}

/** Whether the entry is past the cutoff; one of its ties is used up then. */
export function isCutOff(cutoff: Cutoff, entry: Entry): boolean {
  const lastUse = lastUseOf(entry)
  return lastUse < cutoff.lastUse || (lastUse === cutoff.lastUse && cutoff.ties-- > 0)
}
