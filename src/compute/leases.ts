// Who is computing a value: so that a dozen processes that start together and need the same thing don't all compute it, and
// so that a key which is set, deleted or cleared meanwhile is known to have been.
//
// A lease is a hint and never a lock. It lies in the key's head, which also gives the key an epoch: a result is stored only if
// the epoch is still the same. Others wait for the owner as long as it gives signs of life, and never longer than their
// patience; then they compute the value themselves. A damaged or lost lease costs a second computation.

import { errnoOf } from '../base/errors.js'
import { monotonicMs } from '../base/monotonic.js'
import type { NamespaceStore } from '../entries/store.js'
import type { Lease } from '../manifest/entry.js'
import { drawComputedEpoch } from '../manifest/manifest.js'
import type { EntryKey, Lookup } from '../manifest/records.js'

/** How long others wait for a value in all, ms. */
export const PATIENCE_MS = 10_000
/** The same in a thread that blocks, for another thread of its process: that one may need what this one does. */
const THREAD_PATIENCE_MS = 1_000
/** Between two signs of life of an asynchronous computation, */
const BEAT_MS = 250
/** and how long without one before it counts as dead: its event loop may be busy. */
const SILENCE_MS = 1_500

/** A computation that others may wait for. */
interface Held {
  store: NamespaceStore
  key: EntryKey
  epoch: number
}

/** What a wait for another owner has seen so far. */
export interface Wait {
  startedMs: number
  beatAt: number
  beatSeenMs: number
  owner: Buffer | undefined
}

let self: Pick<Lease, 'owner' | 'pid' | 'host'> | undefined
const held = new Set<Held>()
let timer: NodeJS.Timeout | undefined

/** This copy of the library, in this thread. */
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

/** Whether the value is computed elsewhere, by an owner that is worth waiting for; `isSync`: the wait blocks this thread. */
export function isWorthWaiting(found: Lookup, wait: Wait, isSync: boolean): boolean {
  const lease = found.head?.lease
  if (!lease || lease.owner.equals(thisOwner().owner)) return false
  const nowMs = monotonicMs()
  const isHere = lease.host === thisOwner().host
  // A program that computes synchronously, and started this one meanwhile, waits for it.
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
 * Takes the lease of the key; the epoch that the result is for, undefined if others were quicker.
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

/** The head's lease without that of this owner. */
export function leaseOfOthers(lease: Lease | undefined): Lease | undefined {
  return lease?.owner.equals(thisOwner().owner) ? undefined : lease
}

/** No sign of life is given for the computation any more. */
export function letGo(key: EntryKey, epoch: number): void {
  for (const each of held) if (each.key === key && each.epoch === epoch) held.delete(each)
  if (held.size === 0) {
    process.getBuiltinModule('node:timers').clearInterval(timer)
    timer = undefined
  }
}

/** Takes the lease out of the head, of a computation that stored nothing. @throws like `takeLease` */
export function dropLease(store: NamespaceStore, key: EntryKey, epoch: number): void {
  const { head, entry, removal, check } = store.manifest.look(key)
  if (head?.epoch !== epoch || !head.lease?.owner.equals(thisOwner().owner)) return
  store.manifest.swap({ key, head: { epoch, entry, removal } }, check)
}

function hold(each: Held): void {
  held.add(each)
  // A realm of its own, as test runners make, may have no timers.
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
      // Without signs of life, others compute the value themselves.
      held.delete(each)
      store.report(error)
    }
  }
}

/** Of a process on this machine; its number may have been given to another one since. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}
