// Entries are dropped when their sources change: with real files and real file events, and without the periodic checks that
// would find missed changes.

import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { Namespace } from '../../src/index.js'
import { openAsAnotherProcess, openIn, temporaryDirectory } from '../support/caches.js'
import { project } from './project.js'
import { Watching, watching } from './watching.js'

vi.mock(import('../../src/watcher/rhythm.js'), async original => ({
  ...(await original()),
  SWEEP: { intervalMs: 1_000_000_000, maxShare: 1 },
}))

const heldKeys = (entries: Namespace) => [...entries.keys()].sort()

describe('an entry is dropped when its source', () => {
  const CHANGES: Record<string, (path: string) => void> = {
    'is written to': path => writeFileSync(path, 'changed'),
    'is appended to': path => appendFileSync(path, '!'),
    'is saved by rename': path => {
      writeFileSync(`${path}.tmp`, 'changed')
      renameSync(`${path}.tmp`, path)
    },
    'is saved under a name that editors use, by rename': path => {
      writeFileSync(`${path}~`, 'changed')
      renameSync(`${path}~`, path)
    },
    'is moved away and written again': path => {
      renameSync(path, `${path}~`)
      writeFileSync(path, 'changed')
    },
    'becomes a directory': path => {
      unlinkSync(path)
      mkdirSync(path)
    },
    'becomes a link to something else': path => {
      writeFileSync(`${path}.other`, 'changed')
      unlinkSync(path)
      symlinkSync(`${path}.other`, path)
    },
  }

  test.each([
    ...Object.keys(CHANGES).flatMap(name => [
      [name, false],
      [name, true],
    ]),
  ] as [string, boolean][])('%s (persistent: %s)', async (name, persistent) => {
    const { cache, root, path, entries } = project('src/a.js', 'src/b.js')
    const told = await watching(cache, root, { persistent })
    CHANGES[name]?.(path('src/a.js'))
    await told.untilKeys('src/a.js')
    expect(told.invalidations).toEqual([
      {
        namespace: 'tool',
        key: 'src/a.js',
        origin: 'set',
        version: '',
        project: process.cwd(),
        file: path('src/a.js'),
        cause: 'source-changed',
      },
    ])
    expect(heldKeys(entries)).toEqual(['src/b.js'])
    expect(told.watcher.status()).toMatchObject({ entryCount: 1, sourceCount: 1, invalidCount: 1, isDegraded: false })
  })

  test('is removed', async () => {
    const { cache, root, path, entries } = project('a.js', 'b.js')
    const told = await watching(cache, root)
    unlinkSync(path('a.js'))
    await told.untilKeys('a.js')
    expect(told.invalidations[0]).toMatchObject({ file: path('a.js'), cause: 'source-missing' })
    expect(heldKeys(entries)).toEqual(['b.js'])
    expect(entries.explain('a.js')).toMatchObject({ isHit: false, reason: 'source-missing', file: path('a.js') })
  })

  test('appears, at any depth', async () => {
    const { cache, root, path, entries } = project()
    entries.set('shallow', 1, { files: [path('config.json')] })
    entries.set('deep', 1, { files: [path('x/y/z/config.json')] })
    const told = await watching(cache, root)
    mkdirSync(path('x/y/z'), { recursive: true })
    writeFileSync(path('x/y/z/config.json'), '{}')
    await told.untilKeys('deep')
    writeFileSync(path('config.json'), '{}')
    await told.untilKeys('deep', 'shallow')
    expect(told.invalidations.map(({ cause }) => cause)).toEqual(['source-appeared', 'source-appeared'])
  })

  test('is a directory whose names change', async () => {
    const { cache, root, path, entries } = project('src/a.js')
    mkdirSync(path('lib'))
    entries.set('names', 1, { files: [path('src')] })
    entries.set('other names', 1, { files: [path('lib')] })
    const told = await watching(cache, root)
    writeFileSync(path('src/new.js'), '')
    await told.untilKeys('names')
    expect(told.invalidations[0]).toMatchObject({ file: path('src'), cause: 'source-changed' })
    expect(heldKeys(entries)).toEqual(['other names', 'src/a.js'])
  })
})

describe('an entry is kept when its source', () => {
  test('is touched or rewritten with the same content', async () => {
    const { cache, root, path, entries } = project('a.js', 'b.js', 'last.js')
    const told = await watching(cache, root)
    utimesSync(path('a.js'), 1, 1)
    writeFileSync(path('b.js'), 'content of b.js')
    writeFileSync(path('last.js'), 'changed')
    await told.untilKeys('last.js')
    expect(heldKeys(entries)).toEqual(['a.js', 'b.js'])
  })

  test('is replaced with the same content, and then dropped after the next change', async () => {
    const { cache, root, path } = project('a.js', 'b.js')
    const told = await watching(cache, root)
    writeFileSync(path('a.tmp'), 'content of a.js')
    renameSync(path('a.tmp'), path('a.js'))
    writeFileSync(path('b.js'), 'changed')
    await told.untilKeys('b.js')
    appendFileSync(path('a.js'), '!')
    await told.untilKeys('b.js', 'a.js')
  })
})

test('only entries of the changed source are dropped, in all namespaces and versions', async () => {
  const { cache, root, path } = project('a.js', 'b.js')
  const other = cache.namespace('Other/Tool', { version: '2', project: root })
  other.set('both', 1, { files: ['a.js', 'b.js'].map(path) })
  other.set('neither', 1)
  const outside = join(temporaryDirectory(), 'outside.js')
  writeFileSync(outside, '')
  other.set('outside', 1, { files: [outside] })
  const told = await watching(cache, root)
  expect(told.watcher.status()).toMatchObject({ entryCount: 3, sourceCount: 2 })
  writeFileSync(outside, 'changed')
  writeFileSync(path('b.js'), 'changed')
  await told.untilKeys('both', 'b.js')
  expect(told.invalidations).toContainEqual({
    namespace: 'Other/Tool',
    key: 'both',
    origin: 'set',
    version: '2',
    project: root,
    file: path('b.js'),
    cause: 'source-changed',
  })
  expect(heldKeys(other)).toEqual(['neither', 'outside'])
})

test('an entry that was set after the start is dropped too, in whichever process it was set', async () => {
  const { cache, dir, root, path, entries } = project()
  const told = await watching(cache, root)
  writeFileSync(path('own.js'), '')
  entries.set('own', 1, { files: [path('own.js')] })
  const another = openAsAnotherProcess(dir).cache.namespace('new namespace')
  writeFileSync(path('foreign.js'), '')
  another.set('foreign', 1, { files: [path('foreign.js')] })
  for (const name of ['own.js', 'foreign.js']) writeFileSync(path(name), 'changed')
  await told.untilKeys('own', 'foreign')
})

test('an entry that was set again meanwhile is kept', async () => {
  const { cache, root, path, entries } = project('a.js', 'b.js')
  const told = await watching(cache, root)
  writeFileSync(path('a.js'), 'changed')
  entries.set('a.js', 'new', { files: [path('a.js')] })
  writeFileSync(path('b.js'), 'changed')
  await told.untilKeys('b.js')
  expect(entries.get('a.js')).toBe('new')
})

test('an entry that the user removed is not reported', async () => {
  const { cache, root, path, entries } = project('a.js', 'b.js', 'c.js')
  const told = await watching(cache, root)
  entries.delete('a.js')
  entries.invalidate('b.js')
  for (const name of ['a.js', 'b.js', 'c.js']) writeFileSync(path(name), 'changed')
  await told.untilKeys('c.js')
  expect(told.watcher.status()).toMatchObject({ entryCount: 0, sourceCount: 0 })
})

test('entries that became stale before the start are dropped before the watcher is ready', async () => {
  const { cache, root, path, entries } = project('a.js', 'b.js', 'c.js', 'd.js')
  entries.set('absent', 1, { files: [path('new.js')] })
  writeFileSync(path('a.js'), 'changed')
  unlinkSync(path('b.js'))
  utimesSync(path('c.js'), 1, 1)
  writeFileSync(path('new.js'), '')
  const told = await watching(cache, root)
  expect([...told.keys].sort()).toEqual(['a.js', 'absent', 'b.js'])
  expect(heldKeys(entries)).toEqual(['c.js', 'd.js'])
})

test('an entry that becomes stale during the start is dropped', async () => {
  const { cache, root, path } = project('a.js', 'b.js')
  const told = new Watching(cache, root)
  writeFileSync(path('a.js'), 'changed')
  await told.watcher.ready
  await told.untilKeys('a.js')
})

describe('a watched root', () => {
  test('need not exist yet', async () => {
    const { cache, root, entries } = project()
    const late = join(root, 'not', 'yet')
    entries.set('late', 1, { files: [join(late, 'a.js')] })
    const told = await watching(cache, late)
    mkdirSync(late, { recursive: true })
    writeFileSync(join(late, 'a.js'), '')
    await told.untilKeys('late')
    entries.set('late', 1, { files: [join(late, 'a.js')] })
    writeFileSync(join(late, 'a.js'), 'changed')
    await told.untilKeys('late', 'late')
  })

  test('can disappear and come back', async () => {
    const { cache, path, entries } = project('root/src/a.js', 'root/src/b.js')
    const told = await watching(cache, path('root'))
    rmSync(path('root'), { recursive: true })
    await told.untilKeys('root/src/a.js', 'root/src/b.js')
    entries.set('again', 1, { files: [path('root/src/a.js')] })
    mkdirSync(path('root/src'), { recursive: true })
    writeFileSync(path('root/src/a.js'), '')
    await told.until(() => told.keys.at(-1) === 'again')
  })

  test('can be one of several, each given more than once', async () => {
    const { cache, path } = project('one/a.js', 'two/b.js', 'three/c.js')
    const told = await watching(cache, [path('one'), path('two'), path('one/'), path('one/below')])
    expect(told.watcher.roots).toEqual([path('one'), path('two'), path('one/below')])
    for (const name of ['three/c.js', 'one/a.js', 'two/b.js']) writeFileSync(path(name), 'changed')
    await told.untilKeys('one/a.js', 'two/b.js')
  })

  test('can be a file', async () => {
    const { cache, path } = project('a.js', 'b.js')
    const told = await watching(cache, path('a.js'))
    for (const name of ['b.js', 'a.js']) writeFileSync(path(name), 'changed')
    await told.untilKeys('a.js')
  })

  test('can contain the cache', async () => {
    const root = temporaryDirectory()
    const { cache } = openIn(join(root, 'cache'))
    const source = join(root, 'a.js')
    writeFileSync(source, '')
    cache.namespace('tool').set('a', 1, { files: [source] })
    const told = await watching(cache, root)
    writeFileSync(source, 'changed')
    await told.untilKeys('a')
  })

  test('can be left out, and then nothing is watched', async () => {
    const { cache } = project('a.js')
    const told = await watching(cache, [])
    expect(told.watcher.status()).toMatchObject({ entryCount: 0, sourceCount: 0 })
  })
})

test('a renamed directory drops its entries', async () => {
  const { cache, root, path, entries } = project('src/a.js', 'src/deep/b.js', 'src2/c.js')
  entries.set('moved', 1, { files: [path('moved/deep/b.js')] })
  const told = await watching(cache, root)
  renameSync(path('src'), path('moved'))
  await told.untilKeys('src/a.js', 'src/deep/b.js', 'moved')
  expect(heldKeys(entries)).toEqual(['src2/c.js'])
  entries.set('moved', 1, { files: [path('moved/deep/b.js')] })
  writeFileSync(path('moved/deep/b.js'), 'changed')
  await told.until(() => told.keys.length === 4)
})

test('a change of a link drops entries behind it', async () => {
  const { cache, root, path, entries } = project('one/a.js', 'two/a.js')
  writeFileSync(path('two/b.js'), '')
  symlinkSync(path('one'), path('current'), 'junction')
  entries.set('through', 1, { files: [path('current/a.js')] })
  entries.set('absent', 1, { files: [path('current/b.js')] })
  const told = await watching(cache, root)
  unlinkSync(path('current'))
  symlinkSync(path('two'), path('current'), 'junction')
  await told.untilKeys('through', 'absent')
  entries.set('through', 1, { files: [path('current/a.js')] })
  writeFileSync(path('two/a.js'), 'changed')
  await told.untilKeys('through', 'absent', 'through', 'two/a.js')
})

test.each([false, true])(
  'a file that is only linked below a root is watched too (persistent: %s)',
  async persistent => {
    const { cache, path, entries } = project('elsewhere/a.js', 'root/b.js')
    symlinkSync(path('elsewhere/a.js'), path('root/linked.js'))
    const set = () => entries.set('linked', 1, { files: [path('root/linked.js')] })
    set()
    const told = await watching(cache, path('root'), { persistent })
    writeFileSync(path('elsewhere/a.js'), 'changed')
    await told.untilKeys('linked')
    set()
    writeFileSync(path('elsewhere/new.js'), 'changed again')
    renameSync(path('elsewhere/new.js'), path('elsewhere/a.js'))
    await told.untilKeys('linked', 'linked')
    set()
    unlinkSync(path('root/linked.js'))
    symlinkSync(path('root/b.js'), path('root/linked.js'))
    await told.untilKeys('linked', 'linked', 'linked')
  },
)

test('a read-only cache gives one error and drops nothing', async () => {
  const { dir, root, path, entries } = project('a.js', 'b.js')
  const told = await watching(openIn(dir, { mode: 'readonly' }).cache, root)
  writeFileSync(path('a.js'), 'changed')
  await told.untilKeys('a.js')
  // What is written to the manifest has it read again.
  entries.set('late', 1, { files: [path('b.js')] })
  writeFileSync(path('b.js'), 'changed')
  await told.untilKeys('a.js', 'b.js', 'late')
  expect(heldKeys(entries)).toEqual(['a.js', 'b.js', 'late'])
})
