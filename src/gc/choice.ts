// Chooses the entries to drop: those that are useless, and, if a limit is exceeded, those with the lowest rank (`rank.ts`).
//
// Of entries with the same rank, those that come first in the manifests are dropped. A cutoff names a rank and not entries, so
// that an entry that is used after the choice stays.

import { type Asker, createSnapshot, type SnapshotMeans } from '../inputs/snapshot.js'
import type { Entry, Removal, RemovalCause } from '../manifest/entry.js'
import { REMOVAL_CAUSES } from '../manifest/entry.js'
import type { StoredEntry } from '../manifest/records.js'
import { isExpired } from '../policy/policy.js'
import type { Census } from './census.js'
import { rankOf, useForAge } from './rank.js'

/** All entries with a lower rank are dropped, and as many as `ties` of those with exactly this rank. */
export interface Cutoff {
  rank: number
  ties: number
}

/** Why an entry is dropped even if there is room; undefined if it stays. Entries that can't be checked stay. */
export interface Judgement {
  removal: Removal | undefined
  isUnreadable: boolean
}

export const STAYS: Judgement = { removal: undefined, isUnreadable: false }

export function invalidate(
  means: SnapshotMeans,
  { entry, parts }: StoredEntry,
  nowMs: number,
  maxAgeMs: number,
): Judgement {
  const { createdAt, ttlMs, computeMs, inputs } = entry
  if (ttlMs !== undefined && isExpired(createdAt, ttlMs, nowMs)) return { ...STAYS, removal: { cause: 'expired' } }
  // A computed entry is an answer to a state that may come back.
  const dir = parts.scope === 'project' ? parts.project : undefined
  const found = inputs && computeMs === undefined ? staleness(means, inputs, dir) : STAYS
  const isUnused = nowMs - useForAge(entry, nowMs) > maxAgeMs
  return isUnused && !found.removal ? { ...found, removal: { cause: 'evicted' } } : found
}

function staleness(means: SnapshotMeans, inputs: NonNullable<Entry['inputs']>, dir: string | undefined): Judgement {
  try {
    // The project's directory is missing, perhaps on a disk that isn't mounted, so the entry can't be checked.
    if (dir !== undefined && means.files.stat(dir)?.kind !== 'directory') return STAYS
    const asker: Asker = { dir, place: '', home: '', location: '', file: undefined, text: undefined, now: Date.now }
    const { reason, path } = createSnapshot(means).validate(inputs, asker, 'auto')
    // A source that can't be read may be unchanged.
    if (path !== undefined && reason !== undefined && isUnreadable(means, path)) return { ...STAYS, isUnreadable: true }
    const cause = REMOVAL_CAUSES.find((each): each is RemovalCause => each === reason)
    return cause && cause !== 'evicted' ? { ...STAYS, removal: { cause, path } } : STAYS
  } catch (error) {
    // Errors of its sources: a loop of links, a path that is too long, no permission, a dead network share.
    if (typeof (error as { code?: unknown }).code !== 'string') throw error
    return { ...STAYS, isUnreadable: true }
  }
}

/** A path that no file can have leads nowhere. */
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

/** A range of consecutive entries of a census. */
export interface CensusRange {
  start: number
  end: number
}

/**
 * Evicts entries from `part` of the census, or from all of it, until the limits hold. Returns undefined if they hold already. A
 * part counts shared values in full, the whole counts each value once. Entries of `uncounted` count by size, not by number.
 * Yields often, so that the event loop can go on.
 */
export function* evict(
  census: Census,
  limits: { maxEntries: number; maxSizeBytes: number },
  part?: CensusRange,
  uncounted?: CensusRange,
): Generator<undefined, Cutoff | undefined> {
  const isCounted = (entry: number) => !uncounted || entry < uncounted.start || entry >= uncounted.end
  const { start, end } = part ?? { start: 0, end: census.length }
  let count = 0
  let partBytes = 0
  for (let entry = start; entry < end; entry++) {
    if (entry % PIECE_ENTRIES === 0) yield
    if (census.isStruck(entry)) continue
    if (isCounted(entry)) count++
    partBytes += census.costOf(entry)
  }
  const isTooMuch = () => count > limits.maxEntries || (part ? partBytes : census.liveCost) > limits.maxSizeBytes
  if (!isTooMuch()) return undefined
  const runs: Uint32Array[] = []
  const runEntries = Math.max(RUN_ENTRIES, Math.ceil((end - start) / MAX_RUNS))
  for (let from = start; from < end; from += runEntries) {
    runs.push(lowestFirst(census, from, Math.min(from + runEntries, end)))
    yield
  }
  const cutoff: Cutoff = { rank: Number.NEGATIVE_INFINITY, ties: 0 }
  let struckCount = 0
  for (const entry of merged(census, runs)) {
    if (!isTooMuch()) break
    if (++struckCount % PIECE_ENTRIES === 0) yield
    const rank = census.rank(entry)
    cutoff.ties = rank === cutoff.rank ? cutoff.ties + 1 : 1
    cutoff.rank = rank
    if (isCounted(entry)) count--
    partBytes -= census.costOf(entry)
    census.strike(entry)
  }
  return cutoff
}

/** Entries handled between two yields. */
const PIECE_ENTRIES = 65_536
const RUN_ENTRIES = 16_384
const MAX_RUNS = 64

/** The entries from `start` to `end` that are alive. */
function lowestFirst(census: Census, start: number, end: number): Uint32Array {
  const run = new Uint32Array(end - start)
  let length = 0
  for (let entry = start; entry < end; entry++) if (!census.isStruck(entry)) run[length++] = entry
  return run.subarray(0, length).sort((a, b) => census.rank(a) - census.rank(b) || a - b)
}

/** The entries of all runs in order, the earlier run first where two have the same rank. */
function* merged(census: Census, runs: readonly Uint32Array[]): IterableIterator<number> {
  const heads = runs.map(() => 0)
  const ranks = runs.map(([first]) => (first === undefined ? Number.POSITIVE_INFINITY : census.rank(first)))
  for (;;) {
    let lowest = 0
    for (let run = 1; run < runs.length; run++) if ((ranks[run] as number) < (ranks[lowest] as number)) lowest = run
    const run = runs[lowest]
    const head = heads[lowest] as number
    if (!run || head === run.length) return
    yield run[head] as number
    const next = run[head + 1]
    heads[lowest] = head + 1
    ranks[lowest] = next === undefined ? Number.POSITIVE_INFINITY : census.rank(next)
  }
}

/** Whether the cutoff evicts the entry. Changes it: counts `ties` down. */
export function isCutOff(cutoff: Cutoff, entry: Entry, nowMs: number, isList: boolean): boolean {
  const rank = rankOf(entry, nowMs, isList)
  return rank < cutoff.rank || (rank === cutoff.rank && cutoff.ties-- > 0)
}
