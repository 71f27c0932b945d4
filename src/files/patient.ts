// The disk on Windows, where virus scanners, indexers and backups briefly open files that were created or changed. Until they
// close them, such files can be neither renamed nor removed.

import { errnoOf } from '../base/errors.js'
import { waitSync } from '../base/wait.js'
import type { Files } from './files.js'

const HELD = ['EACCES', 'EBUSY', 'EPERM']
const PAUSES_MS = [1, 2, 5, 10, 20, 40]

/** Retries calls that remove or rename for at most a tenth of a second. A file that is held longer stays. */
export function patient(files: Files, pause = waitSync): Files {
  const isHeld = (error: unknown) => HELD.includes(errnoOf(error) ?? '')
  const persistently = <R>(call: () => R): R => {
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
  /** A gc continues without the file, and the next gc finds it again. */
  const unlessHeld = (call: () => boolean): boolean => {
    try {
      return persistently(call)
    } catch (error) {
      if (isHeld(error)) return false
      throw error
    }
  }
  return {
    ...files,
    rename: (from, to) => persistently(() => files.rename(from, to)),
    remove: path => unlessHeld(() => files.remove(path)),
    removeDirectory: path => unlessHeld(() => files.removeDirectory(path)),
  }
}
