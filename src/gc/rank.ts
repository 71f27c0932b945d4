// Which entries are worth keeping: those that were used lately, and of these the ones that took long to compute for what they
// take. The explicit gc and the background gc go by the same rank. It is worked out from what an entry says: no hit has to
// write anything for it.

import type { Entry } from '../manifest/entry.js'
import { blobLength } from '../packs/blob.js'

/** How far the clocks of those who share a cache may be apart. */
const CLOCK_SKEW_MS = 60_000
/** Each time that an entry took twice as long per byte counts like a use so much later, */
const DOUBLING_MS = 48 * 3_600_000
/** up to so many times, and as often the other way. */
const MAX_DOUBLINGS = 8
/** What is usual, and taken for what was set: nobody knows how long that took. */
const USUAL_MS_PER_BYTE = 0.001
/** What an entry takes besides its value, about. */
const OWN_BYTES = 300

/**
 * When the entry was last known to be of use, in ms: its record has the second, which its creation makes more precise. One that
 * was used by a clock that is ahead counts as the oldest: it would outlive all others.
 */
export function lastUseOf({ usedAt, createdAt }: Entry, nowMs: number): number {
  const lastUse = Math.max(usedAt, createdAt)
  return lastUse > nowMs + CLOCK_SKEW_MS ? 0 : lastUse
}

/**
 * The same for a maximum age, by which nothing fresh may go. One that was used by a clock that is ahead counts as used as long ago as
 * that is ahead: it may be the clock of the gc that is wrong.
 */
export function useForAge({ usedAt, createdAt }: Entry, nowMs: number): number {
  return nowMs - Math.abs(nowMs - Math.max(usedAt, createdAt))
}

/**
 * Of what is too much, the entries with the lowest rank go first: their last use, in ms, brought forward or back by what they
 * cost. A list of inputs stays as long as any entry that was used with it: entries are of no use without it.
 */
export function rankOf(entry: Entry, nowMs: number, isList: boolean): number {
  const { computeMs, blob } = entry
  const msPerByte = (computeMs ?? 0) / (blobLength(blob.id) + OWN_BYTES)
  const doublings = isList ? MAX_DOUBLINGS : computeMs === undefined ? 0 : Math.log2(msPerByte / USUAL_MS_PER_BYTE)
  const limited = Math.max(-MAX_DOUBLINGS, Math.min(doublings || 0, MAX_DOUBLINGS))
  return lastUseOf(entry, nowMs) + Math.round(limited * DOUBLING_MS)
}
