// Roots that cannot be used, that contain foreign files, or that disappear.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CACHE_TAG } from '../../src/base/layout.js'
import type { Cache } from '../../src/index.js'
import {
  filesBelow,
  nextTurn,
  openAsAnotherProcess,
  openIn,
  repeatedCodes,
  temporaryDirectory,
  temporaryRoot,
} from '../support/caches.js'
import { runModule } from '../support/children.js'
import { fullDiskFiles, readOnlyFiles } from '../support/files.js'

/** What every operation gives on a root that cannot be used. */
function expectNothing(cache: Cache): void {
  const entries = cache.namespace('tool')
  expect([entries.get('key'), entries.has('key')]).toEqual([undefined, false])
  expect([entries.set('key', 1), entries.setMany([{ key: 'a', value: 1 }])]).toEqual([false, 0])
  expect([entries.delete('key'), entries.invalidate('key'), entries.clear()]).toEqual([false, false, 0])
  expect([[...entries.keys()], [...entries.entries()], entries.find('key')]).toEqual([[], [], []])
  expect(entries.get('key')).toBe(undefined)
  expect(entries.stats()).toMatchObject({ entryCount: 0, hitCount: 0 })
  expect([cache.namespaces(), cache.stats().entryCount]).toEqual([[], 0])
}

describe('a root that is a file', () => {
  test('stores nothing, warns once and leaves the file unchanged', async () => {
    const dir = join(temporaryDirectory(), 'file')
    writeFileSync(dir, 'mine')
    const { cache, warnings } = openIn(dir)
    expectNothing(cache)
    await expect(cache.gc()).rejects.toMatchObject({ code: 'ERR_CACHE_ROOT' })
    cache.close()
    expect(warnings).toMatchObject([{ code: 'ERR_CACHE_ROOT', message: expect.stringContaining(dir) }])
    expect(readFileSync(dir, 'utf8')).toBe('mine')
  })

  test('below another file stores nothing either', () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, 'mine')
    const { cache, warnings } = openIn(join(file, 'deeper', 'cache'))
    expectNothing(cache)
    cache.close()
    expect(warnings.length).toBeGreaterThan(0)
    expect(repeatedCodes(warnings)).toEqual([])
  })

  test('or a link to itself stores nothing either', () => {
    const dir = join(temporaryDirectory(), 'loop')
    symlinkSync('loop', dir)
    const { cache, warnings } = openIn(dir)
    expectNothing(cache)
    cache.close()
    expect(warnings[0]).toMatchObject({ code: 'ERR_CACHE_ROOT' })
    expect(repeatedCodes(warnings)).toEqual([])
  })

  test('gives a Node process warning if there is no onWarning', async () => {
    const dir = join(temporaryDirectory(), 'file')
    writeFileSync(dir, 'mine')
    const { stderr } = await runModule(
      `const entries = library.openCacheSync(args).namespace('tool')
       for (let i = 0; i < 10; i++) entries.set('key', entries.get('key') ?? i)`,
      { dir },
    )
    expect(stderr.match(/ERR_CACHE_ROOT/g)?.length).toBe(1)
    expect(stderr).toContain('WickedCacheWarning')
  })
})

describe('a root with foreign files', () => {
  const foreign = () => {
    const dir = temporaryDirectory()
    mkdirSync(join(dir, 'src'))
    writeFileSync(join(dir, 'src', 'a.js'), 'a')
    writeFileSync(join(dir, '.git'), 'gitdir')
    return dir
  }

  test('is rejected, and nothing in it is changed', async () => {
    const dir = foreign()
    const before = [filesBelow(dir), statSync(dir).mtimeMs]
    const { cache, warnings } = openIn(dir)
    expectNothing(cache)
    await expect(cache.gc()).rejects.toMatchObject({ code: 'ERR_CACHE_ROOT' })
    cache.close()
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_ROOT'])
    expect([filesBelow(dir), statSync(dir).mtimeMs]).toEqual(before)
  })

  test.each(['', 'process.exit(0)', 'cache.close()'])('is not changed at exit either: %j', async ending => {
    const dir = foreign()
    const before = [filesBelow(dir), statSync(dir).mtimeMs]
    await runModule(
      `const cache = library.openCacheSync({ ...args, onWarning() {} })
       const entries = cache.namespace('tool')
       for (let i = 0; i < 3000; i++) entries.set('key', entries.get('key') ?? i)
       ${ending}`,
      { dir },
    )
    expect([filesBelow(dir), statSync(dir).mtimeMs]).toEqual(before)
  })

  test('that appear after opening is not written to', () => {
    const dir = temporaryDirectory()
    const { cache, warnings } = openIn(dir)
    expect(cache.namespace('tool').get('key')).toBe(undefined)
    writeFileSync(join(dir, 'theirs'), 'theirs')
    expect(cache.namespace('tool').set('key', 1)).toBe(false)
    cache.close()
    expect(readdirSync(dir)).toEqual(['theirs'])
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_ROOT'])
  })

  test('is still used if a cache is already there', () => {
    const dir = temporaryDirectory()
    openIn(dir).cache.namespace('tool').set('key', 1)
    writeFileSync(join(dir, '.DS_Store'), 'x')
    const { cache, warnings } = openAsAnotherProcess(dir)
    expect([cache.namespace('tool').get('key'), warnings]).toEqual([1, []])
  })
})

describe('a root of another format version', () => {
  test('is left alone beside the current version', () => {
    const dir = temporaryRoot()
    const theirs = join(dir, 'v3', 'blobs', 'index')
    mkdirSync(theirs, { recursive: true })
    writeFileSync(join(theirs, '_.0'), 'a later format')
    writeFileSync(join(dir, 'CACHEDIR.TAG'), CACHE_TAG.replace('deleted', 'removed'))
    const { cache, warnings } = openIn(dir)
    expect(cache.namespace('tool').set('key', 1)).toBe(true)
    expect(cache.namespaces()).toEqual(['tool'])
    cache.namespace('tool').clear()
    cache.close()
    expect(filesBelow(join(dir, 'v3'))).toEqual([join('blobs', 'index', '_.0')])
    expect(readFileSync(join(theirs, '_.0'), 'utf8')).toBe('a later format')
    expect(readFileSync(join(dir, 'CACHEDIR.TAG'), 'utf8')).toContain('removed')
    expect(warnings).toEqual([])
  })

  test('is left alone by a gc', async () => {
    const dir = temporaryRoot()
    const { cache } = openIn(dir)
    cache.namespace('tool').set('key', 1)
    mkdirSync(join(dir, 'v3'))
    writeFileSync(join(dir, 'v3', '0.pack'), 'a later format')
    await cache.gc()
    expect(readFileSync(join(dir, 'v3', '0.pack'), 'utf8')).toBe('a later format')
  })
})

describe('a read-only root', () => {
  test('gives hits and misses, stores nothing and warns once', () => {
    const dir = temporaryRoot()
    openIn(dir).cache.namespace('tool').set('key', 1)
    const { cache, warnings } = openAsAnotherProcess(dir, {}, { files: readOnlyFiles() })
    const entries = cache.namespace('tool')
    for (let round = 0; round < 3; round++) {
      expect([1, undefined]).toContain(entries.get('key'))
      expect([entries.set('new', 1), entries.setMany([{ key: 'new', value: 1 }])]).toEqual([false, 0])
      expect([entries.delete('key'), entries.clear(), entries.get('new')]).toEqual([false, 0, undefined])
    }
    cache.close()
    expect(warnings).toMatchObject([{ code: 'ERR_CACHE_IO' }])
    expect(openAsAnotherProcess(dir).cache.namespace('tool').get('key')).toBe(1)
  })

  test('opened with mode readonly gives hits without a warning', () => {
    const dir = temporaryRoot()
    const writer = openIn(dir).cache.namespace('tool')
    writer.setMany(Array.from({ length: 2000 }, (_, index) => ({ key: `key ${index}`, value: index })))
    const { cache, warnings } = openAsAnotherProcess(dir, { mode: 'readonly' }, { files: readOnlyFiles() })
    for (let index = 0; index < 2000; index += 37) expect(cache.namespace('tool').get(`key ${index}`)).toBe(index)
    expect(cache.stats().entryCount).toBe(2000)
    cache.close()
    expect(warnings).toEqual([])
  })

  test('without write permission stores nothing and breaks nothing', async () => {
    const dir = temporaryRoot()
    openIn(dir).cache.namespace('tool').set('key', 'value')
    const { lines, stderr } = await runModule(
      `import { chmodSync, readdirSync } from 'node:fs'
       import { join } from 'node:path'
       const each = path => {
         chmodSync(path, 0o755)
         for (const entry of readdirSync(path, { withFileTypes: true })) {
           if (entry.isDirectory()) each(join(path, entry.name))
           else chmodSync(join(path, entry.name), 0o444)
         }
         chmodSync(path, 0o555)
       }
       each(args.dir)
       chmodSync(join(args.dir, '..'), 0o755)
       // The superuser may write anywhere.
       if (process.getuid() === 0) process.setuid(65534)
       const codes = []
       const cache = library.openCacheSync({ ...args, onWarning: ({ code }) => codes.push(code) })
       const entries = cache.namespace('tool')
       const reader = library.openCacheSync({ ...args, mode: 'readonly' }).namespace('tool')
       print(JSON.stringify([entries.set('new', 1), entries.get('new') ?? null, reader.get('key') ?? null, codes]))`,
      { dir },
    )
    expect(stderr).toBe('')
    expect(JSON.parse(lines[0] as string)).toEqual([false, null, 'value', ['ERR_CACHE_IO']])
  })

  test('whose parent has no write permission stores nothing either', async () => {
    const parent = temporaryDirectory()
    const { lines } = await runModule(
      `import { chmodSync } from 'node:fs'
       chmodSync(args.parent, 0o555)
       if (process.getuid() === 0) process.setuid(65534)
       const codes = []
       const entries = library.openCacheSync({ dir: args.parent + '/cache', onWarning: ({ code }) => codes.push(code) }).namespace('tool')
       print(JSON.stringify([entries.set('new', 1), entries.get('new') ?? null, codes]))`,
      { parent },
    )
    expect(JSON.parse(lines[0] as string)).toEqual([false, null, ['ERR_CACHE_IO']])
  })
})

test('a user without a home directory gets a cache that never fails', async () => {
  const { lines } = await runModule(
    `// Only the superuser can become a user that nothing is known of; for others this is an ordinary opening.
     delete process.env.HOME
     for (const name of ['WICKED_CACHE_DIR', 'XDG_CACHE_HOME']) delete process.env[name]
     if (process.getuid() === 0) process.setuid(54321)
     const codes = []
     const cache = library.openCacheSync({ mode: 'readonly', onWarning: ({ code }) => codes.push(code) })
     print(JSON.stringify([cache.namespace('tool').get('key') ?? null, new Set(codes).size === codes.length]))`,
  )
  expect(lines).toEqual(['[null,true]'])
})

describe('a full disk', () => {
  test('stores what fits, keeps it and warns once', () => {
    const dir = temporaryRoot()
    for (const bytes of [0, 1, 100, 500, 1000, 2000, 5000, 20_000]) {
      rmSync(dir, { recursive: true, force: true })
      const room = { bytes, refusals: 0 }
      const { cache, warnings } = openAsAnotherProcess(dir, {}, { files: fullDiskFiles(room) })
      const entries = cache.namespace('tool')
      const stored: number[] = []
      for (let index = 0; index < 300; index++)
        if (entries.set(`key ${index}`, { index, pad: 'x'.repeat(50) })) stored.push(index)
      for (const index of stored) expect(entries.get(`key ${index}`)).toMatchObject({ index })
      expect(stored.length).toBeLessThan(300)
      expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_IO'])
      room.bytes = Number.POSITIVE_INFINITY
      expect(entries.set('room again', 1)).toBe(true)
      cache.close()
      const other = openAsAnotherProcess(dir).cache.namespace('tool')
      for (const index of stored) expect(other.get(`key ${index}`)).toMatchObject({ index })
      expect(other.get('room again')).toBe(1)
    }
  })

  test('still gives hits', () => {
    const dir = temporaryRoot()
    openIn(dir).cache.namespace('tool').set('key', 1)
    const { cache } = openAsAnotherProcess(dir, {}, { files: fullDiskFiles({ bytes: 0, refusals: 0 }) })
    expect(cache.namespace('tool').set('other', 2)).toBe(false)
    expect(cache.namespace('tool').getMany(['key', 'other'])).toEqual([1, undefined])
  })
})

describe('a root that is deleted while a cache is open', () => {
  const deletions: [string, (dir: string) => void][] = [
    ['completely', dir => rmSync(dir, { recursive: true })],
    ['except for its tag', dir => rmSync(join(dir, 'v2'), { recursive: true })],
    ['in its packs', dir => rmSync(join(dir, 'v2', 'blobs', 'packs'), { recursive: true })],
    ['in its blobs', dir => rmSync(join(dir, 'v2', 'blobs'), { recursive: true })],
    ['in its blob index', dir => rmSync(join(dir, 'v2', 'blobs', 'index'), { recursive: true })],
    ['in its namespaces', dir => rmSync(join(dir, 'v2', 'namespaces'), { recursive: true })],
  ]

  describe.each(deletions)('%s', (_what, remove) => {
    test.each([
      ['in the same tick', async () => undefined],
      ['in an earlier tick', nextTurn],
    ])('%s stores later sets for this process and others', async (_when, pass) => {
      const dir = temporaryRoot()
      const { cache } = openIn(dir)
      const entries = cache.namespace('tool')
      for (let index = 0; index < 20; index++) entries.set(`key ${index}`, `value ${index}`)
      entries.get('key 1')
      await pass()
      remove(dir)
      await pass()
      // An old value under a new key, an old key with a new value, an old key with its old value, all new.
      const sets: [string, string][] = [
        ['new', 'value 3'],
        ['key 4', 'new value'],
        ['key 5', 'value 5'],
        ['newer', 'newer value'],
      ]
      for (const [key, value] of sets) expect(entries.set(key, value)).toBe(true)
      const found = () => sets.map(([key]) => entries.get(key))
      expect(found()).toEqual(sets.map(([, value]) => value))
      await nextTurn()
      expect(found()).toEqual(sets.map(([, value]) => value))
      const other = openAsAnotherProcess(dir).cache.namespace('tool')
      expect(sets.map(([key]) => other.get(key))).toEqual(sets.map(([, value]) => value))
    })
  })

  test('repeatedly never breaks a set, setMany or get', async () => {
    const dir = temporaryRoot()
    const { cache, warnings } = openIn(dir)
    const entries = cache.namespace('tool')
    for (let round = 0; round < 20; round++) {
      rmSync(dir, { recursive: true, force: true })
      if (round % 2) await nextTurn()
      expect(entries.set('key', { round })).toBe(true)
      expect(entries.setMany([{ key: 'many', value: { many: round } }])).toBe(1)
      await nextTurn()
      expect(entries.getMany(['key', 'many'])).toEqual([{ round }, { many: round }])
    }
    expect(warnings).toEqual([])
  })

  test('and created again by another process is used from then on', async () => {
    const dir = temporaryRoot()
    const entries = openIn(dir).cache.namespace('tool')
    entries.set('key', 'old')
    entries.get('key')
    rmSync(dir, { recursive: true })
    const other = openAsAnotherProcess(dir).cache.namespace('tool')
    other.set('key', 'new')
    other.set('more', 'more')
    await nextTurn()
    expect(entries.getMany(['key', 'more'])).toEqual(['new', 'more'])
    entries.set('own', 'own')
    await nextTurn()
    expect(other.get('own')).toBe('own')
  })

  test('gives misses without errors, and close leaves nothing behind', async () => {
    const dir = temporaryRoot()
    const { cache, warnings } = openIn(dir)
    const entries = cache.namespace('tool')
    entries.set('key', 1)
    await nextTurn()
    rmSync(dir, { recursive: true })
    expect(entries.get('key')).toBe(undefined)
    expect([entries.has('key'), [...entries.keys()], entries.delete('key'), entries.clear()]).toEqual([
      false,
      [],
      false,
      0,
    ])
    expect(cache.stats()).toMatchObject({ entryCount: 0 })
    expect(() => cache.close()).not.toThrow()
    expect(warnings).toEqual([])
  })

  test('and replaced by a directory with foreign files is not written to', async () => {
    const dir = temporaryRoot()
    const { cache } = openIn(dir)
    const entries = cache.namespace('tool')
    entries.set('key', 1)
    await nextTurn()
    rmSync(dir, { recursive: true })
    mkdirSync(dir)
    writeFileSync(join(dir, 'theirs'), 'theirs')
    await nextTurn()
    expect(entries.set('key', 2)).toBe(false)
    cache.close()
    expect(readdirSync(dir)).toEqual(['theirs'])
    expect(existsSync(join(dir, 'v2'))).toBe(false)
  })
})
