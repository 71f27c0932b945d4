// Rules that need only numbers: whether an entry has expired, and which work pays.

/** How far a clock may be behind the one that set an entry before its age means nothing. */
const CLOCK_SKEW_MS = 60_000

/** Whether an entry of this age has expired. One from the future has, too. */
export function isExpired(createdAt: number, ttlMs: number, nowMs: number): boolean {
  const ageMs = nowMs - createdAt
  return ageMs >= ttlMs || ageMs < -CLOCK_SKEW_MS
}

/** An entry's last use is written down when it is this much later than the one on record, so that most hits write nothing. */
const USE_INTERVAL_MS = 4 * 3_600_000

/** Whether a use now is worth writing down. */
export function isUseDue(usedAt: number, nowMs: number): boolean {
  return Math.abs(nowMs - usedAt) >= USE_INTERVAL_MS
}

/** A pack is rewritten when this share of it is garbage, */
export const MIN_GARBAGE_SHARE = 0.25
/** or any of it, as long as it is as small as this. */
const SMALL_PACK_BYTES = 1024 * 1024

/** Whether a gc rewrites a pack with so much garbage, however much room there is. */
export function isWorthRewriting(sizeBytes: number, garbageBytes: number): boolean {
  return garbageBytes > 0 && (garbageBytes >= sizeBytes * MIN_GARBAGE_SHARE || sizeBytes <= SMALL_PACK_BYTES)
}
