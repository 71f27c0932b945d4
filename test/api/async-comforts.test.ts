// Options of asynchronous callers: giving up, old results while new ones are computed, and lifetimes that computations choose.

import { describe, expect, test } from 'vitest'
import type { CacheMode, CallResult, ComputeContext } from '../../src/index.js'
import { errorOf, openIn, temporaryRoot } from '../support/caches.js'

function opened() {
  const now = { ms: Date.UTC(2026, 0, 1) }
  const dir = temporaryRoot()
  const opened = (mode: CacheMode) =>
    openIn(dir, { mode, clock: () => now.ms }).cache.namespace<unknown>('tool', { project: false })
  return { now, entries: opened('readwrite'), readOnly: () => opened('readonly') }
}

/** A computation that ends when it is told to. */
function gate<T>() {
  let open: (value: T) => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  const passed = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { open, fail, compute: () => passed }
}

describe('expiresIn', () => {
  test('limits the lifetime of one result, and the shortest limit wins', async () => {
    const { entries, now } = opened()
    let calls = 0
    const failing = () =>
      entries.getOrSet(
        'page',
        ({ expiresIn }) => {
          expiresIn('10m')
          expiresIn(30_000)
          return ++calls
        },
        { ttl: '1h' },
      )
    await failing()
    expect(entries.find('page')[0]?.expiresAt).toBe(now.ms + 30_000)
    now.ms += 29_000
    expect(await failing()).toBe(1)
    now.ms += 2_000
    expect(await failing()).toBe(2)
  })

  test('never extends a lifetime beyond the ttl', async () => {
    const { entries, now } = opened()
    const longer = ({ expiresIn }: ComputeContext) => {
      expiresIn('1d')
      return 1
    }
    await entries.getOrSet('key', longer, { ttl: 1000 })
    expect(entries.find('key')[0]?.expiresAt).toBe(now.ms + 1000)
  })

  test('applies to outer results and to analyses', () => {
    const { entries, now } = opened()
    const inner = () =>
      entries.analyzeSync('part', import.meta.filename, ctx => {
        ctx.expiresIn(5000)
        return 1
      })
    entries.getOrSetSync('whole', inner)
    expect(entries.find('whole')[0]?.expiresAt).toBe(now.ms + 5000)
    now.ms += 6000
    expect(entries.explain({ name: 'part', file: import.meta.filename }).isHit).toBe(false)
    expect(entries.has('whole')).toBe(false)
  })

  test('accepts only durations, and only during the computation', async () => {
    const { entries } = opened()
    expect(errorOf(() => entries.getOrSetSync('key', ctx => ctx.expiresIn('soon'))).code).toBe('ERR_CACHE_OPTION')
    expect(errorOf(() => entries.getOrSetSync('key', ctx => ctx.expiresIn(0))).code).toBe('ERR_CACHE_OPTION')
    let late: (ttl: number) => void = () => undefined
    entries.getOrSetSync('key', ctx => {
      late = ctx.expiresIn
      return 1
    })
    expect(errorOf(() => late(1000)).code).toBe('ERR_CACHE_CLOSED')
  })
})

describe('staleWhileRevalidate', () => {
  const options = { ttl: 1000, staleWhileRevalidate: 5000 }

  test('returns the old result while one computation makes the new one', async () => {
    const { entries, now } = opened()
    await entries.getOrSet('key', () => 'old', options)
    now.ms += 2000
    const { open, compute } = gate<string>()
    const told: CallResult[] = []
    const ask = () => entries.getOrSet('key', compute, { ...options, onResult: result => told.push(result) })
    expect(await Promise.all([ask(), ask()])).toEqual(['old', 'old'])
    expect(told.map(({ isHit, isStale }) => [isHit, isStale])).toEqual([
      [true, true],
      [true, true],
    ])
    open('new')
    await expect.poll(() => entries.peek('key')).toBe('new')
    expect(await ask()).toBe('new')
    expect(told[2]).not.toHaveProperty('isStale')
  })

  test('waits for the computation once the stale period is over too', async () => {
    const { entries, now } = opened()
    await entries.getOrSet('key', () => 'old', options)
    now.ms += 6500
    expect(await entries.getOrSet('key', () => 'new', options)).toBe('new')
  })

  test('waits for the computation in a read-only cache', async () => {
    const { entries, now, readOnly } = opened()
    await entries.getOrSet('key', () => 'old', options)
    now.ms += 2000
    expect(await readOnly().getOrSet('key', () => 'new', options)).toBe('new')
  })

  test('keeps returning the old result when the computation fails', async () => {
    const { entries, now } = opened()
    await entries.getOrSet('key', () => 'old', options)
    now.ms += 2000
    const fail = () => Promise.reject(new Error('down'))
    expect(await entries.getOrSet('key', fail, options)).toBe('old')
    await new Promise(resolve => setImmediate(resolve))
    expect(await entries.getOrSet('key', fail, options)).toBe('old')
    now.ms += 5000
    await expect(entries.getOrSet('key', fail, options)).rejects.toThrow('down')
  })

  test('does not return a result whose inputs have changed', async () => {
    const { entries, now } = opened()
    const read = (inputs: number) => entries.getOrSet('key', () => inputs, { ...options, inputs })
    await read(1)
    now.ms += 2000
    expect(await read(2)).toBe(2)
  })

  test('does not apply within another computation', async () => {
    const { entries, now } = opened()
    await entries.getOrSet('part', () => 'old', options)
    now.ms += 2000
    expect(await entries.getOrSet('whole', () => entries.getOrSet('part', () => 'new', options))).toBe('new')
  })

  test('limits results to the lifetime of nested results and of expiresIn', async () => {
    const { entries, now } = opened()
    const ends = async (key: string, compute: Parameters<typeof entries.getOrSet>[1]) => {
      await entries.getOrSet(key, compute, options)
      return (entries.find(key)[0]?.expiresAt ?? 0) - now.ms
    }
    expect(await ends('own', () => 1)).toBe(6000)
    const said = ({ expiresIn }: ComputeContext) => {
      expiresIn(300)
      return 1
    }
    expect(await ends('said', said)).toBe(300)
    expect(await ends('nested', () => entries.getOrSet('inner', () => 1, { ttl: 400 }))).toBe(400)
    expect(await ends('outer', () => entries.getOrSet('own', () => 1, { ttl: 500 }))).toBe(500)
  })

  test('needs a ttl and an asynchronous call', async () => {
    const { entries } = opened()
    await expect(entries.getOrSet('key', () => 1, { staleWhileRevalidate: 1 })).rejects.toThrow('needs a ttl')
    expect(errorOf(() => entries.getOrSetSync('key', () => 1, options)).code).toBe('ERR_CACHE_OPTION')
  })
})

describe('signal', () => {
  test('rejects only its own caller, and the result is still stored', async () => {
    const { entries } = opened()
    const { open, compute } = gate<string>()
    const controller = new AbortController()
    const given = entries.getOrSet('key', compute, { signal: controller.signal })
    const other = entries.getOrSet('key', compute)
    controller.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    open('value')
    expect(await other).toBe('value')
    expect(entries.get('key')).toBe('value')
  })

  test('starts no computation if already aborted', async () => {
    const { entries } = opened()
    let calls = 0
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(entries.getOrSet('key', () => ++calls, { signal })).rejects.toThrow('enough')
    expect(calls).toBe(0)
  })

  test('other callers compute themselves if the abort fails the shared computation', async () => {
    const { entries } = opened()
    const controller = new AbortController()
    const { fail, compute } = gate<string>()
    controller.signal.addEventListener('abort', () => fail(controller.signal.reason))
    const given = entries.getOrSet('key', compute, { signal: controller.signal })
    const other = entries.getOrSet('key', () => 'mine')
    controller.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    expect(await other).toBe('mine')
  })

  test('an outer computation that catches the abort is not stored', async () => {
    const { entries } = opened()
    const controller = new AbortController()
    const { compute } = gate<string>()
    const outer = entries.getOrSet('outer', () => {
      const inner = entries.getOrSet('inner', compute, { signal: controller.signal })
      return inner.catch(() => 'without')
    })
    await new Promise(resolve => setImmediate(resolve))
    controller.abort()
    expect(await outer).toBe('without')
    expect(entries.has('outer')).toBe(false)
  })

  test('must be an AbortSignal of an asynchronous call', async () => {
    const { entries } = opened()
    await expect(entries.getOrSet('key', () => 1, { signal: {} as AbortSignal })).rejects.toThrow('AbortSignal')
    const { signal } = new AbortController()
    expect(errorOf(() => entries.getOrSetSync('key', () => 1, { signal })).code).toBe('ERR_CACHE_OPTION')
  })
})
