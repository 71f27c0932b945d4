// A full disk: a gc still frees space, and never needs more space than it frees.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CacheHandle } from '../../src/cache/cache.js'
import type { CacheOptions } from '../../src/index.js'
import { MemoryDisk } from '../support/memory-disk.js'

const directory = join('/', 'disk')
let now = 1_790_000_000_000

function open(disk: MemoryDisk, options: CacheOptions = {}): CacheHandle {
  const dir = join(directory, 'cache')
  return new CacheHandle({ dir, clock: () => now, onWarning: () => undefined, ...options }, { files: disk.files })
}

const textOf = (i: number) => `${i} ${'x'.repeat(9000)}`

/** A disk with two namespaces of 200 values each, half of those of one with a ttl that has passed, and no room. */
function fullDisk(freeBytes = 0): MemoryDisk {
  const disk = new MemoryDisk()
  disk.files.makeDirectory(directory)
  disk.capacityBytes = 12_000_000
  const cache = open(disk)
  for (const name of ['a', 'b']) {
    for (let i = 0; i < 200; i++) {
      now++
      const life = name === 'b' && i % 2 ? { ttl: 1 } : {}
      if (!cache.namespace(name, { project: false }).set(`${name} ${i}`, textOf(i) + name, life))
        throw new Error('The disk is too small.')
    }
  }
  now += 1000
  cache.close()
  disk.capacityBytes = 12_000_000 - disk.freeBytes + freeBytes
  return disk
}

function expectWhole(cache: CacheHandle): number {
  let count = 0
  for (const name of ['a', 'b']) {
    for (const key of cache.namespace(name, { project: false }).keys()) {
      count++
      expect(cache.namespace(name, { project: false }).get(key), key).toBe(textOf(Number(key.split(' ')[1])) + name)
    }
  }
  return count
}

describe('with no byte free', () => {
  test.each([
    ['expired entries', (_cache: CacheHandle) => undefined, {}, 800_000],
    ['a cleared namespace', (cache: CacheHandle) => cache.namespace('a', { project: false }).clear(), {}, 2_500_000],
    ['a removed namespace', (cache: CacheHandle) => cache.removeNamespace('a'), {}, 2_500_000],
    ['entries beyond a limit', (_cache: CacheHandle) => undefined, { maxSize: 1_000_000 }, 2_500_000],
    ['everything', (_cache: CacheHandle) => undefined, { maxSize: 0 }, 3_000_000],
  ])('a gc frees %s', async (_what, act, bounds, minFreed) => {
    // Room for the removals that a clear writes.
    const disk = fullDisk(16_384)
    const cache = open(disk)
    act(cache)
    disk.capacityBytes -= disk.freeBytes
    expect(disk.freeBytes).toBe(0)
    const report = await cache.gc(bounds)
    expect(disk.freeBytes).toBeGreaterThan(minFreed)
    const { problems, entryCount } = await cache.verify()
    expect({ problems, entryCount }).toEqual({ problems: [], entryCount: report.keptEntries })
    expect(expectWhole(cache)).toBe(report.keptEntries)
    expect(cache.namespace('new', { project: false }).set('key', textOf(1))).toBe(true)
  })

  test('a dry run and a repair work', async () => {
    const disk = fullDisk()
    expect(await open(disk).gc({ dryRun: true })).toMatchObject({ expiredEntries: 100, keptEntries: 300 })
    expect((await open(disk).verify({ repair: true })).isWhole).toBe(true)
  })
})

test.each([0, 4096, 50_000, 300_000, 1_000_000])(
  'a gc with %i free bytes never ends with fewer, and keeps what it cannot copy',
  async freeBytes => {
    const disk = fullDisk(freeBytes)
    const cache = open(disk)
    let leastFree = freeBytes
    await cache.gc({
      onProgress: () => {
        leastFree = Math.min(leastFree, disk.freeBytes)
      },
    })
    // Some is left to others all the while.
    expect(leastFree).toBeGreaterThanOrEqual(freeBytes < 50_000 ? 0 : 45_000)
    expect(disk.freeBytes).toBeGreaterThan(freeBytes)
    expect((await cache.verify()).problems).toEqual([])
    const kept = expectWhole(cache)
    expect(kept).toBeGreaterThan(freeBytes >= 1_000_000 ? 299 : 200)
  },
)

test('packs are small on a small disk', () => {
  const disk = fullDisk()
  const packs = disk.paths().filter(path => path.endsWith('.pack'))
  expect(packs.length).toBeGreaterThan(4)
})

test('a cache with a limit keeps it while other data fills the disk', () => {
  const disk = new MemoryDisk()
  disk.files.makeDirectory(directory)
  disk.capacityBytes = 3_500_000
  const cache = open(disk, { maxSize: 2_000_000 })
  let stored = 0
  let leastFree = Number.POSITIVE_INFINITY
  for (let i = 0; i < 1500; i++) {
    now++
    if (cache.namespace('a', { project: false }).set(`a ${i % 900}`, `${textOf(i % 900)}a`)) stored++
    leastFree = Math.min(leastFree, disk.freeBytes)
  }
  expect(stored).toBe(1500)
  expect(leastFree).toBeGreaterThan(300_000)
  expectWhole(cache)
})
