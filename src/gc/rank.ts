// Ranks entries by their worth: recently used ones rank higher, and so do those that took long to compute for their size. The
// explicit gc and the background gc use the same rank. It needs only the entry's record, so hits write nothing for it.

import type { Entry } from '../manifest/entry.js'
import { blobLength } from '../packs/blob.js'

/** How far the clocks of computers that share a cache may differ. */
const CLOCK_SKEW_MS = 60_000
/** Each doubling of the compute time per byte counts like a use that is this much later, */
const DOUBLING_MS = 48 * 3_600_000
/** for at most this many doublings or halvings. */
const MAX_DOUBLINGS = 8
/** The usual compute time per byte, also assumed for entries that were set. */
const USUAL_MS_PER_BYTE = 0.001
/** About how much an entry takes besides its value. */
const OWN_BYTES = 300

/**
 * When the entry was last known to be used, in ms. The record has it in seconds, which the creation time makes more precise.
 * A time in the future comes from a wrong clock and counts as the oldest; otherwise the entry would outlive all others.
 */
export function lastUseOf({ usedAt, createdAt }: Entry, nowMs: number): number {
  const lastUse = Math.max(usedAt, createdAt)
  return lastUse > nowMs + CLOCK_SKEW_MS ? 0 : lastUse
}

/**
 * The last use for a maximum age, which must not drop fresh entries. A time in the future counts as equally far in the past,
 * because the gc's clock may be the wrong one.
 */
export function useForAge({ usedAt, createdAt }: Entry, nowMs: number): number {
  return nowMs - Math.abs(nowMs - Math.max(usedAt, createdAt))
}

/**
 * The rank of an entry: its last use, in ms, moved forward or back by its cost. Entries with the lowest rank are evicted
 * first. A list of inputs stays as long as the entries that were used with it, since they are useless without it.
 */
export function rankOf(entry: Entry, nowMs: number, isList: boolean): number {
  const { computeMs, blob } = entry
  const msPerByte = (computeMs ?? 0) / (blobLength(blob.id) + OWN_BYTES)
  const doublings = isList ? MAX_DOUBLINGS : computeMs === undefined ? 0 : Math.log2(msPerByte / USUAL_MS_PER_BYTE)
  const limited = Math.max(-MAX_DOUBLINGS, Math.min(doublings || 0, MAX_DOUBLINGS))
  return lastUseOf(entry, nowMs) + Math.round(limited * DOUBLING_MS)
}
