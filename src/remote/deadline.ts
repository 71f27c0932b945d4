// Timeouts for a store's answers that don't count the time in which the host was busy. An answer can't be noticed while the
// host's own code runs, and reading a file on a share takes several turns of the event loop.

import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers'
import { monotonicMs } from '../base/monotonic.js'

/** How much of a busy time counts. With 0, a host that never pauses would never see the timeout. */
const BUSY_PART = 0.1

/**
 * Calls `late` after the time, and again after each further period while it returns true. The returned function cancels it.
 * `isRef`: the timer keeps the process alive.
 */
export function deadline(ms: number, late: () => unknown, isRef = true): () => void {
  let leftMs = ms
  let before = monotonicMs()
  let usage = performance.eventLoopUtilization()
  let isOver = false
  let timer: NodeJS.Timeout
  const check = () => {
    const now = monotonicMs()
    const current = performance.eventLoopUtilization()
    leftMs -= now - before - (1 - BUSY_PART) * (current.active - usage.active)
    before = now
    usage = current
    if (leftMs <= 0 && isOver) {
      if (late() !== true) return
      leftMs = ms
    }
    // One more turn: Bun and Deno don't measure busy time, and an answer may have arrived during it.
    isOver = leftMs <= 0
    start()
  }
  const start = () => {
    timer = setTimeout(check, Math.max(1, Math.ceil(leftMs)))
    if (!isRef) timer.unref()
  }
  start()
  return () => clearTimeout(timer)
}
