// The lock that lets only one gc at a time run on a root: an empty file. Its holder touches the file as a heartbeat. A lock
// without a heartbeat for a while is taken over. Both times come from the same file system, so that pids, host names and the
// clocks of processes don't matter. Gets and sets never wait for the lock.
//
// A holder that was suspended for that long finds before its next step that it has lost the lock, and ends.
//
// Not guaranteed: that two gcs never run at once for the length of one step. Each could take the other's copy of a value for
// the one that stays; that value is then a miss.
//
// A step of the background gc holds it for some milliseconds; gc() and repairs wait for that.

import { join } from 'node:path'
import { CacheError, errnoOf } from '../base/errors.js'
import type { FileStat, Files } from '../files/files.js'

/** A lock without a heartbeat for this long has no owner. */
export const DEAD_AFTER_MS = 15_000
const HEARTBEAT_MS = 2000
/**
 * How long to wait for a step that holds the lock, and the delay between two attempts, in ms. A step that takes longer
 * belongs to a stopped process.
 */
const PATIENCE_MS = 2000
const PAUSE_MS = 5
/** What a gc() or a repair writes to the file. */
const LONG = 'gc\n'
const PROBE = '.probe'

export class Lock {
  readonly #files: Files
  readonly #path: string
  readonly #random: () => number
  /** The file as this process made it or touched it last; undefined while it does not hold it. */
  #own: FileStat | undefined
  #beatAt = 0

  constructor(files: Files, path: string, random: () => number) {
    this.#files = files
    this.#path = path
    this.#random = random
  }

  /** Like `acquire`, once the step that holds the lock is over. */
  async acquireAfterStep(): Promise<boolean> {
    for (let waitedMs = 0; !this.acquire(); waitedMs += PAUSE_MS) {
      if (this.isHeldForLong() || waitedMs >= PATIENCE_MS) return false
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
    // A long-term lock is marked in the file if the disk has room for that.
    this.#announce()
    return true
  }

  /** Whether a gc() or a repair holds it. */
  isHeldForLong(): boolean {
    return (this.#files.linkStat(this.#path)?.sizeBytes ?? 0) > 0
  }

  /** True if this process now holds the lock. Call `release` afterwards. */
  acquire(): boolean {
    if (this.#create()) return true
    // The lock was released in the meantime, so there is nothing to take over.
    if (!this.#isDead(this.#path)) return false
    const takeover = `${this.#path}.takeover`
    if (!this.#files.createFile(takeover, '')) {
      // Created just now, or by a process that was killed then: the next process may try.
      if (this.#isDead(takeover)) this.#files.remove(takeover)
      return false
    }
    try {
      // Only the owner of this file removes another process's lock.
      if (this.#isDead(this.#path)) this.#files.remove(this.#path)
      return this.#create()
    } finally {
      this.#files.remove(takeover)
    }
  }

  /**
   * Sends a heartbeat. To be called before each step.
   *
   * @throws CacheError `ERR_CACHE_BUSY` when the lock was taken over meanwhile
   */
  keep(): void {
    const now = performance.now()
    if (!this.#isOwn()) {
      this.#own = undefined
      throw new CacheError('ERR_CACHE_BUSY', 'This gc was paused too long; another one took over its lock.')
    }
    if (now - this.#beatAt < HEARTBEAT_MS) return
    this.#files.touch(this.#path)
    this.#note(now)
  }

  release(): void {
    if (this.#isOwn()) this.#files.remove(this.#path)
    this.#own = undefined
  }

  #create(): boolean {
    if (!this.#files.createFile(this.#path, '')) return false
    this.#note(performance.now())
    return true
  }

  #announce(): void {
    if (!this.#isOwn()) return
    try {
      const fd = this.#files.open(this.#path, 'append')
      try {
        this.#files.append(fd, Buffer.from(LONG), LONG.length)
      } finally {
        this.#files.close(fd)
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
    }
    this.#note(performance.now())
  }

  #note(now: number): void {
    this.#own = this.#files.linkStat(this.#path)
    this.#beatAt = now
  }

  #isOwn(): boolean {
    const [own, there] = [this.#own, this.#files.linkStat(this.#path)]
    return own !== undefined && there?.inode === own.inode && there.ctimeMs === own.ctimeMs
  }

  /** Whether there is a lock whose owner has died. */
  #isDead(path: string): boolean {
    const stat = this.#files.linkStat(path)
    if (!stat) return false
    // A link or a pipe is not a lock.
    if (stat.kind !== 'file') return true
    const isOld = (nowMs: number) => Math.abs(nowMs - stat.ctimeMs) > DEAD_AFTER_MS
    // Try this process's clock first, which needs no file. Only network shares have another clock.
    return isOld(this.#files.now()) && isOld(this.#fileSystemNow())
  }

  /** The current time of the file system, from a file created for that. */
  #fileSystemNow(): number {
    const probe = `${this.#path}.${Math.floor(this.#random() * 2 ** 32).toString(16)}${PROBE}`
    try {
      this.#files.createFile(probe, '')
      return this.#files.linkStat(probe)?.ctimeMs ?? this.#files.now()
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return this.#files.now()
    } finally {
      this.#files.remove(probe)
    }
  }
}

/** Removes the probes of processes that were killed; for the holder of the lock. */
export function removeProbes(files: Files, version: string): void {
  for (const name of files.list(version) ?? []) {
    if (name.startsWith('gc.lock.') && name.endsWith(PROBE)) files.remove(join(version, name))
  }
}
