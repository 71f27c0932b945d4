// Runs code in a frame, so that what it asks for is known to be of that computation.

import { sharedState } from '../base/shared-state.js'
import type { Frame } from './frame.js'

/** Calls `fn` in the frame, which ends when `fn` returns. */
export function runInFrame<R>(frame: Frame, fn: () => R): R {
  const state = sharedState()
  const before = state.frame
  state.frame = frame
  try {
    return fn()
  } finally {
    state.frame = before
  }
}

/** The same for what may go on asynchronously; `leave` is to be called when it has ended. */
export function runInAsyncFrame<R>(frame: Frame, fn: () => R): R {
  return storageOf().run(frame, () => runInFrame(frame, fn))
}

function storageOf() {
  const state = sharedState()
  state.storage ??= new (process.getBuiltinModule('node:async_hooks').AsyncLocalStorage)()
  return state.storage
}

/** Says that an asynchronous frame is in use, until `leaveAsync`. */
export function enterAsync(): void {
  sharedState().asyncCount++
}

export function leaveAsync(): void {
  const state = sharedState()
  if (--state.asyncCount === 0) state.storage?.disable()
}
