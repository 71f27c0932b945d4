// Rules that need only numbers: whether an entry has expired, and which uses are worth a record.

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
