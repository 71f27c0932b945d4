// Every file call that an operation makes fails once, or from then on, with each error that a disk gives. The host sees no
// exception; what was acknowledged before is still there; and the store goes on, for this process and for others.
//
// A fault that lasts is also what a kill at that call leaves behind: nothing after it changes the disk any more.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CacheHandle } from '../../src/cache/cache.js'
import type { Files } from '../../src/files/files.js'
import type { Cache, CacheWarning, Namespace } from '../../src/index.js'
import { repeatedCodes } from '../support/caches.js'
import { type Fault, FaultyDisk } from '../support/files.js'
import { MemoryDisk } from '../support/memory-disk.js'

const NOW = Date.now()
const LARGE = Buffer.alloc(3000, 'large')

let directory: string
let source: string
let work: string
/** The disk with a small store on it, to be cloned. */
let filled: MemoryDisk

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  source = join(directory, 'source.js')
  work = join(directory, 'work')
  writeFileSync(source, 'const a = 1')
  filled = MemoryDisk.of(directory)
  const cache = open(filled.files)
  const entries = cache.namespace('tool')
  for (const [key, value] of Object.entries(ACKNOWLEDGED)) {
    entries.set(key, value, key === 'file' ? { files: [source, join(directory, 'missing')] } : {})
  }
  entries.set('gone', 1)
  entries.delete('gone')
  cache.namespace('other').set('key', 'other')
  cache.close()
  // Other times than were recorded, so that a hit has something to write.
  filled.write(source, Buffer.from('const a = 1'), 1000)
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

const ACKNOWLEDGED: Record<string, unknown> = {
  object: { a: [1, 2, 3] },
  large: LARGE,
  file: 'bound to a file',
  ttl: 'ends late',
  plain: 'text',
}

function open(files: Files, warnings: CacheWarning[] = [], readOnly = false): Cache {
  const onWarning = (warning: CacheWarning) => warnings.push(warning)
  return new CacheHandle({ dir: work, onWarning, readOnly, clock: () => NOW }, { files })
}

interface Operation {
  name: string
  run(entries: Namespace, cache: Cache): unknown
  /** What the operation may give, and what each key that it is about may then hold; all other keys hold what they held. */
  outcomes: { gives: unknown; holds?: Record<string, unknown[]> }[]
}

const ANYTHING = Symbol('whatever it gives')
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
    name: 'set of a value that is stored already',
    run: entries => entries.set('new', LARGE),
    outcomes: [
      { gives: true, holds: { new: [LARGE] } },
      { gives: false, holds: { new: [undefined, LARGE] } },
    ],
  },
  {
    name: 'set with sources',
    run: entries => entries.set('new', 'x', { files: [source, directory, join(directory, 'missing')] }),
    outcomes: [
      { gives: true, holds: { new: ['x'] } },
      { gives: false, holds: { new: [undefined, 'x'] } },
    ],
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
    name: 'get of an entry whose source was touched',
    run: entries => entries.get('file'),
    outcomes: [{ gives: ACKNOWLEDGED.file }, { gives: undefined }],
  },
  { name: 'has', run: entries => entries.has('file'), outcomes: [{ gives: true }, { gives: false }] },
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
  { name: 'close', run: (_entries, cache) => cache.close() ?? 'closed', outcomes: [{ gives: 'closed' }] },
]

const FAULTS: Omit<Fault, 'at'>[] = [
  { code: 'ENOSPC', span: 'once' },
  { code: 'ENOSPC', span: 'lasting', writtenShare: 0.6 },
  { code: 'EIO', span: 'once', writtenShare: 1 },
  { code: 'EIO', span: 'lasting' },
  { code: 'EACCES', span: 'once' },
  { code: 'EROFS', span: 'lasting' },
  { code: 'EMFILE', span: 'once' },
  { code: 'EMFILE', span: 'lasting' },
  { code: 'short write', span: 'once', isShort: true, writtenShare: 0.4 },
  { code: 'short write', span: 'lasting', isShort: true, writtenShare: 0 },
]

// A thousand times faster than `expect`, of which there would be a million here.
const matches = (actual: unknown, expected: unknown) => expected === ANYTHING || isDeepStrictEqual(actual, expected)

/** Runs the operation with a fault at each of its calls in turn; returns how many there were. */
function sweep(operation: Operation, kind: Omit<Fault, 'at'>, isWarm: boolean): number {
  for (let at = 1; ; at++) {
    const where = `${operation.name}, ${kind.code} ${kind.span} at call ${at}${isWarm ? ', warm' : ''}`
    const memory = filled.clone()
    const disk = new FaultyDisk(memory)
    const warnings: CacheWarning[] = []
    const cache = open(disk.files, warnings)
    const entries = cache.namespace('tool')
    if (isWarm) {
      entries.get('plain')
      entries.set('plain', ACKNOWLEDGED.plain)
    }
    disk.fail({ ...kind, at })
    let given: unknown
    try {
      given = operation.run(entries, cache)
    } catch (error) {
      throw new Error(`${where}: threw`, { cause: error })
    }
    const hasFailed = disk.hasFailed
    const outcome = operation.outcomes.find(({ gives }) => matches(given, gives))
    if (!outcome) throw new Error(`${where}: gave ${JSON.stringify(given)}`)
    if (!hasFailed && outcome !== operation.outcomes[0]) throw new Error(`${where}: failed without a fault`)
    const demand = (holds: boolean, what: string) => {
      if (!holds) console.log(warnings.map(w => (w.cause as Error)?.stack))
      if (!holds) throw new Error(`${where}: ${what}`, { cause: warnings })
    }
    demand(repeatedCodes(warnings).length === 0, 'warned twice')
    demand(!hasFailed || outcome === operation.outcomes[0] || warnings.length > 0, 'failed without a warning')
    const other = open(memory.files)
    verify(other, outcome.holds ?? {}, `${where}, seen by another process while the fault lasts`)
    disk.heal()
    const isOpen = operation.name !== 'close'
    if (isOpen) verify(cache, outcome.holds ?? {}, `${where}, seen after it`)
    demand(other.namespace('tool').set('after', at), 'another process cannot set')
    if (isOpen) {
      demand(entries.set('after', -at), 'nothing can be set after it')
      demand(entries.get('after') === -at, 'what is set after it is lost')
      demand(cache.namespace('other').get('key') === 'other', 'another namespace is harmed')
      cache.close()
    }
    other.close()
    const last = open(memory.files)
    demand(last.namespace('tool').get('after') === (isOpen ? -at : at), 'what was set last is lost')
    last.close()
    if (!hasFailed) return at - 1
  }
}

function verify(cache: Cache, changed: Record<string, unknown[]>, where: string): void {
  const entries = cache.namespace('tool')
  for (const key of new Set([...Object.keys(ACKNOWLEDGED), ...Object.keys(changed)])) {
    const allowed = changed[key] ?? [ACKNOWLEDGED[key]]
    const actual = entries.get(key)
    if (!allowed.some(value => matches(actual, value))) throw new Error(`${where}: ${key} is ${JSON.stringify(actual)}`)
  }
}

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

  test.each(FAULTS)('loses nothing that others find, with $code, $span', kind => {
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

  test.each(FAULTS)('loses nothing that a read-only process finds, with $code, $span', kind => {
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

describe('a close that rewrites the file of the counts', () => {
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
