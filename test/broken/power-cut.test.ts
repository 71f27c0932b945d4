// A power cut at any file call of a gc, the background gc or a bucket rewrite. The next process finds all entries that were on
// disk before and were neither changed nor dropped since, and never reads a wrong value.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CacheHandle } from '../../src/cache/cache.js'
import type { Files } from '../../src/files/files.js'
import type { CacheOptions } from '../../src/index.js'
import { interceptedFiles } from '../support/files.js'
import type { MemoryDisk } from '../support/memory-disk.js'
import { randomFrom } from '../support/random.js'
import { counting, inRounds } from '../support/torture.js'
import { UnsyncedDisk } from '../support/unsynced-disk.js'

const count = counting()
const directory = join('/', 'disk')
const CHANGING = ['append', 'createFile', 'open', 'makeDirectory', 'rename', 'remove', 'removeDirectory', 'sync']
let now = 1_790_000_000_000

function open(files: Files, options: CacheOptions = {}): CacheHandle {
  const dir = join(directory, 'cache')
  return new CacheHandle({ dir, clock: () => now, onWarning: () => undefined, ...options }, { files })
}

/** Each cut of the power while the work is done, every so many calls. */
async function cutsDuring(
  disk: UnsyncedDisk,
  random: (below: number) => number,
  every: number,
  work: (files: Files) => unknown,
): Promise<MemoryDisk[]> {
  const cuts: MemoryDisk[] = []
  let calls = 0
  const files = interceptedFiles(
    call => {
      if (CHANGING.includes(call.name) && calls++ % every === 0) cuts.push(disk.cut(random))
      return call.proceed()
    },
    { files: disk.files },
  )
  await work(files)
  cuts.push(disk.cut(random))
  return cuts
}

/** Expects these values, and of what was changed since either value or none. */
async function expectFound(
  cut: MemoryDisk,
  values: ReadonlyMap<string, string>,
  changed: ReadonlyMap<string, readonly string[]>,
  where: string,
): Promise<void> {
  // The lock of a gc that was cut off is dead by then.
  cut.passMs(60_000)
  const cache = open(cut.files)
  const ns = cache.namespace('ns')
  const lost = [...values].filter(([key, value]) => ns.get(key) !== value).map(([key]) => key)
  expect(lost, `${where}: lost`).toEqual([])
  for (const [key, either] of changed) expect([undefined, ...either], `${where}: ${key}`).toContain(ns.get(key))
  expect(ns.set('after', where), where).toBe(true)
  await cache.gc()
  expect([...values].filter(([key, value]) => ns.get(key) !== value).length, `${where}: lost by a gc`).toBe(0)
  cache.close()
  count('cuts of the power')
  count('entries looked for after a cut', values.size)
}

test('a power cut during a gc loses nothing that was on disk before', async () => {
  await inRounds({ short: 2, share: 0.03 }, async seed => {
    const random = randomFrom(seed)
    const disk = new UnsyncedDisk()
    disk.files.makeDirectory(directory)
    const before = open(disk.files)
    const ns = before.namespace('ns')
    const values = new Map<string, string>()
    const changed = new Map<string, string[]>()
    for (let i = 0; i < 120; i++) {
      now++
      values.set(`key ${i}`, `value ${random(100)} ${'x'.repeat(random(3000))}`)
      ns.set(`key ${i}`, values.get(`key ${i}`))
      before.namespace('cleared').set(`key ${i}`, `${i} ${'y'.repeat(500)}`)
      if (i % 3 === 0) ns.set(`garbage ${i}`, 'z'.repeat(random(2000)))
    }
    for (let i = 0; i < 120; i += 3) ns.delete(`garbage ${i}`)
    before.namespace('cleared').clear()
    before.close()
    disk.syncAll()
    const writer = open(disk.files).namespace('ns')
    for (let i = 0; i < 10; i++) {
      const key = `key ${random(120)}`
      const old = values.get(key)
      if (old === undefined) continue
      values.delete(key)
      changed.set(key, [old, 'new'])
      if (random(2)) writer.set(key, 'new')
      else writer.delete(key)
    }
    const cuts = await cutsDuring(disk, random, 1, files => open(files).gc())
    for (const [at, cut] of cuts.entries()) await expectFound(cut, values, changed, `seed ${seed}, cut ${at}`)
    expect(cuts.length).toBeGreaterThan(20)
  })
})

test('a gc syncs moved values before the index points to them', async () => {
  const disk = new UnsyncedDisk()
  disk.files.makeDirectory(directory)
  const unsynced = new Set<string>()
  let leadCount = 0
  const files = interceptedFiles(
    ({ name, path, proceed }) => {
      const isIndex = path.includes(join('blobs', 'index'))
      if (name === 'append' && isIndex && unsynced.size > 0) throw new Error(`${[...unsynced]} is not on disk.`)
      if (name === 'append' && isIndex) leadCount++
      if (name === 'append' && path.endsWith('.pack')) unsynced.add(path)
      if (name === 'sync') unsynced.delete(path)
      return proceed()
    },
    { files: disk.files },
  )
  const writer = open(disk.files)
  for (let i = 0; i < 300; i++) writer.namespace('ns').set(`key ${i % 150}`, `value ${i} ${'x'.repeat(1000)}`)
  writer.close()
  const report = await open(files).gc()
  expect(report).toMatchObject({ removedBlobs: 150, keptBlobs: 150 })
  expect(leadCount).toBeGreaterThan(0)
})

test('a power cut while buckets are rewritten and split loses nothing that was on disk before', async () => {
  await inRounds({ short: 1, share: 0.02 }, async seed => {
    const random = randomFrom(seed)
    const disk = new UnsyncedDisk()
    disk.files.makeDirectory(directory)
    const before = open(disk.files)
    const values = new Map<string, string>()
    const keyOf = (i: number) => `${i} ${'k'.repeat(3900)}`
    for (let i = 0; i < 60; i++) values.set(keyOf(i), `value ${i}`)
    for (const [key, value] of values) before.namespace('ns').set(key, value)
    before.close()
    disk.syncAll()
    const cuts = await cutsDuring(disk, random, 4, files => {
      const ns = open(files).namespace('ns')
      for (let i = 60; i < 120; i++) ns.set(keyOf(i), `value ${i}`)
      for (let i = 60; i < 120; i++) ns.set(keyOf(i), 'again')
    })
    for (const [at, cut] of cuts.entries()) await expectFound(cut, values, new Map(), `seed ${seed}, cut ${at}`)
    expect(cuts.length).toBeGreaterThan(20)
  })
})

test('a power cut during the background gc loses no kept entry that was on disk before', async () => {
  await inRounds({ short: 1, share: 0.03 }, async seed => {
    const random = randomFrom(seed)
    const disk = new UnsyncedDisk()
    disk.files.makeDirectory(directory)
    const before = open(disk.files, { maxSize: Number.POSITIVE_INFINITY })
    const textOf = (i: number) => `${i} ${'x'.repeat(3000)}`
    for (let i = 0; i < 200; i++) {
      now++
      before.namespace('ns').set(`key ${i}`, textOf(i))
    }
    before.close()
    disk.syncAll()
    const last: { cache?: CacheHandle } = {}
    const cuts = await cutsDuring(disk, random, 20, files => {
      const cache = open(files, { maxSize: 700_000 })
      last.cache = cache
      for (let i = 200; i < 500; i++) {
        now++
        cache.namespace('ns').set(`key ${i}`, textOf(i))
        if (i % 50 > 0) continue
        // What is used stays, and is moved again and again.
        now += 5 * 3_600_000
        for (let used = 0; used < 20; used++) cache.namespace('ns').get(`key ${used}`)
      }
    })
    const stayed = new Map<string, string>()
    for (let i = 0; i < 200; i++) {
      if (last.cache?.namespace('ns').get(`key ${i}`) === textOf(i)) stayed.set(`key ${i}`, textOf(i))
    }
    for (const [at, cut] of cuts.entries()) await expectFound(cut, stayed, new Map(), `seed ${seed}, cut ${at}`)
    expect(stayed.size).toBeLessThan(200)
    expect(stayed.size).toBeGreaterThan(10)
    expect(cuts.length).toBeGreaterThan(20)
  })
})
