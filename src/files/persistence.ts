// Calls that are tried again for as long as another program holds the file: for a tenth of a second at most.

import { errnoOf } from '../base/errors.js'

const HELD = ['EACCES', 'EBUSY', 'EPERM']
const PAUSES_MS = [1, 2, 5, 10, 20, 40]

export function persistently<R>(pause: (ms: number) => void, call: () => R): R {
  for (const ms of PAUSES_MS) {
    try {
      return call()
    } catch (error) {
      if (!isHeld(error)) throw error
      pause(ms)
    }
  }
  return call()
}

/** Returns false for a file that is held longer. A gc continues without the file, and the next gc finds it again. */
export function unlessHeld(pause: (ms: number) => void, call: () => boolean): boolean {
  try {
    return persistently(pause, call)
  } catch (error) {
    if (isHeld(error)) return false
    throw error
  }
}

function isHeld(error: unknown): boolean {
  return HELD.includes(errnoOf(error) ?? '')
}
