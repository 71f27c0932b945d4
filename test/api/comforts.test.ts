// Calls for many keys at once or by prefix, and peek, which counts nothing.

import { describe, expect, test } from 'vitest'
import { errorOf, openAsAnotherProcess, openIn, temporaryRoot } from '../support/caches.js'
import { Tree } from '../support/projects.js'

function opened(now = { ms: Date.UTC(2026, 0, 1) }) {
  const dir = temporaryRoot()
  const { cache, warnings } = openIn(dir, { clock: () => now.ms })
  return { dir, now, cache, warnings, entries: cache.namespace('tool', { project: false }) }
}

describe('peek', () => {
  test('returns what get returns, and undefined for a miss', () => {
    const { entries, now } = opened()
    entries.set('key', { a: [1] })
    entries.set('short', 1, { ttl: 1000 })
    expect([entries.peek('key'), entries.peek('key'), entries.peek('short'), entries.peek('none')]).toEqual([
      { a: [1] },
      { a: [1] },
      1,
      undefined,
    ])
    now.ms += 2000
    expect([entries.peek('short'), entries.peek('key')]).toEqual([undefined, { a: [1] }])
    entries.set('key', 2)
    expect(entries.peek('key')).toBe(2)
    entries.delete('key')
    expect(entries.peek('key')).toBeUndefined()
  })

  test('counts nothing', () => {
    const { entries } = opened()
    entries.set('key', 1)
    entries.peek('key')
    entries.peek('none')
    expect(entries.stats()).toMatchObject({ hitCount: 0, missCount: 0, missReasons: {} })
  })

  test('does not renew the last use of an entry as get does', async () => {
    const { entries, now, cache } = opened()
    entries.set('peeked', 1)
    entries.set('got', 2)
    now.ms += 100 * 86_400_000
    entries.peek('peeked')
    entries.get('got')
    await cache.gc({ maxAge: '30d' })
    expect([...entries.keys()]).toEqual(['got'])
  })

  test('keeps the result of a computation that calls it from being stored', () => {
    const { entries } = opened()
    entries.set('part', 1)
    expect(entries.getOrSetSync('whole', () => entries.peek<number>('part'))).toBe(1)
    entries.set('part', 2)
    expect(entries.getOrSetSync('whole', () => entries.peek<number>('part'))).toBe(2)
  })

  test('sees what another process sets', () => {
    const { entries, dir } = opened()
    entries.set('key', 1)
    expect(entries.peek('key')).toBe(1)
    const { cache } = openAsAnotherProcess(dir)
    cache.namespace('tool', { project: false }).set('key', 2)
    cache.close()
    expect(entries.peek('key')).toBe(2)
  })
})

describe('deleteMany', () => {
  test('removes the keys and returns how many had an entry', () => {
    const { entries } = opened()
    for (const key of ['a', 'b', 'c']) entries.set(key, key)
    expect(entries.deleteMany(['a', 'b', 'a', 'none'])).toBe(2)
    expect([...entries.keys()]).toEqual(['c'])
    expect(entries.explain('a').reason).toBe('deleted')
    expect(entries.deleteMany([])).toBe(0)
  })

  test('removes portable results too', () => {
    const tree = new Tree({ 'package.json': '{}', 'x.js': 'x' })
    const entries = tree.opened().cache.namespace('tool', { project: tree.at('.'), portable: true })
    entries.getOrSetSync('key', ({ readFile }) => readFile(tree.at('x.js')))
    expect(entries.deleteMany(['key'])).toBe(1)
    expect(entries.get('key')).toBeUndefined()
  })

  test('removes nothing if one of the keys is invalid', () => {
    const { entries } = opened()
    entries.set('a', 1)
    expect(errorOf(() => entries.deleteMany(['a', ''])).code).toBe('ERR_CACHE_KEY')
    expect(errorOf(() => entries.deleteMany('a' as never)).code).toBe('ERR_CACHE_OPTION')
    expect(entries.get('a')).toBe(1)
  })
})

describe('a prefix', () => {
  const filled = () => {
    const { entries, ...rest } = opened()
    for (const key of ['user:1:name', 'user:1:age', 'user:10:name', 'other']) entries.set(key, key)
    const wrapped = entries.wrapSync('user:1:', (text: string) => text)
    wrapped('x')
    return { entries, wrapped, ...rest }
  }

  test('limits keys and entries', () => {
    const { entries } = filled()
    expect([...entries.keys({ prefix: 'user:1:' })].sort()).toEqual(['user:1:age', 'user:1:name'])
    expect([...entries.entries({ prefix: 'user:' })].map(({ key }) => key).sort()).toEqual([
      'user:10:name',
      'user:1:age',
      'user:1:name',
    ])
    expect([...entries.keys({ prefix: 'none' })]).toEqual([])
  })

  test('limits clear, in one project or in all', () => {
    const { entries, cache } = filled()
    const elsewhere = cache.namespace('tool', { project: '/elsewhere' })
    elsewhere.set('user:1:name', 1)
    expect(entries.clear({ prefix: 'user:1:' })).toBe(2)
    expect([...entries.keys()].sort()).toEqual(['other', 'user:10:name'])
    expect(elsewhere.get('user:1:name')).toBe(1)
    expect(entries.clear({ prefix: 'user:', allProjects: true })).toBe(2)
    expect(elsewhere.get('user:1:name')).toBeUndefined()
    expect(entries.get('other')).toBe('other')
  })

  test('does not match the results of wrapped functions', () => {
    const { entries } = filled()
    entries.clear({ prefix: 'user:1:' })
    expect([...entries.entries()].filter(({ origin }) => origin === 'wrap')).toHaveLength(1)
  })

  test('must be a string', () => {
    const { entries } = filled()
    expect(errorOf(() => [...entries.keys({ prefix: 1 as never })]).code).toBe('ERR_CACHE_OPTION')
    expect(errorOf(() => entries.clear({ prefix: /x/ as never })).code).toBe('ERR_CACHE_OPTION')
    expect([...entries.keys()]).toHaveLength(4)
  })
})
