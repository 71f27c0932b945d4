// Drivers for computations, which are written once for asynchronous and synchronous callers: as generators that yield what they
// wait for, like gensync's (https://github.com/loganfsmyth/gensync).

import { CacheError } from '../base/errors.js'
import { waitSync } from '../base/wait.js'

/** What a computation waits for: the result of the caller's function, or a time in ms. */
export type Step = { outcome: unknown } | { waitMs: number }

export type Steps<T> = Generator<Step, T, unknown>

export async function runAsync<T>(steps: Steps<T>): Promise<T> {
  let next = steps.next()
  while (!next.done) {
    const step = next.value
    let outcome: unknown
    try {
      if ('waitMs' in step) await waited(step.waitMs)
      else outcome = await step.outcome
    } catch (error) {
      next = steps.throw(error)
      continue
    }
    next = steps.next(outcome)
  }
  return next.value
}

/** The realms that test runners create may have no timers. */
function waited(ms: number): Promise<void> {
  return new Promise(resolve => process.getBuiltinModule('node:timers').setTimeout(resolve, ms))
}

/**
 * Runs the generator and blocks the thread while it waits. @throws CacheError `ERR_CACHE_OPTION` for an outcome that is a
 * promise
 */
export function runSync<T>(steps: Steps<T>): T {
  let next = steps.next()
  while (!next.done) {
    const step = next.value
    if ('waitMs' in step) {
      waitSync(step.waitMs)
      next = steps.next()
    } else if (isThenable(step.outcome)) {
      const message = 'The function returned a promise: call the method whose name does not end in Sync.'
      next = steps.throw(new CacheError('ERR_CACHE_OPTION', message))
    } else {
      next = steps.next(step.outcome)
    }
  }
  return next.value
}

/** Whether a value is a promise of any realm, or behaves like one. */
function isThenable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  try {
    return typeof (value as { then?: unknown }).then === 'function'
  } catch {
    // A getter of the caller threw, or the value is a revoked proxy: it is a value like any other.
    return false
  }
}
