// Lets one gc at a time run on a root: a file that names its owner. The lock of a dead owner is taken over. Readers and
// writers never look at it, and two gcs at once would only waste work, so that a wrong guess here loses nothing.

import { errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'

/** A lock of another machine, whose processes cannot be looked up, counts as dead after this. */
const MAX_AGE_MS = 60 * 60 * 1000

interface Owner {
  pid: number
  host: string
  sinceMs: number
}

/** True when the lock is now this process's; `release` gives it back. */
export function acquire(files: Files, path: string): boolean {
  for (const mayTakeOver of [true, false]) {
    try {
      const owner: Owner = {
        pid: process.pid,
        host: process.getBuiltinModule('node:os').hostname(),
        sinceMs: files.now(),
      }
      files.createFile(path, JSON.stringify(owner))
      return true
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
    if (!mayTakeOver || isAlive(files, path)) return false
    files.remove(path)
  }
  return false
}

export function release(files: Files, path: string): void {
  files.remove(path)
}

function isAlive(files: Files, path: string): boolean {
  const stat = files.linkStat(path)
  // A link or a pipe is nobody's.
  if (stat?.kind !== 'file') return false
  const owner = parseOwner(files.readFile(path))
  const isOld = files.now() - stat.mtimeMs > MAX_AGE_MS
  // An owner that has not written its name yet is a moment old, or dead since long.
  if (!owner || owner.host !== process.getBuiltinModule('node:os').hostname()) return !isOld
  try {
    process.kill(owner.pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}

function parseOwner(content: Buffer | undefined): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(content?.toString() ?? '')
    return typeof (owner as Owner | null)?.pid === 'number' ? (owner as Owner) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
