// Lets one gc at a time run on a root: a file that names its owner. The lock of a dead owner is taken over. Gets and sets
// never wait for it, and two gcs at once would only waste work, so that a wrong guess here loses nothing.
//
// A slice of upkeep holds it for some milliseconds; whoever means to work for long waits for that.

import { errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'

/** A lock counts as dead after this: processes of another machine cannot be looked up, and numbers are given again. */
const MAX_AGE_MS = 60 * 60 * 1000
/** Between making the file and writing its name to it, an owner is killed or goes on. */
const MAX_NAMELESS_MS = 10_000

interface Owner {
  pid: number
  host: string
  sinceMs: number
  isSlice: boolean
}

/** How long to wait for a slice, in ms, and between two looks. A slice that takes longer is that of a stopped process. */
const PATIENCE_MS = 2000
const PAUSE_MS = 5

/** Like `acquire`, once the slice that holds the lock is over. */
export async function acquireAfterSlice(files: Files, path: string): Promise<boolean> {
  for (let waitedMs = 0; !acquire(files, path); waitedMs += PAUSE_MS) {
    const owner = parseOwner(files.readFile(path))
    // Without an owner it was given back since, or is about to be written.
    if ((owner && !owner.isSlice) || waitedMs >= PATIENCE_MS) return false
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
  }
  return true
}

/** True when the lock is now this process's; `release` gives it back. */
export function acquire(files: Files, path: string, isSlice = false): boolean {
  for (const mayTakeOver of [true, false]) {
    try {
      const owner: Owner = {
        pid: process.pid,
        host: process.getBuiltinModule('node:os').hostname(),
        sinceMs: files.now(),
        isSlice,
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
  const ageMs = files.now() - stat.mtimeMs
  if (ageMs > (owner ? MAX_AGE_MS : MAX_NAMELESS_MS)) return false
  if (!owner || owner.host !== process.getBuiltinModule('node:os').hostname()) return true
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
