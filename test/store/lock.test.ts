// One gc at a time: a lock is valid while it has heartbeats, whatever the clocks and names of the processes.

import { readdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { type Files, nodeFiles } from '../../src/files/files.js'
import { DEAD_AFTER_MS, Lock } from '../../src/gc/lock.js'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { temporaryDirectory } from './environment.js'

const HOUR_MS = 3_600_000

/**
 * The disk of a process, on which files that are not touched any more grow older as `passed.ms` goes up: the file system's clock,
 * and that of the process, which is `aheadMs` ahead of it.
 */
function agingFiles(passed: { ms: number }, aheadMs = 0): Files {
  const age = new Map<string, number>()
  const noted = (path: string) => {
    const stat = nodeFiles.linkStat(path)
    if (!stat) return undefined
    const name = `${stat.inode} ${stat.ctimeMs}`
    if (!age.has(name)) age.set(name, passed.ms)
    return { ...stat, ctimeMs: stat.ctimeMs + (age.get(name) as number) }
  }
  const made = <Args extends [string, ...unknown[]], R>(call: (...args: Args) => R) => {
    return (...args: Args): R => {
      const result = call(...args)
      noted(args[0])
      return result
    }
  }
  return {
    ...nodeFiles,
    linkStat: noted,
    createFile: made(nodeFiles.createFile),
    touch: made(nodeFiles.touch),
    now: () => Date.now() + passed.ms + aheadMs,
  }
}

const lockOn = (files: Files, path: string) => new Lock(files, path, Math.random)

test('one gc runs at a time', async () => {
  const dir = temporaryRoot()
  const { cache } = openAsAnotherProcess(dir)
  cache.namespace('ns').set('key', 'value')
  const [first, second] = await Promise.allSettled([cache.gc(), openAsAnotherProcess(dir).cache.gc()])
  expect(first.status).toBe('fulfilled')
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CACHE_BUSY' } })
  expect(readdirSync(layoutOf(dir).version).filter(name => name.startsWith('gc.lock'))).toEqual([])
})

describe('a lock', () => {
  test('of a killed process is taken over after a while without heartbeats, and leaves nothing behind', () => {
    const path = join(temporaryDirectory(), 'gc.lock')
    const passed = { ms: 0 }
    // One disk for both: what the file system says of a file does not depend on who asks.
    const files = agingFiles(passed)
    expect(lockOn(files, path).acquire()).toBe(true)
    const next = lockOn(files, path)
    expect(next.acquire()).toBe(false)
    passed.ms += DEAD_AFTER_MS - 1000
    expect(next.acquire()).toBe(false)
    passed.ms += 2000
    expect(next.acquire()).toBe(true)
    expect(readdirSync(dirname(path))).toEqual(['gc.lock'])
  })

  test.each([-HOUR_MS, -DEAD_AFTER_MS * 1.5, -10_000, 10_000, DEAD_AFTER_MS * 1.5, HOUR_MS])(
    "expires by the file system's clock, for a process whose clock is %i ms ahead of it",
    aheadMs => {
      const path = join(temporaryDirectory(), 'gc.lock')
      const passed = { ms: 0 }
      const files = agingFiles(passed)
      lockOn(files, path).acquire()
      const other = lockOn({ ...files, now: () => Date.now() + passed.ms + aheadMs }, path)
      let takenAt = 0
      for (; !other.acquire() && takenAt < HOUR_MS; takenAt += 500) passed.ms += 500
      expect(takenAt).toBeGreaterThanOrEqual(DEAD_AFTER_MS)
      expect(takenAt).toBeLessThan(60_000)
    },
  )

  test('with heartbeats stays valid for hours', () => {
    const path = join(temporaryDirectory(), 'gc.lock')
    const passed = { ms: 0 }
    const files = agingFiles(passed)
    const [owner, other] = [lockOn(files, path), lockOn(files, path)]
    owner.acquire()
    const start = performance.now()
    const { now } = performance
    performance.now = () => start + passed.ms
    try {
      for (let round = 0; round < 100; round++) {
        passed.ms += DEAD_AFTER_MS / 2
        owner.keep()
        expect(other.acquire()).toBe(false)
      }
    } finally {
      performance.now = now
    }
    owner.release()
    expect(other.acquire()).toBe(true)
  })

  test('expires even if the clock was set back', () => {
    const path = join(temporaryDirectory(), 'gc.lock')
    const passed = { ms: HOUR_MS }
    const files = agingFiles(passed)
    lockOn(files, path).acquire()
    passed.ms = 0
    expect(lockOn(files, path).acquire()).toBe(true)
  })

  test('that was taken over ends the suspended gc, which does not release it', () => {
    const path = join(temporaryDirectory(), 'gc.lock')
    const passed = { ms: 0 }
    const files = agingFiles(passed)
    const [stopped, other] = [lockOn(files, path), lockOn(files, path)]
    stopped.acquire()
    passed.ms += DEAD_AFTER_MS + 1000
    expect(other.acquire()).toBe(true)
    expect(() => stopped.keep()).toThrow(expect.objectContaining({ code: 'ERR_CACHE_BUSY' }))
    stopped.release()
    expect(() => other.keep()).not.toThrow()
  })

  test('that is a link has no owner', () => {
    const path = join(temporaryDirectory(), 'gc.lock')
    symlinkSync('nowhere', path)
    expect(lockOn(nodeFiles, path).acquire()).toBe(true)
    expect(readdirSync(dirname(path))).toEqual(['gc.lock'])
  })

  test('of a dead owner is taken over by only one of two processes', () => {
    const path = join(temporaryDirectory(), 'gc.lock')
    for (let at = 1, isInterrupted = true; isInterrupted; at++) {
      const passed = { ms: 0 }
      const disk = agingFiles(passed)
      expect(lockOn(disk, path).acquire()).toBe(true)
      passed.ms += HOUR_MS
      isInterrupted = false
      let calls = 0
      const taken: boolean[] = []
      const files = interceptedFiles(
        call => {
          if (++calls === at) {
            isInterrupted = true
            taken.push(lockOn(disk, path).acquire())
          }
          return call.proceed()
        },
        { files: disk },
      )
      taken.push(lockOn(files, path).acquire())
      expect(taken.filter(Boolean).length, `the second one at call ${at} of the first`).toBe(1)
      expect(readdirSync(dirname(path))).toEqual(['gc.lock'])
      rmSync(path)
    }
  })

  test('that was just released is not taken over, as another process may have it by now', () => {
    const path = join(temporaryDirectory(), 'gc.lock')
    const first = lockOn(nodeFiles, path)
    expect(first.acquire()).toBe(true)
    let isOthers = false
    const files = interceptedFiles(call => {
      // The owner gives it back once this process has found it taken, and another one takes it before this one goes on.
      if (call.name === 'linkStat' && call.path === path) first.release()
      if (call.name === 'remove' && call.path === path) isOthers = lockOn(nodeFiles, path).acquire()
      return call.proceed()
    })
    const isOwn = lockOn(files, path).acquire()
    expect([isOwn, isOthers]).not.toEqual([true, true])
  })
})
