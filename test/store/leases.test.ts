// A lease has one owner at a time. Others wait for it while its owner is alive, and only the owner releases it.

import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { dropLease, isWorthWaiting, leaseOfOthers, letGo, newWait, takeLease } from '../../src/compute/leases.js'
import type { NamespaceStore } from '../../src/entries/store.js'
import type { Entry, Head, Lease } from '../../src/manifest/entry.js'
import { encodePrefix } from '../../src/manifest/key.js'
import { Manifest } from '../../src/manifest/manifest.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

const PREFIX = encodePrefix({ version: '', scope: 'user', kind: 'plain', project: '' })
const PATIENCE_MS = 10_000
const SILENCE_MS = 1_500
const BEAT_MS = 250

let nowMs: number
beforeEach(() => {
  nowMs = 1_000
  const hrtime = () => [Math.floor(nowMs / 1000), Math.round((nowMs % 1000) * 1e6)] as [number, number]
  vi.spyOn(process, 'hrtime').mockImplementation(Object.assign(hrtime, { bigint: process.hrtime.bigint }))
})
afterEach(() => vi.restoreAllMocks())

/** A manifest, and another process's view of it. */
function stores() {
  const path = join(temporaryDirectory(), 'manifest')
  const reports: unknown[] = []
  const open = () => {
    const environment = newEnvironment({ files: { ...newEnvironment().files, now: () => nowMs } })
    const manifest = new Manifest(environment, path, 'manifest')
    return { manifest, environment, report: (error: unknown) => reports.push(error) } as unknown as NamespaceStore
  }
  const [store, other] = [open(), open()]
  const key = store.manifest.keyOf(PREFIX, 'key')
  const look = () => {
    store.environment.tick.end()
    return store.manifest.look(key)
  }
  return { store, other, key, look, reports }
}

/** As another process has written it. */
function leaseOf(changes: Partial<Lease> = {}): Lease {
  return { owner: Buffer.alloc(8, 1), pid: process.pid, host: hostname(), beatAt: 1, isSync: false, ...changes }
}

const found = (lease: Lease | undefined) => ({ head: { epoch: 1, lease } as Head }) as ReturnType<Manifest['look']>

/** The id of a process that has ended. */
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid as number

describe('a lease', () => {
  test('can be taken by only one of two processes that saw it free', () => {
    const { store, other, key, look } = stores()
    const seen = look()
    const alsoSeen = other.manifest.look(key)
    const epoch = takeLease(store, key, seen, true)
    expect(epoch).toBeTypeOf('number')
    expect(takeLease(other, key, alsoSeen, true)).toBe(undefined)
    expect(look().head).toMatchObject({ epoch, lease: { pid: process.pid, host: hostname(), isSync: true } })
  })

  test('keeps the entry and epoch of its key, and draws an epoch for a new key', () => {
    const { store, key, look } = stores()
    const blob = { id: Buffer.alloc(21, 7), location: { pack: 0, offset: 27 } }
    const entry: Entry = { blob, createdAt: 1000, usedAt: 1000, epoch: 42 }
    store.manifest.put(key, entry)
    expect(takeLease(store, key, look(), true)).toBe(42)
    expect(look().entry).toMatchObject({ blob, createdAt: 1000 })
    store.manifest.write([{ key, removal: { cause: 'deleted' } }])
    const epoch = takeLease(store, key, look(), true)
    expect(epoch).not.toBe(42)
    expect(look()).toMatchObject({ head: { epoch }, removal: { cause: 'deleted' } })
  })

  test('is released only by its owner, and only if the key still has its epoch', () => {
    const { store, key, look } = stores()
    const epoch = takeLease(store, key, look(), true) as number
    dropLease(store, key, epoch + 1)
    expect(look().head?.lease).toBeDefined()
    dropLease(store, key, epoch)
    expect(look().head).toMatchObject({ epoch, lease: undefined })
    store.manifest.write([{ key, head: { epoch, lease: leaseOf() } }])
    dropLease(store, key, epoch)
    expect(look().head?.lease).toEqual(leaseOf())
  })

  test('is removed by a stored result, unless another owner has it', () => {
    const { store, key, look } = stores()
    takeLease(store, key, look(), true)
    expect(leaseOfOthers(look().head?.lease)).toBe(undefined)
    expect(leaseOfOthers(leaseOf())).toEqual(leaseOf())
    expect(leaseOfOthers(undefined)).toBe(undefined)
  })
})

describe('waiting is worthwhile', () => {
  test("not without a lease, nor for the process's own lease", () => {
    const { store, key, look } = stores()
    expect(isWorthWaiting(look(), newWait(), false)).toBe(false)
    takeLease(store, key, look(), true)
    expect(isWorthWaiting(look(), newWait(), false)).toBe(false)
  })

  test('not for a process that has ended, unless its number is from another machine', () => {
    const pid = deadPid()
    expect(isWorthWaiting(found(leaseOf({ pid })), newWait(), false)).toBe(false)
    expect(isWorthWaiting(found(leaseOf({ pid, host: 'elsewhere' })), newWait(), false)).toBe(true)
  })

  test('while the owner sends heartbeats', () => {
    const wait = newWait()
    for (let beatAt = 1; beatAt < 5; beatAt++) {
      expect(isWorthWaiting(found(leaseOf({ beatAt })), wait, false)).toBe(true)
      nowMs += SILENCE_MS
      expect(isWorthWaiting(found(leaseOf({ beatAt })), wait, false)).toBe(true)
      nowMs += 5
      expect(isWorthWaiting(found(leaseOf({ beatAt })), wait, false)).toBe(false)
    }
  })

  test("even if the owner's clock is wrong", () => {
    const wait = newWait()
    for (const beatAt of [2 ** 47, 0, 5]) {
      expect(isWorthWaiting(found(leaseOf({ beatAt, host: 'elsewhere' })), wait, false)).toBe(true)
      nowMs += SILENCE_MS
    }
  })

  test('not for the parent in a blocking wait, as the parent waits for this process', () => {
    const lease = { pid: process.ppid, isSync: true }
    expect(isWorthWaiting(found(leaseOf(lease)), newWait(), true)).toBe(false)
    expect(isWorthWaiting(found(leaseOf({ ...lease, isSync: false })), newWait(), true)).toBe(true)
    expect(isWorthWaiting(found(leaseOf({ ...lease, host: 'elsewhere' })), newWait(), true)).toBe(true)
  })

  test('for one second if the wait blocks and the owner is another thread of this process', () => {
    for (const isSync of [true, false]) {
      const wait = newWait()
      nowMs += 999
      expect(isWorthWaiting(found(leaseOf({ pid: process.pid, isSync: true })), wait, isSync)).toBe(true)
      nowMs += 2
      expect(isWorthWaiting(found(leaseOf({ pid: process.pid, isSync: true })), wait, isSync)).toBe(!isSync)
    }
  })

  test('for the full time again when there is a new owner', () => {
    const wait = newWait()
    expect(isWorthWaiting(found(leaseOf()), wait, false)).toBe(true)
    nowMs += SILENCE_MS + 5
    expect(isWorthWaiting(found(leaseOf({ owner: Buffer.alloc(8, 2) })), wait, false)).toBe(true)
  })

  test('for a blocked thread without heartbeats, but for none longer than 10 s', () => {
    for (const isSync of [true, false]) {
      const wait = newWait()
      let beatAt = 0
      const isWorth = () => isWorthWaiting(found(leaseOf({ isSync, beatAt: isSync ? 0 : beatAt++ })), wait, false)
      for (let waitedMs = 0; waitedMs <= PATIENCE_MS; waitedMs += 1000) {
        expect(isWorth(), `after ${waitedMs} ms`).toBe(true)
        nowMs += 1000
      }
      expect(isWorth()).toBe(false)
    }
  })
})

describe('heartbeats', () => {
  let beats: Set<() => void>
  beforeEach(() => {
    beats = new Set()
    const timers = process.getBuiltinModule('node:timers')
    vi.spyOn(timers, 'setInterval').mockImplementation(((beat: () => void, ms: number) => {
      expect(ms).toBe(BEAT_MS)
      beats.add(beat)
      return { unref: () => beat }
    }) as unknown as typeof setInterval)
    vi.spyOn(timers, 'clearInterval').mockImplementation(beat => void beats.delete(beat as unknown as () => void))
  })
  const pass = () => {
    nowMs += BEAT_MS
    for (const beat of beats) beat()
  }

  test('are sent for asynchronous computations until they end', () => {
    const { store, key, look } = stores()
    const epoch = takeLease(store, key, look(), false) as number
    const seen = [look().head?.lease?.beatAt]
    for (let i = 0; i < 3; i++) {
      pass()
      seen.push(look().head?.lease?.beatAt)
    }
    expect(seen).toEqual([1000, 1250, 1500, 1750])
    letGo(key, epoch)
    pass()
    expect(look().head?.lease?.beatAt).toBe(1750)
    expect(beats.size).toBe(0)
  })

  test('are not sent for synchronous computations', () => {
    const { store, key, look } = stores()
    takeLease(store, key, look(), true)
    pass()
    expect(look().head?.lease?.beatAt).toBe(1000)
  })

  test.each<[string, (head: Head) => Head]>([
    ['another owner has', head => ({ ...head, lease: leaseOf() })],
    ['was released', ({ epoch }) => ({ epoch })],
    ['is of another epoch', head => ({ ...head, epoch: head.epoch + 1 })],
  ])('are not sent for a lease that %s', (_what, change) => {
    const { store, key, look, reports } = stores()
    const epoch = takeLease(store, key, look(), false) as number
    const changed = change(look().head as Head)
    store.manifest.write([{ key, head: changed }])
    pass()
    expect(look().head?.lease?.beatAt).toBe(changed.lease?.beatAt)
    expect(reports).toEqual([])
    letGo(key, epoch)
  })

  test('stop with one report when they fail', () => {
    const { store, key, look, reports } = stores()
    const epoch = takeLease(store, key, look(), false) as number
    const failure = Object.assign(new Error('made by a test'), { code: 'EIO' })
    vi.spyOn(store.manifest, 'look').mockImplementation(() => {
      throw failure
    })
    for (let i = 0; i < 3; i++) pass()
    expect(reports).toEqual([failure])
    letGo(key, epoch)
  })
})
