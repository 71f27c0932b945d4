// What all copies of this library in a thread share: a process may load several (an ES module and a CommonJS one, two versions
// of a package, one for each sandbox of a test runner), and they must see each other's computations and add one exit
// listener between them.
//
// It hangs on a module of Node's, because test runners give each sandbox a `globalThis` and a `process` of its own.

import type { AsyncLocalStorage } from 'node:async_hooks'

export interface SharedState {
  /** Run when the process exits, in any order. */
  readonly exitTasks: Set<() => void>
  /** What the synchronous code that runs now belongs to. */
  frame: unknown
  /** The same for asynchronous code; created by the first asynchronous computation, and disabled while there is none. */
  storage: AsyncLocalStorage<unknown> | undefined
  /** How many asynchronous computations and snapshots are running. */
  asyncCount: number
}

/** Changes with the shape of what is shared. */
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
