import { describe, expect, test } from 'vitest'
import { errorOf, openAsAnotherProcess, openIn, temporaryRoot } from '../support/caches.js'

const START = Date.UTC(2026, 0, 1)

function tool(options = {}) {
  return openIn(temporaryRoot()).cache.namespace('tool', options)
}

describe('set and get', () => {
  test('return the value that was set last, as a new copy', () => {
    const entries = tool()
    const value = { list: [1, { deep: 'x' }], text: 'ä' }
    expect(entries.set('key', value)).toBe(true)
    const first = entries.get('key')
    expect(first).toEqual(value)
    expect(first).not.toBe(entries.get('key'))
    value.list.push(2)
    expect(entries.get('key')).toEqual({ list: [1, { deep: 'x' }], text: 'ä' })
    expect(entries.set('key', 'second')).toBe(true)
    expect(entries.get('key')).toBe('second')
  })

  test.each([[null], [false], [0], [''], [[]], [{}]])('distinguish a stored %j from a miss', value => {
    const entries = tool()
    entries.set('key', value)
    expect(entries.get('key')).toEqual(value)
    expect(entries.has('key')).toBe(true)
    expect(entries.get('other')).toBe(undefined)
  })

  test('keep values when the cache is closed and reopened', () => {
    const dir = temporaryRoot()
    const first = openIn(dir)
    first.cache.namespace('tool').set('key', { a: 1 })
    first.cache.close()
    expect(openIn(dir).cache.namespace('tool').get('key')).toEqual({ a: 1 })
  })

  test('keep a value of many megabytes, and an empty buffer', () => {
    const entries = tool()
    const large = Buffer.alloc(9 * 1024 * 1024, 'pattern')
    expect(entries.set('large', large)).toBe(true)
    expect(entries.set('empty', Buffer.alloc(0))).toBe(true)
    expect(large.equals(entries.get<Buffer>('large') as Buffer)).toBe(true)
    expect(entries.get('empty')).toEqual(Buffer.alloc(0))
  })

  test('return a buffer that later operations do not change', () => {
    const entries = tool()
    entries.set('a', Buffer.from('aaaa'))
    entries.set('b', Buffer.from('bbbb'))
    const a = entries.get<Buffer>('a')
    entries.get('b')
    entries.set('c', Buffer.from('cccc'))
    expect(a?.toString()).toBe('aaaa')
  })
})

describe('has', () => {
  test('follows set and delete and counts nothing', () => {
    const entries = tool()
    expect(entries.has('key')).toBe(false)
    entries.set('key', 1)
    expect(entries.has('key')).toBe(true)
    entries.delete('key')
    expect(entries.has('key')).toBe(false)
    expect(entries.stats()).toMatchObject({ hitCount: 0, missCount: 0 })
  })
})

describe('delete and invalidate', () => {
  test.each(['delete', 'invalidate'] as const)('%s removes one entry and returns whether there was one', name => {
    const entries = tool()
    entries.set('key', 1)
    entries.set('neighbour', 2)
    expect(entries[name]('key')).toBe(true)
    expect(entries[name]('key')).toBe(false)
    expect(entries[name]('never')).toBe(false)
    expect(entries.getMany(['key', 'neighbour'])).toEqual([undefined, 2])
    expect(entries.set('key', 3)).toBe(true)
    expect(entries.get('key')).toBe(3)
  })

  test('give the next miss different reasons', () => {
    const entries = tool()
    for (const key of ['deleted', 'invalidated']) entries.set(key, 1)
    entries.delete('deleted')
    entries.invalidate('invalidated')
    entries.getMany(['deleted', 'invalidated', 'never'])
    expect(entries.stats().missReasons).toEqual({ deleted: 1, invalidated: 1, 'never-set': 1 })
  })
})

describe('clear', () => {
  test('removes the entries of all versions of one namespace and returns their number', () => {
    const { cache } = openIn(temporaryRoot())
    cache.namespace('tool', { version: '1' }).set('a', 1)
    cache.namespace('tool', { version: '2' }).setMany([
      { key: 'a', value: 2 },
      { key: 'b', value: 3 },
    ])
    cache.namespace('other').set('a', 4)
    expect(cache.namespace('tool').clear()).toBe(3)
    expect(cache.namespace('tool').clear()).toBe(0)
    expect(cache.namespace('tool', { version: '2' }).get('b')).toBe(undefined)
    expect(cache.namespace('other').get('a')).toBe(4)
  })

  test('returns 0 for a namespace that was never written', () => {
    expect(tool().clear()).toBe(0)
  })

  test('returns the right number when the namespace has split into many files', () => {
    const entries = tool()
    const many = Array.from({ length: 3000 }, (_, index) => ({ key: `key ${index}`, value: index }))
    expect(entries.setMany(many)).toBe(3000)
    entries.delete('key 7')
    expect(entries.clear()).toBe(2999)
    expect([...entries.keys()]).toEqual([])
    expect(entries.set('key 8', 'again')).toBe(true)
    expect([...entries.keys()]).toEqual(['key 8'])
  })
})

describe('getMany', () => {
  test('returns values in the order of the keys, including repeated ones', () => {
    const entries = tool()
    entries.set('a', 1)
    entries.set('b', 2)
    expect(entries.getMany(['b', 'missing', 'a', 'b'])).toEqual([2, undefined, 1, 2])
    expect(entries.getMany([])).toEqual([])
  })
})

describe('setMany', () => {
  test('accepts any iterable, with options per entry', () => {
    let now = START
    const entries = openIn(temporaryRoot(), { clock: () => now }).cache.namespace('tool')
    function* made() {
      yield { key: 'a', value: 1 }
      yield { key: 'b', value: 2, ttl: 10 }
    }
    expect(entries.setMany(made())).toBe(2)
    now += 10
    expect(entries.getMany(['a', 'b'])).toEqual([1, undefined])
    expect(entries.setMany([])).toBe(0)
  })

  test('keeps the last of two entries with one key', () => {
    const entries = tool()
    entries.setMany([
      { key: 'a', value: 1 },
      { key: 'a', value: 2 },
    ])
    expect(entries.get('a')).toBe(2)
    expect([...entries.keys()]).toEqual(['a'])
  })

  test('stores thousands of entries that another process finds', () => {
    const dir = temporaryRoot()
    const many = Array.from({ length: 4000 }, (_, index) => ({ key: `src/file-${index}.ts`, value: { index } }))
    expect(openIn(dir).cache.namespace('tool').setMany(many)).toBe(4000)
    const other = openAsAnotherProcess(dir).cache.namespace('tool')
    for (const { key, value } of many) expect(other.get(key)).toEqual(value)
    expect([...other.keys()].sort()).toEqual(many.map(({ key }) => key).sort())
  })

  test.each<[string, object, string]>([
    ['a bad key', { key: '', value: 1 }, 'ERR_CACHE_KEY'],
    ['a value that cannot be stored', { key: 'bad', value: { a: () => 1 } }, 'ERR_CACHE_VALUE'],
    ['no value', { key: 'bad' }, 'ERR_CACHE_VALUE'],
    ['a bad ttl', { key: 'bad', value: 1, ttl: 0 }, 'ERR_CACHE_OPTION'],
    ['an unknown option', { key: 'bad', value: 1, mode: 'forever' }, 'ERR_CACHE_OPTION'],
    ['an invalid file path', { key: 'bad', value: 1, files: [5] }, 'ERR_CACHE_OPTION'],
  ])('stores nothing if one entry has %s', (_what, bad, code) => {
    const entries = tool()
    entries.set('old', 'kept')
    const attempt = () =>
      entries.setMany([{ key: 'first', value: 1 }, { key: 'old', value: 2 }, bad as never, { key: 'last', value: 3 }])
    expect(errorOf(attempt).code).toBe(code)
    expect(entries.getMany(['first', 'old', 'last'])).toEqual([undefined, 'kept', undefined])
    expect(entries.stats()).toMatchObject({ entryCount: 1, setCount: 1 })
  })

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a number', 5],
    ['a list with null', [null]],
    ['a list with a string', ['key']],
  ])('throws an option or key error for %s instead of entries', (_what, bad) => {
    const entries = tool()
    expect(errorOf(() => entries.setMany(bad as never)).code).toMatch(/^ERR_CACHE_(OPTION|KEY)$/)
  })
})

describe('keys, entries and find', () => {
  test('list the entries of one version or of all', () => {
    let now = START
    const { cache } = openIn(temporaryRoot(), { clock: () => now })
    const one = cache.namespace('tool', { version: '1' })
    const two = cache.namespace('tool', { version: '2' })
    one.set('a', 'value of a')
    now += 1000
    one.set('b', [1, 2], { ttl: 500 })
    two.set('a', 3)
    now += 100
    expect([...one.keys()].sort()).toEqual(['a', 'b'])
    expect([...two.keys()]).toEqual(['a'])
    const listed = [...one.entries()].sort((x, y) => x.key.localeCompare(y.key))
    expect(listed).toEqual([
      {
        key: 'a',
        origin: 'set',
        version: '1',
        project: process.cwd(),
        isPortable: false,
        mode: 'manual',
        valid: true,
        sizeBytes: expect.any(Number),
        createdAt: START,
        ageMs: 1100,
        files: [],
        computeMs: null,
        digest: expect.stringMatching(/^[0-9a-f]{32}-\d+$/),
      },
      {
        key: 'b',
        origin: 'set',
        version: '1',
        project: process.cwd(),
        isPortable: false,
        mode: 'ttl',
        valid: true,
        sizeBytes: expect.any(Number),
        createdAt: START + 1000,
        ageMs: 100,
        expiresAt: START + 1500,
        files: [],
        computeMs: null,
        digest: expect.stringMatching(/^[0-9a-f]{32}-\d+$/),
      },
    ])
    const all = [...two.entries({ allVersions: true })].map(({ version, key }) => `${version} ${key}`)
    expect(all.sort()).toEqual(['1 a', '1 b', '2 a'])
    expect(
      two
        .find('a')
        .map(({ version }) => version)
        .sort(),
    ).toEqual(['1', '2'])
    expect(two.find('nothing')).toEqual([])
  })

  test('include expired entries, marked as not valid', () => {
    let now = START
    const entries = openIn(temporaryRoot(), { clock: () => now }).cache.namespace('tool')
    entries.set('key', 1, { ttl: 5 })
    now += 5
    expect([...entries.entries()]).toMatchObject([{ key: 'key', valid: false }])
    expect([...entries.keys()]).toEqual(['key'])
  })

  test('give equal values the same digest and different values different digests', () => {
    const { cache } = openIn(temporaryRoot())
    cache.namespace('a').set('x', { same: true })
    cache.namespace('b').set('y', { same: true })
    cache.namespace('b').set('z', { same: false })
    const digestOf = (name: string, key: string) => cache.namespace(name).find(key)[0]?.digest
    expect(digestOf('a', 'x')).toBe(digestOf('b', 'y'))
    expect(digestOf('b', 'z')).not.toBe(digestOf('b', 'y'))
  })

  test('allow an early exit and changes to entries while iterating', () => {
    const entries = tool()
    for (let index = 0; index < 50; index++) entries.set(`key ${index}`, index)
    let seen = 0
    for (const key of entries.keys()) {
      expect(entries.delete(key)).toBe(true)
      entries.set(`new ${key}`, 1)
      if (++seen === 10) break
    }
    expect([...entries.keys()].length).toBe(50)
    expect([...entries.keys()].filter(key => key.startsWith('new')).length).toBe(10)
  })
})
