// The unstorage driver, used through unstorage.

import { createStorage, type Driver, prefixStorage, restoreSnapshot, snapshot } from 'unstorage'
import { describe, expect, test } from 'vitest'
import { unstorageDriver } from 'wicked-cache/unstorage'
import { newNamespace } from './support.js'

function opened() {
  const now = { ms: Date.UTC(2026, 0, 1) }
  const entries = newNamespace('storage', { clock: () => now.ms })
  const driver: Driver = unstorageDriver(entries)
  return { now, entries, driver, storage: createStorage({ driver }) }
}

describe('items', () => {
  test('are null if never set', async () => {
    const { storage } = opened()
    expect([await storage.hasItem('a:b'), await storage.getItem('a:b'), await storage.getItemRaw('a:b')]).toEqual([
      false,
      null,
      null,
    ])
    expect(await storage.getKeys()).toEqual([])
    expect(await storage.getItems(['a:b', 'c'])).toEqual([
      { key: 'a:b', value: null },
      { key: 'c', value: null },
    ])
  })

  test.each([
    ['a text', 'text'],
    ['an empty text', ''],
    ['0', 0],
    ['false', false],
    ['an object', { a: [1, { b: null }] }],
    ['what toJSON gives', { toJSON: () => ({ c: 1 }) }, { c: 1 }],
  ] as [string, unknown, unknown?][])('are returned as they were set: %s', async (_, value, expected = value) => {
    const { storage } = opened()
    await storage.setItem('data:key.json', value as never)
    expect(await storage.getItem('data:key.json')).toEqual(expected)
    expect(await storage.hasItem('data/key.json')).toBe(true)
  })

  test('that unstorage cannot stringify are rejected', async () => {
    class Unknown {}
    const { storage } = opened()
    await expect(storage.setItem('key', new Unknown() as never)).rejects.toThrow('Cannot stringify')
    expect(await storage.hasItem('key')).toBe(false)
  })

  test('can be set and read in batches, in order', async () => {
    const { storage } = opened()
    await storage.setItems([1, 2, 3].map(each => ({ key: `t:${each}`, value: `value ${each}` })))
    expect(await storage.getItems(['t:3', { key: 't:1' }, 't:none'])).toEqual([
      { key: 't:3', value: 'value 3' },
      { key: 't:1', value: 'value 1' },
      { key: 't:none', value: null },
    ])
  })

  test('are gone once removed, with their metadata', async () => {
    const { storage } = opened()
    await storage.setItem('key', 'value')
    await storage.setMeta('key', { of: 'mine' })
    await storage.removeItem('key', { removeMeta: true })
    expect([await storage.hasItem('key'), await storage.getKeys(), await storage.getMeta('key')]).toEqual([
      false,
      [],
      {},
    ])
  })
})

describe('raw items', () => {
  test.each([
    ['bytes', new Uint8Array([0, 1, 254, 255])],
    ['a value that JSON cannot express', new Map([[1, new Date(5)]])],
  ])('are returned as they were set: %s', async (_, value) => {
    const { storage } = opened()
    await storage.setItemRaw('data:raw.bin', value)
    expect(await storage.getItemRaw('data:raw.bin')).toEqual(value)
  })

  test('that cannot be stored are rejected', async () => {
    const { storage } = opened()
    await expect(storage.setItemRaw('key', () => 1)).rejects.toThrow('function')
  })

  test('are removed by undefined', async () => {
    const { storage } = opened()
    await storage.setItemRaw('key', new Uint8Array(1))
    await storage.setItemRaw('key', undefined)
    expect(await storage.hasItem('key')).toBe(false)
  })
})

describe('keys', () => {
  const filled = async () => {
    const { storage, ...rest } = opened()
    for (const key of ['top', 'a:one', 'a:b:two', 'ab:three']) await storage.setItem(key, key)
    return { storage, ...rest }
  }

  test('can be listed, all or below a base', async () => {
    const { storage } = await filled()
    expect((await storage.getKeys()).sort()).toEqual(['a:b:two', 'a:one', 'ab:three', 'top'])
    expect((await storage.getKeys('a')).sort()).toEqual(['a:b:two', 'a:one'])
    expect(await storage.getKeys('none')).toEqual([])
  })

  test('can be listed to a depth', async () => {
    const { storage } = await filled()
    expect(await storage.getKeys(undefined, { maxDepth: 0 })).toEqual(['top'])
    expect((await storage.getKeys(undefined, { maxDepth: 1 })).sort()).toEqual(['a:one', 'ab:three', 'top'])
  })

  test('can be cleared, all or below a base, repeatedly', async () => {
    const { storage, driver } = await filled()
    await driver.clear?.('a:', {})
    expect((await storage.getKeys()).sort()).toEqual(['ab:three', 'top'])
    await storage.clear()
    await storage.clear()
    expect(await storage.getKeys()).toEqual([])
  })

  test('stay within their mount', async () => {
    const { storage, driver } = await filled()
    const mounted = createStorage()
    mounted.mount('cache', driver)
    await prefixStorage(mounted, 'cache:a').setItem('four', 4)
    expect(await storage.getItem('a:four')).toBe(4)
    expect((await mounted.getKeys('cache:a')).sort()).toEqual(['cache:a:b:two', 'cache:a:four', 'cache:a:one'])
    await mounted.clear('cache')
    expect(await storage.getKeys()).toEqual([])
  })
})

test('an item lives for its ttl in seconds', async () => {
  const { storage, now } = opened()
  await storage.setItem('short', 1, { ttl: 10 })
  await storage.setItems([{ key: 'many', value: '2' }], { ttl: 10 })
  await storage.setItem('long', 3)
  now.ms += 9_000
  expect(await storage.getItem('short')).toBe(1)
  now.ms += 2_000
  expect([await storage.hasItem('short'), await storage.getItem('many'), await storage.getItem('long')]).toEqual([
    false,
    null,
    3,
  ])
})

test('metadata have time, size and remaining ttl, and do not count as reads', async () => {
  const { storage, now, entries } = opened()
  await storage.setItem('key', 'value', { ttl: 60 })
  const set = new Date(now.ms)
  now.ms += 20_000
  expect(await storage.getMeta('key')).toEqual({ mtime: set, size: expect.any(Number), ttl: 40 })
  expect(await storage.getMeta('none')).toEqual({})
  await storage.setItem('forever', 'value')
  expect(await storage.getMeta('forever')).not.toHaveProperty('ttl')
  expect(entries.stats().hitCount).toBe(0)
})

test('a snapshot can be taken and restored', async () => {
  const { storage } = opened()
  await restoreSnapshot(storage, { 'a:b': 'one', c: 'two' })
  expect(await snapshot(storage, '')).toEqual({ 'a:b': 'one', c: 'two' })
})
