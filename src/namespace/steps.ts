// Computations for callers that wait and for callers that cannot, written once: as generators that yield what there is to
// wait for, which is all that the two differ in.

import { CacheError } from '../base/errors.js'
import { waitSync } from '../base/wait.js'

/** What a computation waits for: the outcome of the caller's function, or some time in ms. */
export type Step = { outcome: unknown } | { waitMs: number }

export type Steps<T> = Generator<Step, T, unknown>

export async function runAsync<T>(steps: Steps<T>): Promise<T> {
  let next = steps.next()
  while (!next.done) {
    const step = next.value
    let outcome: unknown
    try {
      if ('waitMs' in step) await new Promise(resolve => setTimeout(resolve, step.waitMs))
      else outcome = await step.outcome
    } catch (error) {
      next = steps.throw(error)
      continue
    }
    next = steps.next(outcome)
  }
  return next.value
}

/** Blocks the thread while it waits. @throws CacheError `ERR_CACHE_OPTION` for an outcome that is a promise */
export function runSync<T>(steps: Steps<T>): T {
  let next = steps.next()
  while (!next.done) {
    const step = next.value
    if ('waitMs' in step) {
      waitSync(step.waitMs)
      next = steps.next()
    } else if (step.outcome instanceof Promise) {
      next = steps.throw(new CacheError('ERR_CACHE_OPTION', 'The function gave a promise: call the one without Sync.'))
    } else {
      next = steps.next(step.outcome)
    }
  }
  return next.value
}
