// Timeouts that count only time in which an answer could have been noticed. Otherwise a host that blocks the event loop for a
// second would see the timeout before the answer that arrived long ago.

import { setTimeout } from 'node:timers'
import { monotonicMs } from '../base/monotonic.js'

/** A timeout is split into this many slices, */
const STEPS = 10
/** and a late timer counts as at most this many of them. */
const MAX_FACTOR = 1.5

/**
 * Calls `late` after the time, and again after each further period while it returns true. The returned function cancels it.
 * `isRef`: the timer keeps the process alive.
 */
export function deadline(ms: number, late: () => unknown, isRef = true): () => void {
  const stepMs = ms / STEPS
  let leftMs = ms
  let before = monotonicMs()
  let timer: NodeJS.Timeout
  const step = () => {
    const now = monotonicMs()
    leftMs -= Math.min(now - before, stepMs * MAX_FACTOR)
    before = now
    if (leftMs <= 0) {
      if (late() !== true) return
      leftMs = ms
    }
    start()
  }
  const start = () => {
    timer = setTimeout(step, Math.max(1, Math.min(stepMs, leftMs)))
    if (!isRef) timer.unref()
  }
  start()
  return () => clearTimeout(timer)
}
