// State that all copies of this library in a thread share. A process may load several copies: two versions of the package, or
// one for each sandbox of a test runner. They must see each other's computations, and add only one exit listener.
//
// The state is a property of a Node module, because test runners give each sandbox its own `globalThis` and `process`.

import type { AsyncLocalStorage } from 'node:async_hooks'

export interface SharedState {
  /** Callbacks that run when the process exits, in any order. */
  readonly exitTasks: Set<() => void>
  /** The computation that the running synchronous code belongs to. */
  frame: unknown
  /**
   * The computation that asynchronous code belongs to. Created by the first asynchronous computation, and disabled while none
   * runs.
   */
  storage: AsyncLocalStorage<unknown> | undefined
  /** How many asynchronous computations and snapshots are running. */
  asyncCount: number
}

/** The key of the shared state. Changes with its shape. */
const NAME = Symbol.for('wicked-cache.shared-state.1')

let known: SharedState | undefined

export function sharedState(): SharedState {
  known ??= findOrCreate()
  return known
}

function findOrCreate(): SharedState {
  const anchor = process.getBuiltinModule('node:async_hooks') as unknown as { [NAME]?: SharedState }
  const found = anchor[NAME]
  if (found) return found
  const state: SharedState = { exitTasks: new Set(), frame: undefined, storage: undefined, asyncCount: 0 }
  Object.defineProperty(anchor, NAME, { value: state })
  process.on('exit', () => {
    for (const task of state.exitTasks) task()
  })
  return state
}
