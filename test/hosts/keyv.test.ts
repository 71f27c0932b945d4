// The Keyv store with Keyv 5 and 6, and with the caches that are built on Keyv.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import { createCache } from 'cache-manager'
import { Cacheable } from 'cacheable'
import got from 'got'
import Keyv5 from 'keyv'
import Keyv6 from 'keyv-6'
import * as vitest from 'vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KeyvStore } from 'wicked-cache/keyv'
import { newNamespace } from './support.js'

describe("Keyv's own suite, Keyv 5", () => {
  const namespace = newNamespace('suite')
  const store = () => new KeyvStore(namespace)
  keyvTestSuite(vitest, Keyv5, store)
  keyvIteratorTests(vitest, Keyv5, store)
})

describe.each([
  ['Keyv 5', Keyv5],
  ['Keyv 6', Keyv6 as unknown as typeof Keyv5],
])('%s', (_, Keyv) => {
  const opened = () => {
    const now = { ms: Date.now() }
    const entries = newNamespace('keyv', { clock: () => now.ms })
    const keyv = (namespace?: string) => new Keyv({ store: new KeyvStore(entries), ...(namespace && { namespace }) })
    return { now, entries, keyv }
  }

  test('returns what was set until its ttl is over', async () => {
    const { keyv, now, entries } = opened()
    const cache = keyv('a')
    expect(await cache.set('key', { list: [1] }, 60_000)).toBe(true)
    expect(await cache.get('key')).toEqual({ list: [1] })
    expect([...entries.entries()][0]?.expiresAt).toBeGreaterThan(now.ms + 50_000)
    now.ms += 61_000
    expect(await cache.get('key')).toBeUndefined()
    expect(await cache.has('key')).toBe(false)
  })

  test('sets, gets, finds and deletes many keys', async () => {
    const { keyv } = opened()
    const cache = keyv('a')
    const all = [1, 2, 3].map(value => ({ key: `k${value}`, value }))
    expect(await cache.setMany(all)).toEqual([true, true, true])
    expect(await cache.getMany(['k1', 'none', 'k3'])).toEqual([1, undefined, 3])
    expect(await cache.hasMany(['k1', 'none'])).toEqual([true, false])
    await cache.deleteMany(['k1', 'k2'])
    expect(await cache.getMany(['k1', 'k2', 'k3'])).toEqual([undefined, undefined, 3])
  })

  test('clears and iterates one namespace', async () => {
    const { keyv } = opened()
    const [one, other] = [keyv('one'), keyv('other')]
    await one.set('key', 1)
    await one.set('second', 2)
    await other.set('key', 3)
    const found = []
    for await (const [key, value] of one.iterator?.({}) ?? []) found.push([key, value])
    expect(found.sort()).toEqual([
      ['key', 1],
      ['second', 2],
    ])
    await one.clear()
    expect([await one.get('key'), await other.get('key')]).toEqual([undefined, 3])
  })

  test('reports a value that cannot be stored, and stores the others', async () => {
    const { entries } = opened()
    const store = new KeyvStore(entries)
    const errors: unknown[] = []
    store.on('error', error => errors.push(error))
    const raw = [
      { key: 'a', value: () => 1 },
      { key: 'b', value: 2, ttl: 1000 },
    ]
    expect(await store.setMany(raw)).toEqual([false, true])
    expect(errors).toHaveLength(1)
    expect(await store.get('b')).toBe(2)
  })

  test('disconnects, and the cache stays open', async () => {
    const { keyv, entries } = opened()
    await keyv('a').disconnect()
    expect(entries.set('key', 1)).toBe(true)
  })
})

test('namespaces of Keyv 5 and Keyv 6 with one name are separate', async () => {
  const entries = newNamespace('both')
  const five = new Keyv5({ store: new KeyvStore(entries), namespace: 'a' })
  const six = new Keyv6({ store: new KeyvStore(entries), namespace: 'a' })
  await five.set('key', 5)
  await six.set('key', 6)
  expect([await five.get('key'), await six.get('key')]).toEqual([5, 6])
})

test('a store that Keyv 5 uses is rejected by Keyv 6, which would ignore its namespace', () => {
  const store = new KeyvStore(newNamespace('mixed'))
  new Keyv5({ store, namespace: 'a' })
  expect(() => new Keyv6({ store, namespace: 'b' })).toThrow('make another one for Keyv 6')
})

test('cache-manager wrap computes again after the ttl', async () => {
  const now = { ms: Date.now() }
  const entries = newNamespace('manager', { clock: () => now.ms })
  let calls = 0
  const load = async () => ({ call: ++calls })
  const cache = () => createCache({ stores: [new Keyv5({ store: new KeyvStore(entries) })] })
  expect(await cache().wrap('key', load, 60_000)).toEqual({ call: 1 })
  expect(await cache().wrap('key', load, 60_000)).toEqual({ call: 1 })
  now.ms += 61_000
  expect(await cache().wrap('key', load, 60_000)).toEqual({ call: 2 })
  await cache().mset([
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
  ])
  expect(await cache().mget(['a', 'b'])).toEqual([1, 2])
  await cache().mdel(['a'])
  expect(await cache().mget(['a', 'b'])).toEqual([undefined, 2])
})

test('works as the second layer of cacheable', async () => {
  const entries = newNamespace('cacheable')
  const cacheable = () => new Cacheable({ secondary: new Keyv5({ store: new KeyvStore(entries) }) })
  const first = cacheable()
  await first.set('key', { a: 1 }, '1h')
  await first.setMany([{ key: 'b', value: 2 }])
  const second = cacheable()
  expect(await second.get('key')).toEqual({ a: 1 })
  expect(await second.get('b')).toBe(2)
  await second.delete('key')
  expect(await cacheable().get('key')).toBeUndefined()
})

describe('got', () => {
  let requests = 0
  const server = createServer((_, response) => {
    requests++
    response.setHeader('cache-control', 'max-age=60')
    response.end(`body ${requests}`)
  })
  beforeAll(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)))
  afterAll(() => server.close())

  test('requests a cached response once', async () => {
    const entries = newNamespace('got')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const ask = () => got(url, { cache: new KeyvStore(entries) })
    const [first, second] = [await ask(), await ask()]
    expect([first.body, second.body, second.isFromCache, requests]).toEqual(['body 1', 'body 1', true, 1])
  })
})
