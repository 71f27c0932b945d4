// Lets one gc at a time run on a root: a file that names its owner. The lock of a dead owner is taken over, by one of those
// who find it: whoever makes a second file beside it. Gets and sets never wait for either.
//
// Not guaranteed: that nothing is lost when somebody removes the lock of a gc that runs. Two of them can each take the
// other's copy of a value for the one that stays; that value is a miss then.
//
// A slice of upkeep holds it for some milliseconds; whoever means to work for long waits for that.

import { isRunning, type Owner, thisProcess } from '../claims/owner.js'
import type { Files } from '../files/files.js'

/** A lock counts as dead after this: processes of another machine cannot be looked up, and numbers are given again. */
const MAX_AGE_MS = 60 * 60 * 1000
/** Between making the file and writing its name to it, an owner is killed or goes on. */
const MAX_NAMELESS_MS = 10_000

interface LockOwner extends Owner {
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
  if (files.createFile(path, nameOf(files, isSlice))) return true
  // One that was given back in between is whoever's who comes next: there is nothing to take over.
  if (!isDead(files, path)) return false
  const takeover = `${path}.takeover`
  if (!files.createFile(takeover, '')) {
    // Made a moment ago, or by somebody who was killed then: the next one who comes may try.
    if (isDead(files, takeover)) files.remove(takeover)
    return false
  }
  try {
    // Nobody but the one who has this file removes a lock that is not his own.
    if (isDead(files, path)) files.remove(path)
    return files.createFile(path, nameOf(files, isSlice))
  } finally {
    files.remove(takeover)
  }
}

function nameOf(files: Files, isSlice: boolean): string {
  return JSON.stringify({ ...thisProcess(), sinceMs: files.now(), isSlice } satisfies LockOwner)
}

export function release(files: Files, path: string): void {
  files.remove(path)
}

/** Whether there is a lock, and nobody lives whose it is. */
function isDead(files: Files, path: string): boolean {
  const stat = files.linkStat(path)
  if (!stat) return false
  // A link or a pipe is nobody's.
  if (stat.kind !== 'file') return true
  const owner = parseOwner(files.readFile(path))
  const ageMs = files.now() - stat.mtimeMs
  if (ageMs > (owner ? MAX_AGE_MS : MAX_NAMELESS_MS)) return true
  return owner !== undefined && owner.host === thisProcess().host && !isRunning(owner.pid)
}

function parseOwner(content: Buffer | undefined): LockOwner | undefined {
  try {
    const owner: unknown = JSON.parse(content?.toString() ?? '')
    return typeof (owner as LockOwner | null)?.pid === 'number' ? (owner as LockOwner) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
