// Recently read values are kept in memory, but never longer than their entries.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ValueCache } from '../../src/entries/value-cache.js'
import type { BucketState } from '../../src/log-map/log-map.js'
import type { RecordView } from '../../src/log-map/record.js'
import { encodeHead } from '../../src/manifest/entry-encoding.js'
import type { EntryKey } from '../../src/manifest/records.js'
import { nextTurn, openAsAnotherProcess, openIn, temporaryDirectory } from '../support/caches.js'

/** An entry that was read often enough to be kept, with a source and a ttl. */
function readOften() {
  const root = temporaryDirectory()
  const source = join(root, 'source')
  const clock = { nowMs: 1_700_000_000_000 }
  const options = { clock: () => clock.nowMs }
  writeFileSync(source, 'one')
  const { cache } = openIn(join(root, 'cache'), options)
  const entries = cache.namespace('tool')
  entries.set('key', { list: [1] }, { files: [source], ttl: 60_000 })
  for (let i = 0; i < 20; i++) expect(entries.get('key')).toEqual({ list: [1] })
  const other = openAsAnotherProcess(join(root, 'cache'), options).cache.namespace('tool')
  return { root, source, clock, cache, entries, other }
}

test('every get returns a new copy', () => {
  const { entries } = readOften()
  entries.get<{ list: number[] }>('key')?.list.push(2)
  for (let i = 0; i < 20; i++) expect(entries.get('key')).toEqual({ list: [1] })
})

test('a set, delete or clear of this process is seen at once', () => {
  const { entries } = readOften()
  entries.set('key', 2)
  for (let i = 0; i < 20; i++) expect(entries.get('key')).toBe(2)
  entries.delete('key')
  expect(entries.get('key')).toBe(undefined)
  entries.set('key', 3)
  for (let i = 0; i < 20; i++) expect(entries.get('key')).toBe(3)
  entries.clear()
  expect(entries.get('key')).toBe(undefined)
})

test('a set or delete of another process is seen in the next tick', async () => {
  const { entries, other } = readOften()
  other.set('key', 2)
  await nextTurn()
  for (let i = 0; i < 20; i++) expect(entries.get('key')).toBe(2)
  other.delete('key')
  await nextTurn()
  expect(entries.get('key')).toBe(undefined)
})

test('each get checks the source and the ttl of a value in memory', () => {
  const { entries, source, clock } = readOften()
  writeFileSync(source, 'two')
  expect(entries.get('key')).toBe(undefined)
  writeFileSync(source, 'one')
  expect(entries.get('key')).toEqual({ list: [1] })
  clock.nowMs += 60_000
  expect(entries.get('key')).toBe(undefined)
})

test('a value in memory is not returned once the cache is deleted or closed', async () => {
  const { root, cache, entries } = readOften()
  rmSync(join(root, 'cache'), { recursive: true })
  await nextTurn()
  expect(entries.get('key')).toBe(undefined)
  cache.close()
  expect(() => entries.get('key')).toThrow('closed')
})

test('a value in memory is not returned for another version', () => {
  const { cache } = readOften()
  const entries = cache.namespace('tool', { version: '2' })
  expect(entries.get('key')).toBe(undefined)
})

test('repeated runs over more values than fit into memory still get many hits', () => {
  const values = new ValueCache()
  const blob = { id: Buffer.alloc(21), location: { pack: 0, offset: 0 } }
  const value = encodeHead({ epoch: 1, entry: { blob, createdAt: 0, usedAt: 0, epoch: 1 } })
  const record = { value, check: 1 } as RecordView
  const [key, state] = [{} as EntryKey, {} as BucketState]
  const bytes = Buffer.alloc(3000, 1)
  const hitsOf = (first: number, count: number) => {
    let hits = 0
    for (let at = first; at < first + count; at++) {
      if (values.get(String(at))) hits++
      else values.keep(String(at), key, state, record, bytes)
    }
    return hits
  }
  for (let round = 0; round < 5; round++) hitsOf(0, 1500)
  expect(hitsOf(0, 1500)).toBeGreaterThan(500)
  // Others take their places in time.
  for (let round = 0; round < 100; round++) hitsOf(5000, 300)
  expect(hitsOf(5000, 300)).toBe(300)
})
