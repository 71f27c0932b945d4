// Whether an entry's own terms still hold, by the clock alone.

/** How far a clock may be behind the one that set an entry before its age means nothing. */
const CLOCK_SKEW_MS = 60_000

/** Whether an entry of this age has reached the end of its lifetime; one from the future has, too. */
export function isExpired(createdAt: number, ttlMs: number, nowMs: number): boolean {
  const ageMs = nowMs - createdAt
  return ageMs >= ttlMs || ageMs < -CLOCK_SKEW_MS
}
