// Loops that are timed. A peer that answers at once is not awaited: an await costs as much as some gets.
import { adapterOf } from '../peers/list.mjs'

/**
 * @param {boolean} isAsync
 * @param {number} count
 * @param {(i: number) => unknown} call
 * @param {number} [budgetMs] stop after about so long
 * @returns {Promise<number>} µs per call
 */
export async function timeEach(isAsync, count, call, budgetMs = Number.POSITIVE_INFINITY) {
  const start = performance.now()
  let done = 0
  while (done < count) {
    const until = Math.min(count, done + 100)
    if (isAsync) for (; done < until; done++) await call(done)
    else for (; done < until; done++) call(done)
    if (performance.now() - start > budgetMs) break
  }
  return ((performance.now() - start) * 1000) / done
}

/**
 * Numbers below the bound in an order that a cache cannot guess, the same every time.
 *
 * @param {number} count
 * @param {number} bound
 */
export function scattered(count, bound) {
  let state = 42
  return Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return state % bound
  })
}

/**
 * @param {string} peer
 * @returns {Promise<{ isAsync: boolean, open(dir: string, name?: string): any }>}
 */
export const load = peer => import(adapterOf(peer))

/** CPU time of this process so far: what else the machine does counts for nothing. */
export function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
