// Leases say who is computing a value, so that a dozen processes that start together don't all compute it. They also show
// whether the key was set, deleted or cleared meanwhile.
//
// A lease is a hint, not a lock. It is part of the key's head, which also holds the key's epoch: a result is stored only if the
// epoch is unchanged. Other processes wait for the owner while it sends heartbeats, up to a timeout; then they compute the
// value themselves. A damaged or lost lease costs a second computation.

import { errnoOf } from '../base/errors.js'
import { monotonicMs } from '../base/monotonic.js'
import type { NamespaceStore } from '../entries/store.js'
import type { Lease } from '../manifest/entry.js'
import { drawComputedEpoch } from '../manifest/epochs.js'
import type { EntryKey, Lookup } from '../manifest/records.js'

/** How long other processes wait for a value at most, in ms. */
export const PATIENCE_MS = 10_000
/** How long a blocked thread waits for another thread of its process, in ms. That thread may need this one to go on. */
const THREAD_PATIENCE_MS = 1_000
/** Time between two heartbeats of an asynchronous computation, in ms. */
const BEAT_MS = 250
/** After this long without a heartbeat, the owner counts as dead. Its event loop may be busy for a while. */
const SILENCE_MS = 1_500

/** A computation that others may wait for. */
interface Held {
  store: NamespaceStore
  key: EntryKey
  epoch: number
}

/** The state of a wait for another owner. */
export interface Wait {
  startedMs: number
  beatAt: number
  beatSeenMs: number
  owner: Buffer | undefined
}

let self: Pick<Lease, 'owner' | 'pid' | 'host'> | undefined
const held = new Set<Held>()
let timer: NodeJS.Timeout | undefined

/** Identifies this copy of the library in this thread. */
function thisOwner(): Pick<Lease, 'owner' | 'pid' | 'host'> {
  const draw = () => Math.floor(Math.random() * 2 ** 32)
  if (!self) {
    const owner = Buffer.alloc(8)
    owner.writeUInt32LE(draw(), 0)
    owner.writeUInt32LE(draw(), 4)
    self = { owner, pid: process.pid, host: process.getBuiltinModule('node:os').hostname() }
  }
  return self
}

export function newWait(): Wait {
  const nowMs = monotonicMs()
  return { startedMs: nowMs, beatAt: 0, beatSeenMs: nowMs, owner: undefined }
}

/** Whether another owner computes the value and is worth waiting for. `isSync`: the wait blocks this thread. */
export function isWorthWaiting(found: Lookup, wait: Wait, isSync: boolean): boolean {
  const lease = found.head?.lease
  if (!lease || lease.owner.equals(thisOwner().owner)) return false
  const nowMs = monotonicMs()
  const isHere = lease.host === thisOwner().host
  // A program that started this one from within a synchronous computation waits for it.
  if (isHere && lease.isSync && lease.pid === process.ppid) return false
  const patienceMs = isSync && isHere && lease.pid === process.pid ? THREAD_PATIENCE_MS : PATIENCE_MS
  if (nowMs - wait.startedMs > patienceMs) return false
  if (!wait.owner?.equals(lease.owner) || wait.beatAt !== lease.beatAt) {
    wait.owner = lease.owner
    wait.beatAt = lease.beatAt
    wait.beatSeenMs = nowMs
  }
  if (isHere && !isRunning(lease.pid)) return false
  return lease.isSync || nowMs - wait.beatSeenMs <= SILENCE_MS
}

/**
 * Takes the lease of the key. Returns the epoch for the result, or undefined if another process was faster.
 *
 * @throws errno-style errors; CacheError `ERR_CACHE_IO`
 */
export function takeLease(store: NamespaceStore, key: EntryKey, found: Lookup, isSync: boolean): number | undefined {
  const { head, entry, removal, check } = found
  const epoch = head?.epoch ?? drawComputedEpoch(store.environment.random, removal)
  const lease = { ...thisOwner(), beatAt: store.environment.files.now(), isSync }
  if (!store.manifest.swap({ key, head: { epoch, entry, removal, lease } }, check)) return undefined
  if (!isSync) hold({ store, key, epoch })
  return epoch
}

/** The head's lease, unless it is this owner's. */
export function leaseOfOthers(lease: Lease | undefined): Lease | undefined {
  return lease?.owner.equals(thisOwner().owner) ? undefined : lease
}

/** Stops the heartbeats of the computation. */
export function letGo(key: EntryKey, epoch: number): void {
  for (const each of held) if (each.key === key && each.epoch === epoch) held.delete(each)
  if (held.size === 0) {
    process.getBuiltinModule('node:timers').clearInterval(timer)
    timer = undefined
  }
}

/** Removes the lease of a computation that stored nothing. @throws like `takeLease` */
export function dropLease(store: NamespaceStore, key: EntryKey, epoch: number): void {
  const { head, entry, removal, check } = store.manifest.look(key)
  if (head?.epoch !== epoch || !head.lease?.owner.equals(thisOwner().owner)) return
  store.manifest.swap({ key, head: { epoch, entry, removal } }, check)
}

function hold(each: Held): void {
  held.add(each)
  // The realms that test runners create may have no timers.
  timer ??= process.getBuiltinModule('node:timers').setInterval(beat, BEAT_MS).unref()
}

function beat(): void {
  for (const each of held) {
    const { store, key, epoch } = each
    try {
      const { head, entry, removal, check } = store.manifest.look(key)
      if (head?.epoch !== epoch || !head.lease?.owner.equals(thisOwner().owner)) {
        held.delete(each)
        continue
      }
      const lease = { ...head.lease, beatAt: store.environment.files.now() }
      store.manifest.swap({ key, head: { epoch, entry, removal, lease } }, check)
    } catch (error) {
      // Without heartbeats, other processes compute the value themselves.
      held.delete(each)
      store.report(error)
    }
  }
}

/** Whether a process of this machine is running. Its pid may belong to another process by now. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}
