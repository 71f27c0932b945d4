// Which computation the code that runs now belongs to. Synchronous code is told by a variable; asynchronous code by an
// AsyncLocalStorage, which is used only while an asynchronous computation runs: on Node 20 it makes every `await` of the host
// three times as slow.

import { sharedState } from '../base/shared-state.js'
import type { Snapshot } from '../inputs/snapshot.js'
import type { Computation } from './computation.js'

export interface Frame {
  /** Undefined in `ctx.untracked`. */
  readonly computation: Computation | undefined
  /** Snapshots of `cache.snapshot`, by the storage that they are of. */
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
