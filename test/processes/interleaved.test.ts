// Two processes, where the second does all of its work between two file calls of the first, for every pair of calls. So every
// possible race of two operations happens here, reproducibly.

import { describe, expect, test } from 'vitest'
import { CacheHandle } from '../../src/cache/cache.js'
import type { Cache, CacheWarning, Namespace } from '../../src/index.js'
import { interceptedFiles, systemError } from '../support/files.js'
import { MemoryDisk } from '../support/memory-disk.js'

const DIR = '/disk/cache'

/** Both share the encoder of this process, whose bytes `set` passes on without a copy; a batch has copies of its own. */
const set = (entries: Namespace, key: string, value: unknown) => expect(entries.setMany([{ key, value }])).toBe(1)

function emptyDisk(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.files.makeDirectory('/work')
  return disk
}

/** Long keys, so that few of them fill a file. */
const long = (index: number) => `${index} ${'k'.repeat(3900)}`

function fullDisk(): MemoryDisk {
  const fill = (disk: MemoryDisk, isFull: (count: number) => boolean) => {
    const cache = new CacheHandle({ dir: DIR }, { files: disk.files })
    let count = 0
    while (!isFull(count)) cache.namespace('tool').set(long(count), count++)
    cache.close()
    return count
  }
  const isSplit = (disk: MemoryDisk) => !disk.paths().some(path => path.endsWith('tool/manifest/_.0'))
  const probe = emptyDisk()
  const count = fill(probe, index => index > 0 && isSplit(probe))
  const disk = emptyDisk()
  fill(disk, index => index === count - 1)
  return disk
}

function smallDisk(): MemoryDisk {
  const disk = emptyDisk()
  const cache = new CacheHandle({ dir: DIR }, { files: disk.files })
  cache.namespace('tool').setMany([
    { key: 'old', value: 'old value' },
    { key: 'same', value: 'same value' },
  ])
  cache.close()
  return disk
}

/** As a process leaves it that is killed while it computes the value of `leased`. */
function leasedDisk(): MemoryDisk {
  const disk = smallDisk()
  let left: MemoryDisk | undefined
  new CacheHandle({ dir: DIR }, { files: disk.files }).namespace('tool').getOrSetSync('leased', () => {
    left = disk.clone()
    return 'computed'
  })
  return left as MemoryDisk
}

/** As `mkdtemp` leaves it, or another process that has made the root a moment ago. */
function emptyRoot(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.files.makeDirectory(DIR)
  return disk
}

interface Race {
  name: string
  disk: () => MemoryDisk
  first: (entries: Namespace, cache: Cache) => unknown
  second: (entries: Namespace, cache: Cache) => unknown
  /** Throws, or returns false, where the state is one that no order of the two could have led to. */
  isRight: (entries: Namespace, cache: Cache) => boolean
}

let isDeleted = false
const both = (entries: Namespace) => entries.get('first') === 1 && entries.get('second') === 2
const RACES: Race[] = [
  {
    name: 'first sets in an empty root',
    disk: emptyRoot,
    first: entries => set(entries, 'first', 1),
    second: entries => set(entries, 'second', 2),
    isRight: both,
  },
  {
    name: 'first sets in a missing root',
    disk: emptyDisk,
    first: entries => set(entries, 'first', 1),
    second: entries => set(entries, 'second', 2),
    isRight: both,
  },
  {
    name: 'sets of two keys',
    disk: smallDisk,
    first: entries => set(entries, 'first', 1),
    second: entries => set(entries, 'second', 2),
    isRight: entries => both(entries) && entries.get('old') === 'old value',
  },
  {
    name: 'sets of one key',
    disk: smallDisk,
    first: entries => set(entries, 'old', 1),
    second: entries => set(entries, 'old', 2),
    isRight: entries => [1, 2].includes(entries.get('old') as number),
  },
  {
    name: 'sets of one value',
    disk: smallDisk,
    first: entries => set(entries, 'first', 'equal'),
    second: entries => set(entries, 'second', 'equal'),
    isRight: entries => entries.get('first') === 'equal' && entries.get('second') === 'equal',
  },
  {
    name: 'a set and a delete',
    disk: smallDisk,
    first: entries => set(entries, 'first', 1),
    second: entries => expect(entries.delete('old')).toBe(true),
    isRight: entries => entries.get('first') === 1 && entries.get('old') === undefined,
  },
  {
    name: 'a set and a clear',
    disk: smallDisk,
    first: entries => set(entries, 'first', 1),
    second: entries => expect(entries.clear()).toBeGreaterThanOrEqual(2),
    isRight: entries => [1, undefined].includes(entries.get('first')) && entries.get('old') === undefined,
  },
  {
    name: 'a clear and a set',
    disk: smallDisk,
    first: entries => expect(entries.clear()).toBeGreaterThanOrEqual(2),
    second: entries => set(entries, 'second', 2),
    isRight: entries => [2, undefined].includes(entries.get('second')) && entries.get('old') === undefined,
  },
  {
    name: 'a delete of a key that is being computed, and a set',
    disk: leasedDisk,
    first: entries => {
      isDeleted = entries.delete('leased')
    },
    second: entries => set(entries, 'leased', 2),
    isRight: entries => entries.get('leased') === (isDeleted ? undefined : 2),
  },
  {
    name: 'a get and a set',
    disk: smallDisk,
    first: entries => expect(['old value', 'new value']).toContain(entries.get('old')),
    second: entries => set(entries, 'old', 'new value'),
    isRight: entries => entries.get('old') === 'new value',
  },
  {
    name: 'batches',
    disk: smallDisk,
    first: entries =>
      expect(
        entries.setMany([
          { key: 'first', value: 1 },
          { key: 'a', value: 'a' },
        ]),
      ).toBe(2),
    second: entries =>
      expect(
        entries.setMany([
          { key: 'second', value: 2 },
          { key: 'b', value: 'b' },
        ]),
      ).toBe(2),
    isRight: entries => both(entries) && entries.get('a') === 'a' && entries.get('b') === 'b',
  },
  {
    name: 'closes with equal counts',
    disk: smallDisk,
    first: (entries, cache) => {
      entries.get('same')
      cache.close()
    },
    second: (entries, cache) => {
      entries.get('same')
      cache.close()
    },
    isRight: (_entries, cache) => {
      const { hitCount, setCount } = cache.stats()
      if (hitCount === 2 && setCount === 2) return true
      throw new Error(`${hitCount} hits and ${setCount} sets were counted`)
    },
  },
  {
    name: 'closes with the very first counts',
    disk: emptyDisk,
    first: (entries, cache) => {
      entries.get('nothing')
      cache.close()
    },
    second: (entries, cache) => {
      entries.get('nothing')
      cache.close()
    },
    isRight: entries => {
      const { missCount } = entries.stats()
      if (missCount === 2) return true
      throw new Error(`${missCount} misses were counted`)
    },
  },
]

const SPLITS: Race[] = [
  {
    name: 'a set that splits and a set',
    disk: fullDisk,
    first: entries => set(entries, long(-1), 1),
    second: entries => set(entries, 'second', 2),
    isRight: entries => entries.get(long(-1)) === 1 && entries.get('second') === 2,
  },
  {
    name: 'two sets that both split',
    disk: fullDisk,
    first: entries => set(entries, long(-1), 1),
    second: entries => set(entries, long(-2), 2),
    isRight: entries => entries.get(long(-1)) === 1 && entries.get(long(-2)) === 2,
  },
  {
    name: 'a set that splits and a clear',
    disk: fullDisk,
    first: entries => set(entries, long(-1), 1),
    second: entries => expect(entries.clear()).toBeGreaterThan(60),
    isRight: entries => [1, undefined].includes(entries.get(long(-1))) && entries.get(long(0)) === undefined,
  },
  {
    name: 'a set that splits and gets',
    disk: fullDisk,
    first: entries => set(entries, long(-1), 1),
    second: entries => {
      for (let index = 0; index < 60; index++) expect(entries.get(long(index))).toBe(index)
    },
    isRight: entries => entries.get(long(-1)) === 1 && entries.get(long(5)) === 5,
  },
]

/** Runs the race with the second process at each call of the first; returns how many calls there were. */
function run(race: Race, secondOptions: { isWarm: boolean; isReadOnly?: boolean }): number {
  const template = race.disk()
  for (let at = 1; ; at++) {
    const disk = template.clone()
    const warnings: CacheWarning[] = []
    const onWarning = (warning: CacheWarning) => warnings.push(warning)
    let calls = 0
    let hasRun = false
    let failure: unknown
    const second = new CacheHandle(
      { dir: DIR, onWarning, mode: secondOptions.isReadOnly ? 'readonly' : 'readwrite' },
      { files: disk.files },
    )
    const runSecond = () => {
      hasRun = true
      try {
        race.second(second.namespace('tool'), second)
      } catch (error) {
        failure = error
      }
    }
    // Opening is a part of the race, too, where neither has looked before.
    let isArmed = !secondOptions.isWarm
    const files = interceptedFiles(call => {
      if (isArmed && ++calls === at) runSecond()
      return call.proceed()
    }, disk)
    const first = new CacheHandle({ dir: DIR, onWarning }, { files })
    if (secondOptions.isWarm) {
      // Both have looked in this turn already, so that they know an earlier state.
      for (const cache of [first, second]) {
        expect([...cache.namespace('tool').keys()].length).toBeGreaterThanOrEqual(0)
        cache.namespace('tool').stats()
      }
    }
    const where = `${race.name}, at call ${at}${secondOptions.isWarm ? ', warm' : ''}`
    isArmed = true
    try {
      race.first(first.namespace('tool'), first)
      isArmed = false
      if (!hasRun) return at - 1
      if (failure) throw failure
      const third = new CacheHandle({ dir: DIR, onWarning }, { files: disk.files })
      if (!race.isRight(third.namespace('tool'), third)) throw new Error('neither order of the two leads to this')
      third.close()
      for (const cache of [first, second]) cache.close()
      expect(warnings).toEqual([])
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error })
    }
  }
}

describe.each(RACES)('$name', race => {
  test.each([true, false])('behave as if run one after the other (both with a warm cache: %s)', isWarm => {
    expect(run(race, { isWarm })).toBeGreaterThan(isWarm ? 0 : 2)
  })
})

describe.each(SPLITS)('$name', race => {
  test.each([true, false])('behave as if run one after the other (both with a warm cache: %s)', isWarm => {
    expect(run(race, { isWarm })).toBeGreaterThan(50)
  })
})

test('a read-only process finds everything at every moment of a split', () => {
  expect(run(SPLITS.at(-1) as Race, { isWarm: false, isReadOnly: true })).toBeGreaterThan(50)
})

test("a set that is killed during another process's set leaves no entry without its value", async () => {
  const template = smallDisk()
  /** The second sets before one call of the first, which is killed before a later one; returns how many there were. */
  const setBeside = async (secondAt: number, killedAt: number): Promise<number> => {
    const disk = template.clone()
    let calls = -1
    const second = new CacheHandle({ dir: DIR }, { files: disk.files }).namespace('tool')
    const files = interceptedFiles(call => {
      if (calls >= 0) calls++
      if (calls === secondAt) set(second, 'second', 'of the second process')
      if (calls >= killedAt) throw systemError('EIO', call)
      return call.proceed()
    }, disk)
    const first = new CacheHandle({ dir: DIR, onWarning: () => undefined }, { files })
    // So that it takes the end of each file for known.
    first.namespace('tool').set('before', 'a value')
    calls = 0
    first.namespace('tool').setMany([{ key: 'first', value: 'of the first process' }])
    const count = calls
    calls = Number.NaN
    const third = new CacheHandle({ dir: DIR }, { files: disk.files })
    const entries = third.namespace('tool')
    expect(entries.get('second')).toBe(secondAt <= count ? 'of the second process' : undefined)
    for (const key of entries.keys()) expect(entries.get(key)).toBeDefined()
    expect((await third.verify()).problems).toEqual([])
    return count
  }
  const count = await setBeside(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  expect(count).toBeGreaterThan(3)
  for (let secondAt = 1; secondAt <= count; secondAt++) {
    for (let killedAt = secondAt + 1; killedAt <= count + 2; killedAt++) await setBeside(secondAt, killedAt)
  }
})
