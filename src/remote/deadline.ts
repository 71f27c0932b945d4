// Timeouts that count the time in which an answer could have been noticed. A host that computes for a second without a pause
// would else find, in the same tick of the event loop, that a second has gone by and the answer that has been there for long.

import { setTimeout } from 'node:timers'
import { monotonicMs } from '../base/monotonic.js'

/** Into so many pieces a timeout is cut; */
const STEPS = 10
/** each of them counts for no more than this many. */
const MAX_FACTOR = 1.5

/**
 * Calls `late` after the time, unless what it returns is called before; again and again while that returns true. `isRef`: the
 * process stays alive until then.
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
