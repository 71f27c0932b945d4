import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { SetOptions } from '../../src/index.js'
import { errorOf, openAsAnotherProcess, openIn, temporaryDirectory, temporaryRoot } from '../support/caches.js'

const START = Date.UTC(2026, 0, 1)

describe('the mode of an entry', () => {
  const source = join(import.meta.dirname, 'lifetimes.test.ts')
  test.each<[string, SetOptions | undefined, string]>([
    ['manual without options', undefined, 'manual'],
    ['manual with empty options', {}, 'manual'],
    ['ttl from a number of ms', { ttl: 3_600_000 }, 'ttl'],
    ['ttl from a duration', { ttl: '1h' }, 'ttl'],
    ['file from files', { files: [source] }, 'file'],
    ['file from a URL', { files: [pathToFileURL(source)] }, 'file'],
    ['file from files and a ttl', { ttl: '1h', files: [source] }, 'file'],
  ])('is %s', (_what, options, mode) => {
    const entries = openIn(temporaryRoot()).cache.namespace('tool')
    expect(entries.set('key', 1, options)).toBe(true)
    expect(entries.find('key')[0]?.mode).toBe(mode)
    expect(entries.get('key')).toBe(1)
  })

  test.each<[string, unknown]>([
    ['a mode', { mode: 'manual' }],
    ['a misspelled ttl', { ttlMs: 5 }],
    ['an empty list of files', { files: [] }],
    ['files given as a string', { files: 'a.js' }],
    ['an empty path', { files: [''] }],
    ['a path that is not a string', { files: [7] }],
    ['a URL that is not a file URL', { files: [new URL('https://example.org/a.js')] }],
    ['options given as a number', 5],
    ['options given as null', null],
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '5', '0s', 'soon', null, 5n].map(
      (ttl): [string, unknown] => [`a ttl of ${String(ttl)} (${typeof ttl})`, { ttl }],
    ),
  ])('is not derived from %s, and the old entry stays', (_what, options) => {
    const entries = openIn(temporaryRoot()).cache.namespace('tool')
    entries.set('key', 'old')
    const error = errorOf(() => entries.set('key', 'new', options as SetOptions))
    expect(error.code).toBe('ERR_CACHE_OPTION')
    const parts = Object.entries((options ?? {}) as object).flat(2)
    const urls = parts.flatMap(part => (part instanceof URL ? part.href : []))
    const files = (options as SetOptions | null)?.files
    expect([options, files, ...parts, ...urls].some(part => Object.is(part, error.value))).toBe(true)
    expect(entries.get('key')).toBe('old')
  })
})

describe('an entry with a ttl', () => {
  test.each<[number | string, number]>([
    [1, 1],
    [0.5, 0.5],
    [1000, 1000],
    [1e14, 1e14],
    ['250ms', 250],
    ['1.5s', 1500],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
  ])('of %s expires exactly then', (ttl, ttlMs) => {
    let now = START
    const entries = openIn(temporaryRoot(), { clock: () => now }).cache.namespace('tool')
    entries.set('key', 'value', { ttl })
    now = START + Math.ceil(ttlMs) - 1
    expect([entries.get('key'), entries.has('key')]).toEqual(['value', true])
    now = START + Math.ceil(ttlMs)
    expect([entries.get('key'), entries.has('key')]).toEqual([undefined, false])
    expect(entries.stats().missReasons).toEqual({ expired: 1 })
  })

  test('gets a new ttl when it is set again, and none when it is set without', () => {
    let now = START
    const entries = openIn(temporaryRoot(), { clock: () => now }).cache.namespace('tool')
    entries.set('key', 1, { ttl: 10 })
    now += 9
    entries.set('key', 2, { ttl: 10 })
    now += 9
    expect(entries.get('key')).toBe(2)
    entries.set('key', 3)
    now += 1e12
    expect(entries.get('key')).toBe(3)
  })

  test("expires in every process by that process's clock", () => {
    const dir = temporaryRoot()
    openIn(dir, { clock: () => START })
      .cache.namespace('tool')
      .set('key', 1, { ttl: 10 })
    const later = openAsAnotherProcess(dir, { clock: () => START + 10 })
    const earlier = openAsAnotherProcess(dir, { clock: () => START + 9 })
    expect([later.cache.namespace('tool').get('key'), earlier.cache.namespace('tool').get('key')]).toEqual([
      undefined,
      1,
    ])
  })

  test('is a miss when the clock is turned back to long before it was set', () => {
    let now = START
    const entries = openIn(temporaryRoot(), { clock: () => now }).cache.namespace('tool')
    entries.set('key', 1, { ttl: 10 })
    now = START - 3_600_000
    expect(entries.get('key')).toBe(undefined)
  })

  test('and with files ends with whichever comes first', () => {
    let now = START
    const missing = join(temporaryDirectory(), 'missing')
    const entries = openIn(temporaryRoot(), { clock: () => now }).cache.namespace('tool')
    entries.set('key', 1, { ttl: 10, files: [missing] })
    expect(entries.get('key')).toBe(1)
    now += 10
    expect(entries.get('key')).toBe(undefined)
  })

  test('can be set again after it has expired', () => {
    let now = START
    const entries = openIn(temporaryRoot(), { clock: () => now }).cache.namespace('tool')
    entries.set('key', 1, { ttl: 10 })
    now += 10
    expect(entries.delete('key')).toBe(true)
    entries.set('key', 2, { ttl: 10 })
    expect(entries.get('key')).toBe(2)
  })
})
