// Which entries go: those that are of no use any more, and of what is too much the least recently used first.
//
// Of entries that were last used in the same millisecond, those go that come first in the order of the manifests. A cutoff
// says the same by time alone, so that an entry that is used between the choice and the deed stays.

import { type Asker, Snapshot, type SnapshotMeans } from '../inputs/snapshot.js'
import type { Entry, Removal, RemovalCause } from '../manifest/entry.js'
import { REMOVAL_CAUSES } from '../manifest/entry.js'
import type { StoredEntry } from '../manifest/manifest.js'
import { isExpired } from '../policy/policy.js'
import { type Census, lastUseOf } from './census.js'
import type { Pace } from './pace.js'

/** All entries that were last used before this time go, and of those used in that very millisecond as many as `ties`. */
export interface Cutoff {
  lastUse: number
  ties: number
}

/** Why an entry goes, whatever room there is; undefined when it stays, as does one that cannot be judged. */
export interface Judgement {
  removal: Removal | undefined
  isUnreadable: boolean
}

export function invalidate(
  means: SnapshotMeans,
  { entry, parts }: StoredEntry,
  nowMs: number,
  maxAgeMs: number,
): Judgement {
  const { createdAt, ttlMs, computeMs, inputs } = entry
  let isUnreadable = false
  if (ttlMs !== undefined && isExpired(createdAt, ttlMs, nowMs)) return { removal: { cause: 'expired' }, isUnreadable }
  // A computed one is an answer to a state that may come back.
  if (inputs && computeMs === undefined) {
    const dir = parts.scope === 'project' ? parts.project : undefined
    try {
      const { removal, isError } = staleness(means, inputs, dir)
      isUnreadable = isError
      if (removal) return { removal, isUnreadable }
    } catch (error) {
      // Of its sources: a loop of links, a path that is too long, no right to look, a dead network share.
      if (typeof (error as { code?: unknown }).code !== 'string') throw error
      isUnreadable = true
    }
  }
  const removal = nowMs - lastUseOf(entry, nowMs) > maxAgeMs ? ({ cause: 'evicted' } as const) : undefined
  return { removal, isUnreadable }
}

/** Of a project that isn't there now, such as one on a disk that isn't mounted, nothing is said. */
function staleness(
  means: SnapshotMeans,
  inputs: NonNullable<Entry['inputs']>,
  dir: string | undefined,
): { removal: Removal | undefined; isError: boolean } {
  if (dir !== undefined && means.files.stat(dir)?.kind !== 'directory') return { removal: undefined, isError: false }
  const asker: Asker = { dir, place: '', home: '', location: '', file: undefined, text: undefined, now: Date.now }
  const { reason, path } = new Snapshot(means).validate(inputs, asker, 'auto')
  // What can't be looked at may be the same as before.
  if (path !== undefined && reason !== undefined && isUnreadable(means, path))
    return { removal: undefined, isError: true }
  const cause = REMOVAL_CAUSES.find((each): each is RemovalCause => each === reason)
  return { removal: cause && cause !== 'evicted' ? { cause, path } : undefined, isError: false }
}

/** A path that no file can have leads to nothing. */
function isUnreadable({ files }: SnapshotMeans, path: string): boolean {
  try {
    files.stat(path)
    return false
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (typeof code !== 'string') throw error
    return code !== 'ENAMETOOLONG'
  }
}

interface Part {
  start: number
  end: number
}

/**
 * Strikes from the census what is too much of `part` of it, or of the whole; undefined when nothing is. A part is weighed as
 * if it shared no value with the rest, the whole as it lies on disk. Those of `uncounted` go with the others, by their size alone.
 *
 * @throws the signal's reason
 */
export async function evict(
  census: Census,
  limits: { maxEntries: number; maxSizeBytes: number },
  pace: Pace,
  part?: Part,
  uncounted?: Part,
): Promise<Cutoff | undefined> {
  const isCounted = (entry: number) => !uncounted || entry < uncounted.start || entry >= uncounted.end
  const { start, end } = part ?? { start: 0, end: census.length }
  let count = 0
  let partBytes = 0
  for (let entry = start; entry < end; entry++) {
    if (entry % PIECE_ENTRIES === 0) await pace.pause('entries', 1)
    if (census.isStruck(entry)) continue
    if (isCounted(entry)) count++
    partBytes += census.costOf(entry)
  }
  const isTooMuch = () => count > limits.maxEntries || (part ? partBytes : census.liveCost) > limits.maxSizeBytes
  if (!isTooMuch()) return undefined
  const runs: Uint32Array[] = []
  const runEntries = Math.max(RUN_ENTRIES, Math.ceil((end - start) / MAX_RUNS))
  for (let from = start; from < end; from += runEntries) {
    runs.push(oldestFirst(census, from, Math.min(from + runEntries, end)))
    await pace.pause('entries', 1)
  }
  const cutoff: Cutoff = { lastUse: Number.NEGATIVE_INFINITY, ties: 0 }
  let struckCount = 0
  for (const entry of merged(census, runs)) {
    if (!isTooMuch()) break
    if (++struckCount % PIECE_ENTRIES === 0) await pace.pause('entries', 1)
    const lastUse = census.lastUse(entry)
    cutoff.ties = lastUse === cutoff.lastUse ? cutoff.ties + 1 : 1
    cutoff.lastUse = lastUse
    if (isCounted(entry)) count--
    partBytes -= census.costOf(entry)
    census.strike(entry)
  }
  return cutoff
}

/** What is done of a large census before others get their turn. */
const PIECE_ENTRIES = 65_536
const RUN_ENTRIES = 16_384
const MAX_RUNS = 64

/** The entries from `start` to `end` that are alive. */
function oldestFirst(census: Census, start: number, end: number): Uint32Array {
  const run = new Uint32Array(end - start)
  let length = 0
  for (let entry = start; entry < end; entry++) if (!census.isStruck(entry)) run[length++] = entry
  return run.subarray(0, length).sort((a, b) => census.lastUse(a) - census.lastUse(b) || a - b)
}

/** The entries of all runs in order, the earlier run first where two are as old. */
function* merged(census: Census, runs: readonly Uint32Array[]): IterableIterator<number> {
  const heads = runs.map(() => 0)
  const uses = runs.map(([first]) => (first === undefined ? Number.POSITIVE_INFINITY : census.lastUse(first)))
  for (;;) {
    let oldest = 0
    for (let run = 1; run < runs.length; run++) if ((uses[run] as number) < (uses[oldest] as number)) oldest = run
    const run = runs[oldest]
    const head = heads[oldest] as number
    if (!run || head === run.length) return
    yield run[head] as number
    const next = run[head + 1]
    heads[oldest] = head + 1
    uses[oldest] = next === undefined ? Number.POSITIVE_INFINITY : census.lastUse(next)
  }
}

/** Whether the entry is past the cutoff; one of its ties is used up then. */
export function isCutOff(cutoff: Cutoff, entry: Entry, nowMs: number): boolean {
  const lastUse = lastUseOf(entry, nowMs)
  return lastUse < cutoff.lastUse || (lastUse === cutoff.lastUse && cutoff.ties-- > 0)
}
