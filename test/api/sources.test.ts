// File mode: an entry is valid until the content of one of its sources changes, whatever the file times say.

import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openAsAnotherProcess, openIn, temporaryDirectory } from '../support/caches.js'
import { meteredFiles } from '../support/files.js'

const HOUR_MS = 3_600_000
// Whole seconds, which every file system and utimes() can hold.
const AN_HOUR_AGO = new Date(Math.floor((Date.now() - HOUR_MS) / 1000) * 1000)

/**
 * A tree with one source whose times are old, and an entry that depends on it. `aheadMs` puts the clock that file times are
 * compared with ahead, so that the fingerprint is one that is trusted without a read.
 */
function project(content = 'const a = 1', aheadMs = 0) {
  const root = temporaryDirectory()
  const source = join(root, 'a.js')
  writeFileSync(source, content)
  utimesSync(source, AN_HOUR_AGO, AN_HOUR_AGO)
  const { files } = meteredFiles({ now: () => Date.now() + aheadMs })
  const entries = openAsAnotherProcess(join(root, 'cache'), {}, { files }).cache.namespace('tool')
  expect(entries.set('key', 'analysed', { files: [source] })).toBe(true)
  expect(entries.get('key')).toBe('analysed')
  if (aheadMs > 0) passTick(root, source)
  return { root, source, entries, reasons: () => entries.stats().missReasons }
}

/** Returns once the file system's clock shows another time than that of the file's last change. */
function passTick(root: string, file: string): void {
  const { ctimeMs } = statSync(file)
  const probe = join(root, 'probe')
  do writeFileSync(probe, '')
  while (statSync(probe).ctimeMs === ctimeMs)
  rmSync(probe)
}

describe.each([
  ['young', 0],
  ['settled', HOUR_MS],
])('a source that changes is a miss, with a %s fingerprint,', (_age, aheadMs) => {
  test('when it grows', () => {
    const { source, entries, reasons } = project('const a = 1', aheadMs)
    appendFileSync(source, ';')
    expect([entries.get('key'), entries.has('key')]).toEqual([undefined, false])
    expect(reasons()).toEqual({ 'source-changed': 1 })
  })

  test('when it keeps its size', () => {
    const { source, entries } = project('const a = 1', aheadMs)
    writeFileSync(source, 'const b = 2')
    expect(entries.get('key')).toBe(undefined)
  })

  test('when it keeps its size and its mtime is put back', () => {
    const { source, entries } = project('const a = 1', aheadMs)
    const { atime, mtime } = statSync(source)
    writeFileSync(source, 'const b = 2')
    utimesSync(source, atime, mtime)
    expect(statSync(source).mtimeMs).toBe(mtime.getTime())
    expect(entries.get('key')).toBe(undefined)
  })

  test('when it keeps its size and its mtime is restored', () => {
    const { root, source, entries } = project('const a = 1', aheadMs)
    const other = join(root, 'b.js')
    writeFileSync(other, 'const b = 2')
    utimesSync(other, AN_HOUR_AGO, AN_HOUR_AGO)
    renameSync(other, source)
    expect(entries.get('key')).toBe(undefined)
  })

  test('when it is deleted', () => {
    const { source, entries, reasons } = project('const a = 1', aheadMs)
    rmSync(source)
    expect(entries.get('key')).toBe(undefined)
    expect(reasons()).toEqual({ 'source-missing': 1 })
  })

  test('when a directory replaces it', () => {
    const { source, entries } = project('const a = 1', aheadMs)
    rmSync(source)
    mkdirSync(source)
    expect(entries.get('key')).toBe(undefined)
  })

  test('when a symbolic link to other content replaces it', () => {
    const { root, source, entries } = project('const a = 1', aheadMs)
    writeFileSync(join(root, 'b.js'), 'const b = 2')
    rmSync(source)
    symlinkSync('b.js', source)
    expect(entries.get('key')).toBe(undefined)
  })

  test('when its parent directory is gone or is a file', () => {
    const root = temporaryDirectory()
    mkdirSync(join(root, 'src'))
    const source = join(root, 'src', 'a.js')
    writeFileSync(source, 'a')
    const entries = openIn(join(root, 'cache')).cache.namespace('tool')
    entries.set('key', 1, { files: [source] })
    rmSync(join(root, 'src'), { recursive: true })
    expect(entries.get('key')).toBe(undefined)
    writeFileSync(join(root, 'src'), 'now a file')
    expect(entries.get('key')).toBe(undefined)
  })

  test('in a process that got a hit in the same tick', () => {
    const { source, entries } = project('const a = 1', aheadMs)
    expect(entries.get('key')).toBe('analysed')
    writeFileSync(source, 'const b = 2')
    expect(entries.get('key')).toBe(undefined)
  })
})

describe('a source that changes without a change of its times is a miss', () => {
  test('when it is edited within one clock tick, any number of times', () => {
    const { source, entries } = project()
    for (let edit = 0; edit < 200; edit++) {
      const [before, after] = [`x = ${1000 + edit}`, `x = ${5000 + edit}`]
      writeFileSync(source, before)
      entries.set('key', before, { files: [source] })
      writeFileSync(source, after)
      expect(entries.get('key')).toBe(undefined)
    }
  })

  test('when all its times, its size and its inode are the same as before', () => {
    const root = temporaryDirectory()
    const source = join(root, 'a.js')
    writeFileSync(source, 'const a = 1')
    // A coarse file system: every time is that of one tick, before and after the edit.
    const frozen = Date.now()
    const { files } = meteredFiles({ now: () => frozen })
    const freeze = (path: string) => {
      const stat = files.stat(path)
      return stat && path === source ? { ...stat, mtimeMs: frozen, ctimeMs: frozen, inode: 7 } : stat
    }
    const { cache } = openAsAnotherProcess(join(root, 'cache'), {}, { files: { ...files, stat: freeze } })
    const entries = cache.namespace('tool')
    entries.set('key', 'a', { files: [source] })
    expect(entries.get('key')).toBe('a')
    writeFileSync(source, 'const b = 2')
    expect(entries.get('key')).toBe(undefined)
  })
})

describe('an unchanged source is a hit', () => {
  test('when only its times change', () => {
    const { source, entries } = project()
    for (const time of [0, 1, Date.now() + HOUR_MS]) {
      utimesSync(source, time / 1000, time / 1000)
      expect(entries.get('key')).toBe('analysed')
    }
  })

  test('when it is replaced by a file with the same content', () => {
    const { root, source, entries } = project('const a = 1')
    writeFileSync(join(root, 'b.js'), 'const a = 1')
    renameSync(join(root, 'b.js'), source)
    expect(entries.get('key')).toBe('analysed')
  })

  test('when it changes and changes back', () => {
    const { source, entries } = project('const a = 1')
    writeFileSync(source, 'const b = 2')
    expect(entries.get('key')).toBe(undefined)
    writeFileSync(source, 'const a = 1')
    expect(entries.get('key')).toBe('analysed')
  })

  test('and is not read again once its new times are recorded', () => {
    const root = temporaryDirectory()
    const source = join(root, 'a.js')
    writeFileSync(source, 'const a = 1')
    let now = Date.now() + HOUR_MS
    const { files, traffic, reset } = meteredFiles({ now: () => now })
    const entries = openAsAnotherProcess(join(root, 'cache'), {}, { files }).cache.namespace('tool')
    const readsOfGet = () => {
      reset()
      expect(entries.get('key')).toBe('analysed')
      return traffic.calls.readFile ?? 0
    }
    entries.set('key', 'analysed', { files: [source] })
    expect(readsOfGet()).toBe(0)
    utimesSync(source, AN_HOUR_AGO, AN_HOUR_AGO)
    expect([readsOfGet(), readsOfGet()]).toEqual([1, 0])
    now = Date.now()
    writeFileSync(source, 'const a = 1')
    entries.set('key', 'analysed', { files: [source] })
    expect([readsOfGet(), readsOfGet()]).toEqual([1, 1])
    now += HOUR_MS
    expect([readsOfGet(), readsOfGet()]).toEqual([1, 0])
  })

  test('a touched file is read by one process and by no later one', () => {
    const { root, source } = project()
    const readsOfProcess = () => {
      const { files, traffic, reset } = meteredFiles({ now: () => Date.now() + HOUR_MS })
      const { cache } = openAsAnotherProcess(join(root, 'cache'), {}, { files })
      reset()
      expect(cache.namespace('tool').get('key')).toBe('analysed')
      const { readFile = 0 } = traffic.calls
      cache.close()
      return readFile
    }
    utimesSync(source, AN_HOUR_AGO, AN_HOUR_AGO)
    expect([readsOfProcess(), readsOfProcess(), readsOfProcess()]).toEqual([1, 0, 0])
  })

  test('even if the cache cannot record its new times', () => {
    const { root, source } = project()
    utimesSync(source, new Date(0), new Date(0))
    const entries = openIn(join(root, 'cache'), { mode: 'readonly' }).cache.namespace('tool')
    expect([entries.get('key'), entries.get('key')]).toEqual(['analysed', 'analysed'])
  })
})

describe('a missing source', () => {
  test('is recorded as absent: the entry hits until it is created', () => {
    const root = temporaryDirectory()
    const source = join(root, 'no', 'such', 'config.json')
    const { cache, warnings } = openIn(join(root, 'cache'))
    const entries = cache.namespace('tool')
    expect(entries.set('key', 1, { files: [source] })).toBe(true)
    expect([entries.get('key'), entries.has('key')]).toEqual([1, true])
    mkdirSync(join(root, 'no', 'such'), { recursive: true })
    expect(entries.get('key')).toBe(1)
    writeFileSync(source, '')
    expect([entries.get('key'), entries.has('key')]).toEqual([undefined, false])
    expect(entries.stats().missReasons).toEqual({ 'source-appeared': 1 })
    rmSync(source)
    expect(entries.get('key')).toBe(1)
    expect(warnings).toEqual([])
  })

  test.each([
    ['a directory', (path: string) => mkdirSync(path)],
    ['a link to something', (path: string) => symlinkSync('.', path)],
  ])('is noticed when it appears as %s', (_what, create) => {
    const root = temporaryDirectory()
    const source = join(root, 'thing')
    const entries = openIn(join(root, 'cache')).cache.namespace('tool')
    entries.set('key', 1, { files: [source] })
    create(source)
    expect(entries.get('key')).toBe(undefined)
  })
})

describe('a directory as a source', () => {
  function directory() {
    const root = temporaryDirectory()
    const source = join(root, 'plugins')
    mkdirSync(source)
    writeFileSync(join(source, 'one'), '1')
    const entries = openIn(join(root, 'cache')).cache.namespace('tool')
    expect(entries.set('key', 1, { files: [source] })).toBe(true)
    expect(entries.get('key')).toBe(1)
    return { source, entries }
  }

  test('changes when a name is added, removed or renamed', () => {
    const { source, entries } = directory()
    writeFileSync(join(source, 'two'), '2')
    expect(entries.get('key')).toBe(undefined)
    rmSync(join(source, 'two'))
    expect(entries.get('key')).toBe(1)
    renameSync(join(source, 'one'), join(source, 'uno'))
    expect(entries.get('key')).toBe(undefined)
  })

  test('does not change with the content or times of its files', () => {
    const { source, entries } = directory()
    writeFileSync(join(source, 'one'), 'other')
    utimesSync(source, new Date(0), new Date(0))
    expect(entries.get('key')).toBe(1)
  })

  test('changes when it is deleted or replaced by a file', () => {
    const { source, entries } = directory()
    rmSync(source, { recursive: true })
    expect(entries.get('key')).toBe(undefined)
    writeFileSync(source, 'one')
    expect(entries.get('key')).toBe(undefined)
  })

  test('is not the same as a missing one, even if empty', () => {
    const root = temporaryDirectory()
    mkdirSync(join(root, 'empty'))
    const entries = openIn(join(root, 'cache')).cache.namespace('tool')
    entries.set('key', 1, { files: [join(root, 'empty')] })
    expect(entries.get('key')).toBe(1)
    rmSync(join(root, 'empty'), { recursive: true })
    expect(entries.get('key')).toBe(undefined)
  })
})

describe('several sources', () => {
  const names = ['a.js', 'b.js', 'missing.json']

  function several() {
    const root = temporaryDirectory()
    const paths = names.map(name => join(root, name)) as [string, string, string]
    writeFileSync(paths[0], 'a')
    writeFileSync(paths[1], 'b')
    const entries = openIn(join(root, 'cache')).cache.namespace('tool')
    entries.set('key', 1, { files: paths })
    return { paths, entries }
  }

  test('are listed with the entry as absolute paths', () => {
    const { paths, entries } = several()
    expect(entries.find('key')).toMatchObject([{ mode: 'file', files: paths, valid: true }])
  })

  test.each(names)('make the entry a miss when only %s changes', name => {
    const { paths, entries } = several()
    expect(entries.get('key')).toBe(1)
    writeFileSync(paths[names.indexOf(name)] as string, 'changed')
    expect(entries.get('key')).toBe(undefined)
    expect(entries.find('key')).toMatchObject([{ valid: false }])
  })

  test('can be given twice, and relative to the working directory', () => {
    const { paths, entries } = several()
    const path = relative(process.cwd(), paths[0])
    entries.set('key', 2, { files: [path, path] })
    expect(entries.get('key')).toBe(2)
    writeFileSync(paths[0], 'changed')
    expect(entries.get('key')).toBe(undefined)
  })

  test('are recorded anew by another set', () => {
    const { paths, entries } = several()
    writeFileSync(paths[0], 'changed')
    entries.set('key', 2, { files: paths })
    expect(entries.get('key')).toBe(2)
    writeFileSync(paths[0], 'a')
    expect(entries.get('key')).toBe(undefined)
  })
})

test('an entry with a device as a source is stored and always misses', () => {
  const { cache, warnings } = openIn(join(temporaryDirectory(), 'cache'))
  const entries = cache.namespace('tool')
  expect(entries.set('key', 1, { files: ['/dev/null'] })).toBe(true)
  expect([entries.get('key'), entries.has('key')]).toEqual([undefined, false])
  expect(warnings).toEqual([])
})

test('a source that cannot be read is recorded so, and the entry is a miss once it can be read', () => {
  const root = temporaryDirectory()
  const source = join(root, 'loop')
  symlinkSync('loop', source)
  const { cache, warnings } = openIn(join(root, 'cache'))
  const entries = cache.namespace('tool')
  expect(entries.set('key', 1, { files: [source] })).toBe(true)
  expect(entries.get('key')).toBe(1)
  rmSync(source)
  expect(entries.get('key')).toBe(undefined)
  writeFileSync(source, 'text')
  expect(entries.get('key')).toBe(undefined)
  expect(warnings).toEqual([])
})

test.each([
  ['a name with NUL', 'a\0b'],
  ['a name of 70,000 bytes', 'x'.repeat(70_000)],
  ['a name of 300 bytes', 'x'.repeat(300)],
  ['a name with a lone surrogate', 'a\ud800'],
])('%s counts as a missing file', (_what, name) => {
  const entries = openIn(join(temporaryDirectory(), 'cache')).cache.namespace('tool')
  expect(entries.set('key', 1, { files: [name] })).toBe(true)
  expect(entries.get('key')).toBe(1)
})

test('a source that is no longer readable is a miss, and a hit once it is readable again', () => {
  const { source, entries, reasons } = project('const a = 1')
  rmSync(source)
  symlinkSync('a.js', source)
  expect(entries.get('key')).toBe(undefined)
  expect(reasons()).toEqual({ unreadable: 1 })
  rmSync(source)
  writeFileSync(source, 'const a = 1')
  expect(entries.get('key')).toBe('analysed')
})
