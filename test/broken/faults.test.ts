// Every file call of an operation fails, once or permanently, with each error that a disk can give. The caller sees no
// exception, acknowledged entries are still there, and the store keeps working, for this process and for others.
//
// A fault that lasts is also what a kill at that call leaves behind: nothing after it changes the disk any more.

import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Files } from '../../src/files/files.js'
import type { Cache, CacheWarning } from '../../src/index.js'
import { repeatedCodes } from '../support/caches.js'
import { type Fault, FaultyDisk } from '../support/files.js'
import { MemoryDisk } from '../support/memory-disk.js'
import {
  ACKNOWLEDGED,
  ANYTHING,
  directory,
  FAULTS,
  filled,
  LARGE,
  type Operation,
  open,
  source,
  sweep,
  verify,
} from './sweep.js'

const OPERATIONS: Operation[] = [
  {
    name: 'set of a new key',
    run: entries => entries.set('new', { n: 1 }),
    outcomes: [
      { gives: true, holds: { new: [{ n: 1 }] } },
      { gives: false, holds: { new: [undefined, { n: 1 }] } },
    ],
  },
  {
    name: 'set of a known key',
    run: entries => entries.set('object', 'replaced'),
    outcomes: [
      { gives: true, holds: { object: ['replaced'] } },
      { gives: false, holds: { object: [ACKNOWLEDGED.object, 'replaced'] } },
    ],
  },
  {
    name: 'set of a value that is already stored',
    run: entries => entries.set('new', LARGE),
    outcomes: [
      { gives: true, holds: { new: [LARGE] } },
      { gives: false, holds: { new: [undefined, LARGE] } },
    ],
  },
  {
    name: 'set with sources',
    isOfStoreAlone: true,
    run: entries => entries.set('new', 'x', { files: [source, directory, join(directory, 'missing')] }),
    outcomes: [
      { gives: true, holds: { new: ['x'] } },
      { gives: false, holds: { new: [undefined, 'x'] } },
    ],
  },
  {
    name: 'set with a source that fails',
    isOfSourceAlone: true,
    run: entries => entries.set('new', 'x', { files: [source] }),
    // It is valid while the source fails.
    outcomes: [{ gives: true, holds: { new: ['x', undefined] } }],
  },
  {
    name: 'set in a new namespace',
    run: (_entries, cache) => cache.namespace('fresh').set('key', 1),
    outcomes: [{ gives: true }, { gives: false }],
  },
  {
    name: 'setMany',
    run: entries =>
      entries.setMany([
        { key: 'new', value: 'a' },
        { key: 'plain', value: 'b' },
        { key: 'newer', value: LARGE },
      ]),
    outcomes: [
      { gives: 3, holds: { new: ['a'], plain: ['b'], newer: [LARGE] } },
      { gives: 0, holds: { new: [undefined, 'a'], plain: ['text', 'b'], newer: [undefined, LARGE] } },
    ],
  },
  {
    name: 'delete',
    run: entries => entries.delete('plain'),
    outcomes: [
      { gives: true, holds: { plain: [undefined] } },
      { gives: false, holds: { plain: ['text', undefined] } },
    ],
  },
  {
    name: 'invalidate',
    run: entries => entries.invalidate('large'),
    outcomes: [
      { gives: true, holds: { large: [undefined] } },
      { gives: false, holds: { large: [LARGE, undefined] } },
    ],
  },
  {
    name: 'clear',
    run: entries => entries.clear(),
    outcomes: [
      {
        gives: Object.keys(ACKNOWLEDGED).length,
        holds: Object.fromEntries(Object.keys(ACKNOWLEDGED).map(key => [key, [undefined]])),
      },
      {
        gives: 0,
        holds: Object.fromEntries(Object.entries(ACKNOWLEDGED).map(([key, value]) => [key, [value, undefined]])),
      },
    ],
  },
  {
    name: 'get',
    run: entries => entries.get('large'),
    outcomes: [{ gives: LARGE }, { gives: undefined }],
  },
  {
    name: 'get of an entry whose source fails',
    isOfSourceAlone: true,
    run: entries => entries.get('file'),
    outcomes: [{ gives: ACKNOWLEDGED.file }, { gives: undefined }],
  },
  {
    name: 'get of an entry whose source was touched',
    isOfStoreAlone: true,
    run: entries => entries.get('file'),
    outcomes: [{ gives: ACKNOWLEDGED.file }, { gives: undefined }],
  },
  {
    name: 'has',
    isOfStoreAlone: true,
    run: entries => entries.has('file'),
    outcomes: [{ gives: true }, { gives: false }],
  },
  {
    name: 'getMany',
    run: entries => entries.getMany(['plain', 'nothing']),
    outcomes: [{ gives: ['text', undefined] }, { gives: [undefined, undefined] }],
  },
  {
    name: 'keys',
    run: entries => [...entries.keys()].sort(),
    outcomes: [{ gives: Object.keys(ACKNOWLEDGED).sort() }, { gives: [] }],
  },
  { name: 'entries', run: entries => [...entries.entries()].length, outcomes: [{ gives: 5 }, { gives: 0 }] },
  { name: 'find', run: entries => entries.find('ttl').length, outcomes: [{ gives: 1 }, { gives: 0 }] },
  { name: 'stats of a namespace', run: entries => entries.stats(), outcomes: [{ gives: ANYTHING }] },
  { name: 'stats of a cache', run: (_entries, cache) => cache.stats(), outcomes: [{ gives: ANYTHING }] },
  {
    name: 'namespaces',
    run: (_entries, cache) => cache.namespaces(),
    outcomes: [{ gives: ['other', 'tool'] }, { gives: [] }],
  },
  {
    name: 'close',
    run: (_entries, cache) => {
      cache.close()
      return 'closed'
    },
    outcomes: [{ gives: 'closed' }],
  },
]

describe.each(OPERATIONS)('$name', operation => {
  test.each(FAULTS)('withstands $code, $span', kind => {
    const calls = [sweep(operation, kind, false), sweep(operation, kind, true)]
    if (operation.name !== 'close') expect(calls[0]).toBeGreaterThan(0)
  })
})

describe('opening', () => {
  test.each(FAULTS.filter(({ isShort }) => !isShort))('withstands $code, $span', kind => {
    for (let at = 1, hasFailed = true; hasFailed; at++) {
      const memory = filled.clone()
      const disk = new FaultyDisk(memory)
      const warnings: CacheWarning[] = []
      disk.fail({ ...kind, at })
      const cache = open(disk.files, warnings)
      hasFailed = disk.hasFailed
      disk.heal()
      expect([ACKNOWLEDGED.plain, undefined]).toContain(cache.namespace('tool').get('plain'))
      expect(typeof cache.namespace('tool').set('new', 1)).toBe('boolean')
      cache.close()
      expect(repeatedCodes(warnings)).toEqual([])
      const other = open(memory.files)
      verify(other, {}, `opened with ${kind.code} at call ${at}`)
      other.close()
    }
  })
})

describe('a first set in an empty directory', () => {
  test.each(FAULTS)('withstands $code, $span', kind => {
    for (let at = 1, hasFailed = true; hasFailed; at++) {
      const where = `${kind.code} ${kind.span} at call ${at}`
      const memory = new MemoryDisk()
      memory.files.makeDirectory(directory)
      const disk = new FaultyDisk(memory)
      const cache = open(disk.files)
      disk.fail({ ...kind, at })
      const isStored = cache.namespace('tool').set('key', 'value')
      hasFailed = disk.hasFailed
      const other = open(memory.files)
      expect(isStored ? ['value'] : [undefined, 'value'], where).toContain(other.namespace('tool').get('key'))
      disk.heal()
      expect(cache.namespace('tool').set('key', 'again'), where).toBe(true)
      expect(cache.namespace('tool').get('key'), where).toBe('again')
      cache.close()
      other.close()
      const last = open(memory.files)
      expect(last.namespace('tool').get('key'), where).toBe('again')
      last.close()
    }
  })
})

/** What a set, a close, ... does to files that are about to be rewritten; keys are long, so that few of them are enough. */
const keyOf = (index: number) => `${String(index).padStart(4, '0')}${'k'.repeat(3900)}`

const isSplit = (disk: MemoryDisk) => !disk.paths().some(path => path.endsWith(join('tool', 'manifest', '_.0')))

function expectAll(cache: Cache, keyCount: number, where: string): void {
  const entries = cache.namespace('tool')
  const lost: number[] = []
  for (let index = 0; index < keyCount; index++) if (entries.get(keyOf(index)) !== index) lost.push(index)
  if (lost.length > 0) throw new Error(`${where}: ${lost.length} of ${keyCount} entries are lost`)
}

describe('a set that splits a full bucket', () => {
  let full: MemoryDisk
  let count = 0

  beforeAll(() => {
    const fill = (disk: MemoryDisk, isFull: (count: number) => boolean) => {
      disk.files.makeDirectory(directory)
      const cache = open(disk.files)
      let index = 0
      while (!isFull(index)) cache.namespace('tool').set(keyOf(index), index++)
      cache.close()
      return index
    }
    const probe = new MemoryDisk()
    count = fill(probe, index => index > 0 && isSplit(probe))
    full = new MemoryDisk()
    fill(full, index => index === count - 1)
    expect(isSplit(full)).toBe(false)
  })

  function sweepSplit(kind: Omit<Fault, 'at'>, look: (disk: MemoryDisk, stored: number, where: string) => void): void {
    for (let at = 1, hasFailed = true; hasFailed; at++) {
      const where = `${kind.code} ${kind.span} at call ${at}`
      const memory = full.clone()
      const disk = new FaultyDisk(memory)
      const warnings: CacheWarning[] = []
      const cache = open(disk.files, warnings)
      disk.fail({ ...kind, at })
      const isStored = cache.namespace('tool').set(keyOf(count - 1), count - 1)
      hasFailed = disk.hasFailed
      expect(repeatedCodes(warnings), where).toEqual([])
      const stored = isStored ? count : count - 1
      look(memory, stored, where)
      disk.heal()
      expect(cache.namespace('tool').set('later', 2), where).toBe(true)
      expectAll(cache, stored, `${where}, after it`)
      cache.close()
      const last = open(memory.files)
      expectAll(last, stored, `${where}, at last`)
      expect(last.namespace('tool').get('later'), where).toBe(2)
      last.close()
      if (!hasFailed) expect(isSplit(memory)).toBe(true)
    }
  }

  test.each(FAULTS)('loses nothing in other processes, with $code, $span', kind => {
    sweepSplit(kind, (memory, stored, where) => {
      const other = open(memory.files)
      expectAll(other, stored, `${where}, another process`)
      const keys = [...other.namespace('tool').keys()]
      expect(keys.length, where).toBe(new Set(keys).size)
      expect(keys.length, where).toBeGreaterThanOrEqual(stored)
      expect(other.namespace('tool').set('after', 1), where).toBe(true)
      other.close()
    })
  })

  test.each(FAULTS)('loses nothing in a read-only process, with $code, $span', kind => {
    sweepSplit(kind, (memory, stored, where) => {
      const before = memory.paths()
      const reader = open(memory.files, [], true)
      expectAll(reader, stored, `${where}, read-only`)
      const keys = [...reader.namespace('tool').keys()]
      expect(keys.length, where).toBe(new Set(keys).size)
      expect(keys.length, where).toBeGreaterThanOrEqual(stored)
      reader.close()
      expect(memory.paths(), where).toEqual(before)
    })
  })
})

describe('a close that rewrites the file of counts', () => {
  const totals = (disk: MemoryDisk) => {
    const cache = open(disk.files)
    const { missCount } = cache.stats()
    cache.close()
    return missCount
  }
  const countOnce = (files: Files) => {
    const cache = open(files)
    cache.namespace('tool').get('never set')
    return cache
  }
  const isRewritten = (disk: MemoryDisk) => !disk.paths().some(path => path.endsWith(join('tool', 'counters', '_.0')))
  let full: MemoryDisk
  let count = 0

  beforeAll(() => {
    const probe = filled.clone()
    while (!isRewritten(probe)) {
      countOnce(probe.files).close()
      count++
    }
    full = filled.clone()
    for (let index = 1; index < count; index++) countOnce(full.files).close()
    expect(isRewritten(full)).toBe(false)
  })

  test.each(FAULTS)('loses at most its own counts, with $code, $span', kind => {
    for (let at = 1, hasFailed = true; hasFailed; at++) {
      const where = `${kind.code} ${kind.span} at call ${at}`
      const memory = full.clone()
      const before = totals(memory)
      const disk = new FaultyDisk(memory)
      const cache = countOnce(disk.files)
      disk.fail({ ...kind, at })
      try {
        cache.close()
      } catch (error) {
        throw new Error(`${where}: close threw`, { cause: error })
      }
      hasFailed = disk.hasFailed
      expect(hasFailed ? [before, before + 1] : [before + 1], where).toContain(totals(memory))
      countOnce(memory.files).close()
      expect(totals(memory), where).toBeGreaterThanOrEqual(before + 1)
      if (!hasFailed) expect(isRewritten(memory)).toBe(true)
    }
  })
})
