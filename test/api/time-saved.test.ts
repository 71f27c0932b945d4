// How long computations took and how much time hits saved. The process clock moves only when a test moves it.

import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Namespace } from '../../src/index.js'
import { openAsAnotherProcess, openIn, temporaryRoot } from '../support/caches.js'

let seconds = 0

beforeEach(() => {
  seconds = 0
  const clock = vi.spyOn(process, 'uptime').mockImplementation(() => seconds)
  return () => clock.mockRestore()
})

/** A function that takes so long. */
const taking =
  <T>(ms: number, value: T) =>
  () => {
    seconds += ms / 1000
    return value
  }

function gate<T>() {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>(given => {
    resolve = given
  })
  return { promise, resolve }
}

const timesOf = (entries: Namespace) => {
  const { savedMs, computedMs } = entries.stats()
  return { savedMs, computedMs }
}

const open = () => openIn(temporaryRoot()).cache.namespace('tool')

test('a miss counts its computation time, and each hit saves that time', () => {
  const entries = open()
  for (let call = 0; call < 4; call++) entries.getOrSetSync('key', taking(250, 1))
  expect(timesOf(entries)).toEqual({ savedMs: 750, computedMs: 250 })
})

test('a get saves the computation time of the value; a value that was set saves nothing', () => {
  const entries = open()
  entries.getOrSetSync('computed', taking(40, 1))
  entries.set('set', 2)
  expect(entries.getMany(['computed', 'set', 'computed', 'computed', 'set'])).toEqual([1, 2, 1, 1, 2])
  expect(timesOf(entries)).toEqual({ savedMs: 120, computedMs: 40 })
})

test('an entry has its computation time, to the microsecond', () => {
  const entries = open()
  entries.getOrSetSync('computed', taking(12.3, 1))
  entries.set('set', 2)
  const infos = [...entries.entries()].map(({ key, computeMs }) => [key, computeMs])
  expect(Object.fromEntries(infos)).toEqual({ computed: 12.3, set: null })
  expect(entries.explain('computed').entry?.computeMs).toBe(12.3)
})

test('times add up over processes and over the whole cache', () => {
  const dir = temporaryRoot()
  for (const name of ['one', 'two']) {
    const { cache } = openAsAnotherProcess(dir)
    cache.namespace(name).getOrSetSync('key', taking(100, 1))
    cache.close()
  }
  for (let run = 0; run < 300; run++) {
    const { cache } = openAsAnotherProcess(dir)
    cache.namespace('one').getOrSetSync('key', taking(100, 1))
    cache.close()
  }
  const { cache } = openIn(dir)
  expect(timesOf(cache.namespace('one'))).toEqual({ savedMs: 30_000, computedMs: 100 })
  expect(cache.stats()).toMatchObject({ savedMs: 30_000, computedMs: 200 })
})

test('an outer hit saves the inner computation too, without counting it twice', () => {
  const entries = open()
  const inner = () => entries.getOrSetSync('inner', taking(100, 1))
  const outer = () =>
    entries.getOrSetSync('outer', () => {
      seconds += 0.02
      return inner()
    })
  outer()
  expect(timesOf(entries)).toEqual({ savedMs: 0, computedMs: 120 })
  outer()
  expect(timesOf(entries)).toEqual({ savedMs: 120, computedMs: 120 })
})

test('an outer miss with an inner hit saves only the inner time', () => {
  const entries = open()
  const inner = () => entries.getOrSetSync('inner', taking(100, 1))
  inner()
  entries.getOrSetSync('outer', () => {
    seconds += 0.02
    return inner()
  })
  expect(timesOf(entries)).toEqual({ savedMs: 100, computedMs: 120 })
  // What it took then: the inner result was there.
  expect(entries.explain('outer').entry?.computeMs).toBe(20)
})

test('concurrent computations share the elapsed time', async () => {
  const entries = open()
  const gates = Array.from({ length: 40 }, () => gate<number>())
  const compute = () => Promise.all(gates.map(({ promise }, index) => entries.getOrSet(`key ${index}`, () => promise)))
  const all = compute()
  await vi.waitFor(() => expect(entries.stats().missCount).toBe(40))
  for (const { resolve } of gates) {
    seconds += 0.005
    resolve(1)
    await new Promise(setImmediate)
  }
  await all
  await compute()
  const { savedMs, computedMs } = timesOf(entries)
  expect([Math.round(savedMs), Math.round(computedMs)]).toEqual([200, 200])
})

test('concurrent nested computations share the elapsed time, and the outer one gets the rest', async () => {
  const entries = open()
  const gates = [gate<void>(), gate<void>()]
  const part = (index: number) =>
    entries.getOrSet(`part ${index}`, async () => {
      await gates[index]?.promise
      return index
    })
  const outer = entries.getOrSet('outer', async () => {
    seconds += 0.005
    const parts = await Promise.all([part(0), part(1)])
    seconds += 0.001
    return parts
  })
  await vi.waitFor(() => expect(entries.stats().missCount).toBe(3))
  seconds += 0.1
  for (const { resolve } of gates) resolve()
  await outer
  expect(entries.explain('outer').entry?.computeMs).toBe(106)
  expect(entries.explain('part 0').entry?.computeMs).toBe(50)
  expect(timesOf(entries)).toEqual({ savedMs: 0, computedMs: 106 })
})

test('a caller that joins a computation late saves the time from before it joined', async () => {
  const entries = open()
  const computed = gate<number>()
  const call = () => entries.getOrSet('key', () => computed.promise)
  const first = call()
  await Promise.resolve()
  seconds += 0.3
  const second = call()
  await new Promise(setImmediate)
  seconds += 0.1
  computed.resolve(1)
  expect(await Promise.all([first, second])).toEqual([1, 1])
  expect(entries.stats()).toMatchObject({ hitCount: 1, missCount: 1, savedMs: 300, computedMs: 400 })
})

test('a caller that waits for another process saves the time from before it waited', async () => {
  const dir = temporaryRoot()
  const one = openAsAnotherProcess(dir).cache.namespace('tool')
  // Another copy of the library, which is another owner of leases.
  vi.resetModules()
  const { CacheHandle } = await import('../../src/cache/cache.js')
  const other = new CacheHandle({ dir })
  onTestFinished(() => other.close())
  const two = other.namespace('tool')
  const computed = gate<number>()
  const first = one.getOrSet('key', () => computed.promise)
  await vi.waitFor(() => expect(one.stats().missCount).toBe(1))
  seconds += 0.3
  const second = two.getOrSet('key', () => expect.fail('computed again'))
  await new Promise(setImmediate)
  seconds += 0.1
  computed.resolve(1)
  expect(await Promise.all([first, second])).toEqual([1, 1])
  expect(timesOf(two).savedMs).toBeCloseTo(300, 1)
})

test('time spent on an error or an unstorable result is counted', async () => {
  const entries = openIn(temporaryRoot()).cache.namespace('tool')
  const failing = () => {
    seconds += 0.01
    throw new Error('no')
  }
  expect(() => entries.getOrSetSync('key', failing)).toThrow('no')
  await expect(entries.getOrSet('key', failing)).rejects.toThrow('no')
  entries.getOrSetSync(
    'key',
    taking(5, () => 1),
  )
  expect(timesOf(entries)).toEqual({ savedMs: 0, computedMs: 25 })
})

test('a stale result saves its time, and its recomputation counts as computed', async () => {
  let now = Date.UTC(2026, 0, 1)
  const entries = openIn(temporaryRoot(), { clock: () => now }).cache.namespace('tool')
  const call = () => entries.getOrSet('key', taking(100, now), { ttl: '1s', staleWhileRevalidate: '1h' })
  await call()
  now += 2000
  await call()
  await vi.waitFor(() => expect(timesOf(entries)).toEqual({ savedMs: 100, computedMs: 200 }))
})

test('a cache that is off counts no time', () => {
  const entries = openIn(temporaryRoot(), { mode: 'off' }).cache.namespace('tool')
  for (let call = 0; call < 2; call++) entries.getOrSetSync('key', taking(100, 1))
  expect(timesOf(entries)).toEqual({ savedMs: 0, computedMs: 0 })
})
