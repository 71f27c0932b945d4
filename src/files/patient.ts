// The disk on Windows, where virus scanners, indexers and backups briefly open files that were created or changed. Until they
// close them, such files can be neither renamed nor removed.

import { waitSync } from '../base/wait.js'
import type { Files } from './files.js'
import { persistently, unlessHeld } from './persistence.js'

/** Retries calls that remove or rename. A file that is held longer stays. */
export function patient(files: Files, pause = waitSync): Files {
  return {
    ...files,
    rename: (from, to) => persistently(pause, () => files.rename(from, to)),
    remove: path => unlessHeld(pause, () => files.remove(path)),
    removeDirectory: path => unlessHeld(pause, () => files.removeDirectory(path)),
  }
}
