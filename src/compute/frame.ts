// Tells which computation the running code belongs to. A variable serves synchronous code. Asynchronous code needs an
// AsyncLocalStorage, which is used only while an asynchronous computation runs: on Node 20 it makes every `await` of the host
// three times as slow.

import { sharedState } from '../base/shared-state.js'
import type { Snapshot } from '../inputs/snapshot.js'
import type { Computation } from './computation.js'

export interface Frame {
  /** The running computation; undefined in `ctx.untracked`. */
  readonly computation: Computation | undefined
  /** The snapshots of `cache.snapshot`, by storage. */
  readonly snapshots: ReadonlyMap<unknown, Snapshot> | undefined
  /** Whether everything is computed without the cache. */
  readonly isPlain?: boolean
}

export function currentFrame(): Frame | undefined {
  const state = sharedState()
  if (state.frame !== undefined) return state.frame as Frame
  return state.asyncCount > 0 ? (state.storage?.getStore() as Frame | undefined) : undefined
}

export function currentComputation(): Computation | undefined {
  return currentFrame()?.computation
}
