// A small store with each file cut at every length and each byte altered. A get then returns the value that was set, or
// undefined, and the store accepts new sets that other processes find.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES } from '../../src/base/layout.js'
import { CacheHandle } from '../../src/cache/cache.js'
import { type Files, nodeFiles } from '../../src/files/files.js'
import type { Cache, CacheWarning } from '../../src/index.js'
import { filesBelow, repeatedCodes } from '../support/caches.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { counting } from '../support/torture.js'

const count = counting()

const START = Date.UTC(2026, 0, 1)
const FILES = [
  'CACHEDIR.TAG',
  'v2/blobs/index/_.0',
  'v2/blobs/packs/0.pack',
  'v2/file-hashes/_.0',
  'v2/namespaces/one/counters/_.0',
  'v2/namespaces/one/manifest/_.0',
  'v2/namespaces/two/counters/_.0',
  'v2/namespaces/two/manifest/_.0',
  'v2/seed',
].map(path => join(...path.split('/')))

/** Each key is set once: a get gives its value or nothing. */
const VALUES: Record<string, Record<string, unknown>> = {
  one: { text: 'the first value', number: 12.5, list: [1, 2, { three: 'x' }], ttl: 'ends late', computed: 'once' },
  two: { text: 'another namespace', shared: 'the first value' },
}

let directory: string
let work: string
let source: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  work = join(directory, 'work')
  source = join(directory, 'source.js')
  writeFileSync(source, 'const a = 1')
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function open(files: Files = nodeFiles, warnings: CacheWarning[] = [], dir = work): Cache {
  const onWarning = (warning: CacheWarning) => warnings.push(warning)
  // By chance a process looks after the store at its first set, which makes another file.
  return new CacheHandle({ dir, clock: () => START, onWarning }, { files, random: () => 0.5 })
}

/** What is computed where it is not found is right whatever is damaged. */
function expectComputed(cache: Cache, where: string): void {
  const entries = cache.namespace('one')
  const computed = entries.getOrSetSync('computed', () => VALUES.one?.computed)
  const analysis = entries.analyzeSync('of', source, context => `of ${context.source}`)
  if (computed !== 'once' || analysis !== 'of const a = 1') throw new Error(`${where}: ${computed}, ${analysis}`)
}

function storeValues(cache: Cache): void {
  expectComputed(cache, 'at first')
  for (const [name, values] of Object.entries(VALUES)) {
    const entries = cache.namespace(name)
    for (const [key, value] of Object.entries(values)) {
      if (key !== 'computed') entries.set(key, value, key === 'ttl' ? { ttl: 1e9 } : {})
    }
    entries.get('nothing')
  }
}

/** Gets of everything; throws for what is neither the value nor a miss, and returns the number of hits. */
function hitsIn(cache: Cache, where: string): number {
  let hits = 0
  for (const [name, values] of Object.entries(VALUES)) {
    for (const [key, value] of Object.entries(values)) {
      const actual = cache.namespace(name).get(key)
      if (actual === undefined) continue
      hits++
      if (JSON.stringify(actual) !== JSON.stringify(value)) {
        throw new Error(`${where}: ${name}/${key} is ${JSON.stringify(actual)}`)
      }
    }
  }
  return hits
}

/** Everything that a caller may do with the damaged store in `work`. */
function exercise(where: string, files: Files = nodeFiles): number {
  count('damaged stores')
  const warnings: CacheWarning[] = []
  const cache = open(files, warnings)
  const hits = hitsIn(cache, where)
  for (const name of Object.keys(VALUES)) {
    const known = new Set(Object.keys(VALUES[name] as object))
    for (const key of cache.namespace(name).keys()) if (!known.has(key)) throw new Error(`${where}: made up key ${key}`)
    if (cache.namespace(name).set('new', where) !== true) throw new Error(`${where}: nothing can be set`)
    if (cache.namespace(name).set('text', where) !== true) throw new Error(`${where}: nothing can be replaced`)
  }
  cache.stats()
  expectComputed(cache, where)
  if (cache.namespace('two').set('shared', VALUES.one?.text) !== true) throw new Error(`${where}: set of known bytes`)
  cache.close()
  expect(repeatedCodes(warnings), where).toEqual([])
  const other = open(files)
  for (const name of Object.keys(VALUES)) {
    const found = other.namespace(name).getMany(['new', 'text'])
    if (found[0] !== where || found[1] !== where) throw new Error(`${where}: what was set afterwards is lost`)
  }
  if (other.namespace('two').get('shared') !== VALUES.one?.text)
    throw new Error(`${where}: known bytes were not mended`)
  other.close()
  return hits
}

describe('a store in which each key was set once', () => {
  let template: string
  let contents: Map<string, Buffer>
  let whole: MemoryDisk

  beforeAll(() => {
    template = join(directory, 'template')
    // Later than the source, so that its fingerprint is worth remembering.
    const cache = open({ ...nodeFiles, now: () => Date.now() + 10_000 }, [], template)
    storeValues(cache)
    cache.close()
    contents = new Map(FILES.map(file => [file, readFileSync(join(template, file))]))
    expect(filesBelow(template)).toEqual([...FILES].sort())
    cpSync(template, work, { recursive: true })
    whole = MemoryDisk.of(work)
    whole.write(source, readFileSync(source))
    rmSync(work, { recursive: true })
  })
  beforeEach(() => cpSync(template, work, { recursive: true }))
  afterEach(() => rmSync(work, { recursive: true, force: true }))

  function restore(): void {
    for (const [file, bytes] of contents) writeFileSync(join(work, file), bytes)
  }

  /** The store with other bytes in one of its files, on a disk of its own. */
  function altered(file: string, bytes: Buffer): Files {
    const disk = whole.clone()
    disk.write(join(work, file), bytes)
    return disk.files
  }

  /**
   * How many entries are found whatever became of the byte at this position of a manifest. It takes one with it (of which the
   * frame may be a lease), and all before that where it is a header's: any of these may have been replaced there.
   */
  function unharmedCount(file: string, bytes: Buffer, at: number): number {
    const starts: number[] = []
    for (let start = 0; start < bytes.length; ) {
      starts.push(start)
      start += FRAME_HEADER_BYTES + bytes.readUInt32LE(start + 4) + FRAME_TRAILER_BYTES
    }
    const frameAt = (position: number) => starts.findLast(start => start <= position) as number
    const damaged = frameAt(at)
    const damagedBytes = bytes.subarray(
      damaged,
      starts.find(start => start > damaged),
    )
    const isHeader = at < damaged + FRAME_HEADER_BYTES
    return Object.entries(VALUES).reduce((count, [name, values]) => {
      const keys = Object.keys(values)
      if (!file.includes(join('namespaces', name))) return count + keys.length
      const others = keys.filter(key => !damagedBytes.includes(key))
      return count + others.filter(key => !isHeader || frameAt(bytes.lastIndexOf(key)) > damaged).length
    }, 0)
  }

  test('returns everything while it is undamaged', () => {
    expect(exercise('whole')).toBe(7)
  })

  test.each(FILES)('survives %s cut at every length', file => {
    const bytes = contents.get(file) as Buffer
    for (let cut = 0; cut < bytes.length; cut++) {
      exercise(`${file} cut to ${cut} bytes`, altered(file, bytes.subarray(0, cut)))
    }
  })

  test.each(FILES)(
    'survives every byte of %s altered',
    file => {
      const bytes = contents.get(file) as Buffer
      for (let at = 0; at < bytes.length; at++) {
        for (const mask of [0xff, 1 << (at & 7)]) {
          const wrong = Buffer.from(bytes)
          wrong[at] = (wrong[at] as number) ^ mask
          const hits = exercise(`${file} with byte ${at} xor ${mask}`, altered(file, wrong))
          if (file.includes('manifest')) expect(hits).toBeGreaterThanOrEqual(unharmedCount(file, bytes, at))
        }
      }
    },
    600_000,
  )

  test.each(FILES)('survives %s with zeros from any byte on, as after a power cut', file => {
    const bytes = contents.get(file) as Buffer
    for (let from = 0; from < bytes.length; from++) {
      const zeros = Buffer.alloc(bytes.length - from + 100)
      exercise(`${file} zero from ${from} on`, altered(file, Buffer.concat([bytes.subarray(0, from), zeros])))
    }
  })

  test.each(FILES)('survives %s emptied, removed, doubled and followed by garbage', file => {
    const bytes = contents.get(file) as Buffer
    const path = join(work, file)
    const damages: [string, () => void][] = [
      ['emptied', () => writeFileSync(path, '')],
      ['removed', () => rmSync(path)],
      ['doubled', () => writeFileSync(path, Buffer.concat([bytes, bytes]))],
      ['with a tail', () => writeFileSync(path, Buffer.concat([bytes, Buffer.from('x'.repeat(5000))]))],
      ['with a head', () => writeFileSync(path, Buffer.concat([Buffer.from('x'.repeat(777)), bytes]))],
    ]
    for (const [what, damage] of damages) {
      restore()
      damage()
      exercise(`${file} ${what}`)
    }
  })

  test('survives any two of its files swapped, or one copied over another', () => {
    for (const a of FILES) {
      for (const b of FILES) {
        if (a === b) continue
        restore()
        writeFileSync(join(work, a), contents.get(b) as Buffer)
        exercise(`${a} a copy of ${b}`)
        if (a > b) continue
        restore()
        writeFileSync(join(work, a), contents.get(b) as Buffer)
        writeFileSync(join(work, b), contents.get(a) as Buffer)
        exercise(`${a} and ${b} swapped`)
      }
    }
  })

  test.each(FILES)('does not throw while a directory replaces %s, and recovers afterwards', file => {
    restore()
    const path = join(work, file)
    rmSync(path)
    mkdirSync(path)
    const warnings: CacheWarning[] = []
    const cache = open(nodeFiles, warnings)
    hitsIn(cache, `directory at ${file}`)
    expectComputed(cache, `directory at ${file}`)
    for (const name of ['one', 'two', 'three']) {
      const entries = cache.namespace(name)
      expect(typeof entries.set('new', name)).toBe('boolean')
      expect([name, undefined]).toContain(entries.get('new'))
      expect(typeof entries.delete('number')).toBe('boolean')
      expect([...entries.keys()].length).toBeGreaterThanOrEqual(0)
      expect(typeof entries.clear()).toBe('number')
    }
    cache.stats()
    cache.close()
    expect(repeatedCodes(warnings)).toEqual([])
    rmSync(path, { recursive: true })
    restore()
    exercise(`${file} was a directory`)
  })

  test.each([
    'v2',
    'v2/blobs',
    'v2/blobs/index',
    'v2/blobs/packs',
    'v2/namespaces',
    'v2/namespaces/one',
    'v2/namespaces/one/manifest',
  ])('works again after the directory %s was removed', directoryName => {
    rmSync(join(work, directoryName), { recursive: true })
    exercise(`${directoryName} removed`)
  })

  test.each(['v2', 'v2/blobs', 'v2/blobs/packs', 'v2/namespaces', 'v2/namespaces/one'])(
    'does not throw while a file replaces the directory %s',
    directoryName => {
      rmSync(join(work, directoryName), { recursive: true })
      writeFileSync(join(work, directoryName), 'a file')
      const warnings: CacheWarning[] = []
      const cache = open(nodeFiles, warnings)
      hitsIn(cache, `file at ${directoryName}`)
      for (const name of ['one', 'two']) {
        expect(typeof cache.namespace(name).set('new', 1)).toBe('boolean')
        expect(cache.namespace(name).setMany([{ key: 'a', value: 1 }])).toBeLessThanOrEqual(1)
        expect(typeof cache.namespace(name).delete('text')).toBe('boolean')
        expect([...cache.namespace(name).entries()].length).toBeLessThan(6)
      }
      cache.stats()
      cache.close()
      expect(warnings.length).toBeGreaterThan(0)
      expect(repeatedCodes(warnings)).toEqual([])
      expect(readFileSync(join(work, directoryName), 'utf8')).toBe('a file')
    },
  )

  test('ignores foreign files and directories among its own', () => {
    for (const place of ['', 'v2', 'v2/blobs/index', 'v2/blobs/packs', 'v2/namespaces/one/manifest']) {
      for (const name of ['README', '.DS_Store', '_.x', '_.0.bak', 'x.pack', '-1.pack', 'é']) {
        writeFileSync(join(work, place, name), 'foreign')
      }
      mkdirSync(join(work, place, 'q'))
    }
    mkdirSync(join(work, 'v2', 'namespaces', 'Not Escaped'))
    writeFileSync(join(work, 'v2', 'namespaces', 'file'), 'foreign')
    expect(exercise('foreign files')).toBe(7)
    const cache = open()
    expect(cache.namespaces()).not.toContain('Not Escaped')
    cache.close()
  })
})
