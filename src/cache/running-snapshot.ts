// `cache.snapshot`: runs a function during which no source changes.

import { refuseOption } from '../base/options.js'
import { currentFrame } from '../compute/frame.js'
import { enterAsync, leaveAsync, runInAsyncFrame } from '../compute/run-in-frame.js'
import { createSnapshot, type SnapshotMeans } from '../inputs/snapshot.js'

/** @throws CacheError `ERR_CACHE_OPTION`, and what the function throws */
export function runInSnapshot<R>(means: SnapshotMeans, fn: () => R): R {
  if (typeof fn !== 'function') throw refuseOption('snapshot takes a function.', fn)
  const outer = currentFrame()
  const snapshots = new Map(outer?.snapshots)
  const snapshot = createSnapshot(means)
  if (snapshots.get(means)?.isOver !== false) snapshots.set(means, snapshot)
  const end = () => {
    snapshot.isOver = true
    leaveAsync()
  }
  enterAsync()
  let isAsync = false
  try {
    const result = runInAsyncFrame({ computation: outer?.computation, snapshots }, fn)
    if (!(typeof (result as PromiseLike<unknown> | undefined)?.then === 'function')) return result
    isAsync = true
    return (result as Promise<unknown>).then(
      value => {
        end()
        return value
      },
      error => {
        end()
        throw error
      },
    ) as R
  } finally {
    if (!isAsync) end()
  }
}
