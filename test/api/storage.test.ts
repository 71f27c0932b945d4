// Values on disk, seen from the API: equal values are stored once, whatever their hash, and reads touch little of the disk.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createHashing, type Hashing } from '../../src/hashing/hashing.js'
import { filesBelow, nextTurn, openAsAnotherProcess, openIn, temporaryRoot } from '../support/caches.js'
import { meteredFiles } from '../support/files.js'

function packBytes(dir: string): number {
  const packs = filesBelow(dir).filter(path => path.endsWith('.pack'))
  return packs.reduce((sum, path) => sum + statSync(join(dir, path)).size, 0)
}

describe('equal values', () => {
  test('are stored once, across namespaces, keys, versions and processes', async () => {
    const dir = temporaryRoot()
    const value = { text: 'x'.repeat(5000) }
    openIn(dir).cache.namespace('first').set('key', value)
    openIn(dir).cache.namespace('second').set('key', value)
    // Other processes know what was stored in an earlier turn.
    await nextTurn()
    const before = packBytes(dir)
    for (let index = 0; index < 20; index++) {
      const { cache } = index % 2 ? openIn(dir) : openAsAnotherProcess(dir)
      expect(cache.namespace(`tool ${index}`, { version: `${index}` }).set(`key ${index}`, value)).toBe(true)
    }
    expect(packBytes(dir)).toBe(before)
    expect(openIn(dir).cache.namespace('tool 7', { version: '7' }).get('key 7')).toEqual(value)
  })

  test('of one batch are stored once', () => {
    const dir = temporaryRoot()
    const entries = openIn(dir).cache.namespace('tool')
    const value = 'y'.repeat(1000)
    entries.setMany(Array.from({ length: 100 }, (_, index) => ({ key: `${index}`, value })))
    expect(packBytes(dir)).toBeLessThan(2000)
    expect(entries.getMany(['0', '99'])).toEqual([value, value])
  })

  test('are not stored again when a key alternates between them', () => {
    const dir = temporaryRoot()
    const entries = openIn(dir).cache.namespace('tool')
    for (const value of ['a', 'b']) entries.set('key', value.repeat(1000))
    const before = packBytes(dir)
    for (let round = 0; round < 10; round++) entries.set('key', (round % 2 ? 'a' : 'b').repeat(1000))
    expect(packBytes(dir)).toBe(before)
  })
})

describe('values whose hashes collide', () => {
  /** Sources are digested with the real function: files that collide are not what this is about. */
  const colliding: Hashing = {
    ...createHashing(),
    digest(_bytes, _start, _end, into, at) {
      into.fill(0x5a, at, at + 16)
    },
  }
  // All of one encoded length, so that their ids differ by nothing but the variant.
  const valueAt = (index: number) => ({ id: `value number ${String(index).padStart(4, '0')}` })

  test('are returned correctly, in this process and in others', () => {
    const dir = temporaryRoot()
    const { cache, warnings } = openAsAnotherProcess(dir, {}, { hashing: colliding })
    const entries = cache.namespace('tool')
    for (let index = 0; index < 200; index++) expect(entries.set(`key ${index}`, valueAt(index))).toBe(true)
    const others = [cache, openAsAnotherProcess(dir, {}, { hashing: colliding }).cache]
    for (const each of others) {
      for (let index = 0; index < 200; index++)
        expect(each.namespace('tool').get(`key ${index}`)).toEqual(valueAt(index))
    }
    expect(new Set([...entries.entries()].map(({ digest }) => digest)).size).toBe(200)
    expect(warnings).toEqual([])
  })

  test('are still stored once if they are equal', async () => {
    const dir = temporaryRoot()
    const { cache } = openAsAnotherProcess(dir, {}, { hashing: colliding })
    const entries = cache.namespace('tool')
    for (let index = 0; index < 200; index++) entries.set(`key ${index}`, valueAt(index))
    await nextTurn()
    const before = packBytes(dir)
    const other = openAsAnotherProcess(dir, {}, { hashing: colliding }).cache.namespace('other')
    for (let index = 199; index >= 0; index--) expect(other.set(`again ${index}`, valueAt(index))).toBe(true)
    expect(packBytes(dir)).toBe(before)
    expect(other.get('again 123')).toEqual(valueAt(123))
    expect(cache.stats()).toMatchObject({ entryCount: 400 })
    expect(cache.stats().savedBytes).toBe(cache.stats().uniqueSize)
  })

  test('are stored correctly in one batch, with equal ones among them', () => {
    const dir = temporaryRoot()
    const { cache } = openAsAnotherProcess(dir, {}, { hashing: colliding })
    const entries = cache.namespace('tool')
    const batch = Array.from({ length: 300 }, (_, index) => ({ key: `key ${index}`, value: valueAt(index % 100) }))
    expect(entries.setMany(batch)).toBe(300)
    for (const { key, value } of batch) expect(entries.get(key)).toEqual(value)
    expect(new Set([...entries.entries()].map(({ digest }) => digest)).size).toBe(100)
  })

  test('beyond 256 are not stored, with a warning, and the others stay', () => {
    const { cache, warnings } = openAsAnotherProcess(temporaryRoot(), {}, { hashing: colliding })
    const entries = cache.namespace('tool')
    const stored = Array.from({ length: 260 }, (_, index) => entries.set(`key ${index}`, valueAt(index)))
    expect(stored.filter(Boolean).length).toBe(256)
    expect(entries.get('key 255')).toEqual(valueAt(255))
    expect(entries.get('key 256')).toBe(undefined)
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_IO'])
  })
})

describe('opening and the first get', () => {
  function costOfFirstGet(entryCount: number) {
    const dir = temporaryRoot()
    const { cache } = openIn(dir)
    const value = (index: number) => ({ index, text: 'text' })
    for (let from = 0; from < entryCount; from += 5000) {
      const batch = Array.from({ length: Math.min(5000, entryCount - from) }, (_, at) => ({
        key: `src/directory/file-${from + at}.ts`,
        value: value(from + at),
      }))
      cache.namespace('tool').setMany(batch)
    }
    cache.close()
    const { files, traffic } = meteredFiles()
    const entries = openAsAnotherProcess(dir, {}, { files }).cache.namespace('tool')
    expect(entries.get('src/directory/file-3.ts')).toEqual(value(3))
    const calls = Object.values(traffic.calls).reduce((sum, count) => sum + count, 0)
    return { calls, readBytes: traffic.readBytes }
  }

  test('need few disk calls, whatever the number of entries', () => {
    const small = costOfFirstGet(300)
    const large = costOfFirstGet(30_000)
    expect(small.calls).toBeLessThan(22)
    expect(large.calls).toBeLessThan(small.calls + 5)
    // One bucket, which splits at 320 KB at the latest, and one block of a pack.
    expect(large.readBytes).toBeLessThan(360 * 1024)
  })

  test('read only the requested value', () => {
    const dir = temporaryRoot()
    const writer = openIn(dir).cache.namespace('tool')
    writer.set('small', 1)
    for (let index = 0; index < 20; index++) writer.set(`large ${index}`, Buffer.alloc(100_000, index))
    const { files, traffic } = meteredFiles()
    expect(openAsAnotherProcess(dir, {}, { files }).cache.namespace('tool').get('small')).toBe(1)
    expect(traffic.readBytes).toBeLessThan(20_000)
  })
})
