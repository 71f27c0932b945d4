// The modes of a cache, set by an option or by the environment.

import { existsSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type CacheMode, defaultCache, namespaceSync } from '../../src/index.js'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'

afterEach(() => vi.unstubAllEnvs())

/** A cache with one entry that was computed a minute ago, and how to open it in another mode, told either way. */
function filled() {
  const dir = temporaryRoot()
  const clock = { nowMs: 1_800_000_000_000 }
  const open = (how: 'option' | 'environment', mode: CacheMode) => {
    if (how === 'environment') vi.stubEnv('WICKED_CACHE', mode)
    const opened = openAsAnotherProcess(dir, {
      clock: () => clock.nowMs,
      ...(how === 'option' ? { mode } : {}),
    })
    vi.unstubAllEnvs()
    return { ...opened, entries: opened.cache.namespace('tool') }
  }
  open('option', 'readwrite').entries.getOrSetSync('key', () => 'old')
  clock.nowMs += 60_000
  return { dir, open }
}

describe.each(['option', 'environment'] as const)('by %s', how => {
  test('off: everything is computed, nothing is read or stored', async () => {
    const { open } = filled()
    const { cache, entries, warnings } = open(how, 'off')
    for (const value of [1, 2]) {
      expect(entries.getOrSetSync('key', () => value)).toBe(value)
      expect(await entries.getOrSet('other', () => value)).toBe(value)
      expect(entries.analyzeSync('text', { path: 'a', source: 'a' }, () => value)).toBe(value)
    }
    expect([entries.get('key'), entries.has('key'), entries.set('key', 1)]).toEqual([undefined, false, false])
    expect([cache.mode, warnings]).toEqual(['off', []])
    expect(open('option', 'readwrite').entries.get('key')).toBe('old')
  })

  test('off: the directory is not created', () => {
    const dir = temporaryRoot()
    if (how === 'environment') vi.stubEnv('WICKED_CACHE', 'off')
    const { cache } = openAsAnotherProcess(dir, how === 'option' ? { mode: 'off' } : {})
    expect(cache.namespace('tool').getOrSetSync('key', () => 1)).toBe(1)
    expect(existsSync(dir)).toBe(false)
  })

  test('readonly: stored values are found, computed ones are not stored', () => {
    const { open } = filled()
    const { entries } = open(how, 'readonly')
    expect(entries.getOrSetSync('key', () => 'new')).toBe('old')
    expect(entries.getOrSetSync('other', () => 'new')).toBe('new')
    expect(open('option', 'readwrite').entries.get('other')).toBe(undefined)
  })

  test('refresh: values stored before are computed once more', () => {
    const { open } = filled()
    const { entries } = open(how, 'refresh')
    expect([entries.get('key'), entries.explain('key')]).toMatchObject([undefined, { isHit: false, reason: 'refresh' }])
    expect(entries.getOrSetSync('key', () => 'new')).toBe('new')
    expect(entries.getOrSetSync('key', () => expect.fail('computed again'))).toBe('new')
    expect(open('option', 'readwrite').entries.get('key')).toBe('new')
  })
})

test('the more restrictive of option and environment applies', () => {
  const { dir } = filled()
  vi.stubEnv('WICKED_CACHE', 'readonly')
  const modes: CacheMode[] = ['off', 'readonly', 'refresh', 'readwrite']
  const found = modes.map(mode => openAsAnotherProcess(dir, { mode }).cache.mode)
  expect(found).toEqual(['off', 'readonly', 'readonly', 'readonly'])
})

test('an unknown mode throws as an option and warns in the environment', () => {
  const { dir } = filled()
  expect(() => openAsAnotherProcess(dir, { mode: 'fast' as CacheMode })).toThrow(
    expect.objectContaining({ code: 'ERR_CACHE_OPTION' }),
  )
  vi.stubEnv('WICKED_CACHE', 'fast')
  const { cache, warnings } = openAsAnotherProcess(dir)
  expect([cache.mode, warnings.map(({ code }) => code)]).toEqual(['readwrite', ['ERR_CACHE_CONFIG']])
})

test('a value that validate rejects is a miss for gets and computations', async () => {
  const dir = temporaryRoot()
  const open = () => openAsAnotherProcess(dir).cache.namespace('tool', { validate: value => typeof value === 'number' })
  const entries = openAsAnotherProcess(dir).cache.namespace('tool')
  entries.set('set', 'text')
  entries.getOrSetSync('computed', () => 'text')
  const strict = open()
  expect([strict.get('set'), strict.has('set'), strict.get('computed')]).toEqual([undefined, false, undefined])
  expect(strict.explain('set')).toMatchObject({ isHit: false, reason: 'invalid' })
  expect(strict.stats().missReasons.invalid).toBe(2)
  expect(strict.getOrSetSync('computed', () => 1)).toBe(1)
  expect(await strict.getOrSet('set', () => 2)).toBe(2)
  expect([open().get('computed'), open().get('set')]).toEqual([1, 2])
})

test('a validate that throws is a miss with a warning', () => {
  const dir = temporaryRoot()
  openAsAnotherProcess(dir).cache.namespace('tool').set('key', 1)
  const { cache, warnings } = openAsAnotherProcess(dir)
  const validate = () => {
    throw new Error('No such schema.')
  }
  expect(cache.namespace('tool', { validate }).get('key')).toBe(undefined)
  expect(warnings).toMatchObject([
    { code: 'ERR_CACHE_OPTION', message: expect.stringMatching(/validate threw.*schema/) },
  ])
})

test('the default cache stays open after close', async () => {
  vi.stubEnv('WICKED_CACHE_DIR', temporaryRoot())
  const entries = namespaceSync('stays')
  defaultCache().close()
  await defaultCache()[Symbol.asyncDispose]()
  expect([entries.set('key', 1), entries.get('key'), namespaceSync('stays').get('key')]).toEqual([true, 1, 1])
})

test('a cache is closed at the end of its using scope', async () => {
  const dir = temporaryRoot()
  const closed = [openAsAnotherProcess(dir).cache, openAsAnotherProcess(dir).cache] as const
  const entries = closed.map(cache => cache.namespace('tool'))
  closed[0][Symbol.dispose]()
  await closed[1][Symbol.asyncDispose]()
  for (const each of entries)
    expect(() => each.get('key')).toThrow(expect.objectContaining({ code: 'ERR_CACHE_CLOSED' }))
})

test('namespaceSync uses the default cache too', () => {
  vi.stubEnv('WICKED_CACHE_DIR', temporaryRoot())
  expect(namespaceSync('tool').set('key', 1)).toBe(true)
  expect(defaultCache().namespace('tool').get('key')).toBe(1)
})
