// Names and keys come from file paths, URLs and users: each works, or is rejected before anything is written.

import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorOf, filesBelow, openIn, temporaryDirectory, temporaryRoot } from '../support/caches.js'

const AWKWARD = [
  '..',
  '.',
  'a/b',
  '../../escape',
  '/absolute',
  'C:\\x',
  'CON',
  'con',
  'nul.txt',
  'COM1',
  'with\0nul',
  ' ',
  'a ',
  'a.',
  '.hidden',
  '%2e',
  '__proto__',
  'constructor',
  'ä',
  'a\u0308',
  '日本語',
  '🙂',
  'line\nbreak',
  '*?<>|":',
]
const LONG = 'x'.repeat(10 * 1024)
const NOT_A_NAME: [string, unknown][] = [
  ['an empty string', ''],
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['a symbol', Symbol('name')],
  ['an array', ['a']],
  ['an object with a toString', { toString: () => 'name' }],
  ['a String object', Object('name')],
  ['a string with a lone high surrogate', 'a\ud800'],
  ['a string with a lone low surrogate', '\udc00b'],
]

describe('a key', () => {
  test.each(AWKWARD)('%j holds its own value', key => {
    const dir = temporaryRoot()
    const keys = openIn(dir).cache.namespace('keys')
    for (const each of AWKWARD) keys.set(each, { each })
    expect(keys.get(key)).toEqual({ each: key })
    expect(keys.find(key).map(entry => entry.key)).toEqual([key])
    expect(keys.delete(key)).toBe(true)
    expect([...keys.keys()].sort()).toEqual(AWKWARD.filter(each => each !== key).sort())
  })

  test('of 10 KB works and differs from one with another last character', () => {
    const keys = openIn(temporaryRoot()).cache.namespace('keys')
    expect(keys.set(`${LONG}1`, 1)).toBe(true)
    expect(keys.set(`${LONG}2`, 2)).toBe(true)
    expect([keys.get(`${LONG}1`), keys.get(`${LONG}2`), keys.get(`${LONG}3`)]).toEqual([1, 2, undefined])
  })

  test('over the limit is rejected with the limit in the message', () => {
    const keys = openIn(temporaryRoot()).cache.namespace('keys')
    const tooLong = 'é'.repeat(8 * 1024 + 1)
    expect(errorOf(() => keys.set(tooLong, 1))).toMatchObject({ code: 'ERR_CACHE_KEY', value: tooLong })
    expect(errorOf(() => keys.set(tooLong, 1)).message).toMatch(/16384 bytes/)
    expect(keys.set('é'.repeat(8 * 1024), 1)).toBe(true)
  })

  test.each(NOT_A_NAME)('that is %s is rejected by every operation, with the key on the error', (_what, bad) => {
    const dir = temporaryRoot()
    const keys = openIn(dir).cache.namespace('keys')
    const key = bad as string
    const calls = [
      () => keys.set(key, 1),
      () => keys.get(key),
      () => keys.has(key),
      () => keys.delete(key),
      () => keys.invalidate(key),
      () => keys.find(key),
      () => keys.getMany(['fine', key]),
      () =>
        keys.setMany([
          { key: 'fine', value: 1 },
          { key, value: 2 },
        ]),
    ]
    for (const call of calls) expect(errorOf(call)).toMatchObject({ code: 'ERR_CACHE_KEY', value: bad })
    expect(existsSync(dir)).toBe(false)
  })

  test('that differs only by case or Unicode normalization is another key', () => {
    const keys = openIn(temporaryRoot()).cache.namespace('keys')
    for (const key of ['key', 'KEY', 'é', 'e\u0301']) keys.set(key, key)
    expect(keys.getMany(['key', 'KEY', 'é', 'e\u0301', 'Key'])).toEqual(['key', 'KEY', 'é', 'e\u0301', undefined])
  })
})

describe('a namespace name', () => {
  test.each(AWKWARD)('%j is its own namespace inside the root', name => {
    const outside = temporaryDirectory()
    const dir = join(outside, 'deep', 'cache')
    const { cache } = openIn(dir)
    for (const each of AWKWARD) cache.namespace(each).set('key', { each })
    expect(cache.namespace(name).get('key')).toEqual({ each: name })
    expect(cache.namespace(name).clear()).toBe(1)
    expect(cache.namespaces()).toEqual([...AWKWARD].sort())
    expect(cache.stats().entryCount).toBe(AWKWARD.length - 1)
    expect([readdirSync(outside), readdirSync(dirname(dir))]).toEqual([['deep'], ['cache']])
  })

  test('becomes a directory name that is valid and distinct on every file system', () => {
    const dir = temporaryRoot()
    const { cache } = openIn(dir)
    for (const name of [...AWKWARD, 'same', 'Same', 'SAME']) cache.namespace(name).set('key', name)
    const paths = filesBelow(dir).map(path => path.split(/[\\/]/))
    for (const part of paths.flat()) {
      if (part === 'CACHEDIR.TAG') continue
      expect(part).toMatch(/^[a-z0-9_.%-]+$/)
      expect(part).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|^\.|\.$/)
    }
  })

  test('that differs only by case is another namespace', () => {
    const dir = temporaryRoot()
    const { cache } = openIn(dir)
    cache.namespace('Tool').set('key', 'upper')
    cache.namespace('tool').set('key', 'lower')
    expect(cache.namespace('Tool').get('key')).toBe('upper')
    expect(cache.namespace('tool').get('key')).toBe('lower')
    expect(cache.namespace('TOOL').get('key')).toBe(undefined)
    const directories = readdirSync(join(dir, 'v2', 'namespaces')).map(name => name.toLowerCase())
    expect(new Set(directories).size).toBe(directories.length)
  })

  test.each(NOT_A_NAME)('that is %s is rejected', (_what, bad) => {
    const { cache } = openIn(temporaryRoot())
    expect(errorOf(() => cache.namespace(bad as string))).toMatchObject({ code: 'ERR_CACHE_NAMESPACE', value: bad })
  })

  test('of 10 KB is rejected with the limit in the message', () => {
    const { cache } = openIn(temporaryRoot())
    const error = errorOf(() => cache.namespace(LONG))
    expect(error).toMatchObject({ code: 'ERR_CACHE_NAMESPACE', value: LONG })
    expect(error.message).toMatch(/\d+ bytes/)
  })
})

describe("a namespace's version", () => {
  test('is part of every key', () => {
    const { cache } = openIn(temporaryRoot())
    const one = cache.namespace('tool', { version: '1' })
    const two = cache.namespace('tool', { version: '2' })
    one.set('key', 'one')
    expect([two.get('key'), two.has('key'), two.delete('key'), [...two.keys()]]).toEqual([undefined, false, false, []])
    two.set('key', 'two')
    expect([one.get('key'), two.get('key')]).toEqual(['one', 'two'])
    expect(one.delete('key')).toBe(true)
    expect(two.get('key')).toBe('two')
  })

  test("never mixes with the key: ('a', 'bc') differs from ('ab', 'c')", () => {
    const { cache } = openIn(temporaryRoot())
    const pairs = [
      ['', 'ab'],
      ['a', 'b'],
      ['ab', 'c'],
      ['a', 'bc'],
      ['\u0001', 'b'],
    ] as const
    for (const [version, key] of pairs) cache.namespace('tool', { version }).set(key, [version, key])
    for (const [version, key] of pairs) expect(cache.namespace('tool', { version }).get(key)).toEqual([version, key])
  })

  test.each([
    ['a number', 2],
    ['null', null],
    ['a string with a lone surrogate', '1.0\ud800'],
    ['a string of 256 bytes', 'v'.repeat(256)],
  ])('that is %s is rejected', (_what, version) => {
    const { cache } = openIn(temporaryRoot())
    const error = errorOf(() => cache.namespace('tool', { version: version as string }))
    expect(error).toMatchObject({ code: 'ERR_CACHE_OPTION', value: version })
  })

  test.each(['v'.repeat(255), '1.0\0', 'é'])('of %j works', version => {
    const tool = openIn(temporaryRoot()).cache.namespace('tool', { version })
    tool.set('key', 1)
    expect([...tool.entries()]).toMatchObject([{ key: 'key', version }])
  })
})
