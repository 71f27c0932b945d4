// Changes without an event are found by periodic checks.

import { rmSync, writeFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import type { Removal } from '../../src/manifest/entry.js'
import { Manifest } from '../../src/manifest/manifest.js'
import type { ListedEntry } from '../../src/manifest/records.js'
import { newEnvironment, seedIn } from '../store/environment.js'
import { openAsAnotherProcess, settle } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { project } from './project.js'
import { watching } from './watching.js'

vi.mock(import('../../src/watcher/rhythm.js'), async original => ({
  ...(await original()),
  SWEEP: { intervalMs: 100, maxShare: 1 },
}))

test('changes in ignored directories are found', async () => {
  const { cache, root, path } = project('node_modules/x/index.js', 'a.js')
  const told = await watching(cache, root)
  writeFileSync(path('node_modules/x/index.js'), 'changed')
  await told.untilKeys('node_modules/x/index.js')
})

test('changes in files that the caller ignores are found too', async () => {
  const { cache, root, path } = project('a.js', 'b.js')
  const ignored: string[] = []
  const told = await watching(cache, root, {
    ignored: path => {
      ignored.push(path)
      return true
    },
  })
  writeFileSync(path('a.js'), 'changed')
  await told.untilKeys('a.js')
  expect(ignored).not.toContain(root)
})

test('an entry that is set again between the check and its removal is kept', async () => {
  const { dir, root, path, entries } = project('a.js', 'b.js')
  let rivals = 0
  const files = interceptedFiles(call => {
    const result = call.proceed()
    // After the watcher has seen that the source has changed; as another process would.
    if (call.name === 'readFile' && call.path === path('a.js') && rivals < 3) {
      rivals++
      entries.set('a.js', 'new', { files: [path('a.js')] })
    }
    return result
  })
  const told = await watching(openAsAnotherProcess(dir, {}, { files }).cache, root)
  expect(rivals).toBeGreaterThan(0)
  rivals = 0
  writeFileSync(path('a.js'), 'CONTENT OF a.js')
  writeFileSync(path('b.js'), 'changed')
  await told.untilKeys('b.js')
  // How often depends on how soon the other source is looked at.
  await told.until(() => rivals > 0)
  expect(entries.get('a.js')).toBe('new')
})

test('a source is read again only while its times could hide a change', async () => {
  const { dir, root, path, entries } = project('src/a.js', 'src/b.js')
  let nowMs = Date.now()
  const reads: string[] = []
  const files = interceptedFiles(
    call => {
      if (call.name === 'readFile') reads.push(call.path)
      return call.proceed()
    },
    { now: () => nowMs },
  )
  const told = await watching(openAsAnotherProcess(dir, {}, { files }).cache, root, { ignored: () => true })
  // Nothing is heard of, so what is dropped was found by looking; between two drops all sources were looked at.
  const untilLooked = async (...keys: string[]) => {
    for (const key of keys) {
      entries.set(key, 1, { files: [path(`src/${key}`)] })
      writeFileSync(path(`src/${key}`), '')
      await told.until(() => told.keys.includes(key))
    }
  }
  reads.length = 0
  await untilLooked('one', 'two')
  expect(reads).toContain(path('src/a.js'))
  nowMs += 10_000
  await untilLooked('three', 'four')
  reads.length = 0
  await untilLooked('five', 'six')
  expect(reads).not.toContain(path('src/a.js'))
})

test('an entry set while a source exists is dropped, although others were set while it was absent', async () => {
  const { dir, root, path, entries } = project('b.js')
  const created = path('a.js')
  entries.set('absent', 1, { files: [created] })
  const files = interceptedFiles(call => {
    const result = call.proceed()
    // As the watcher finds the new entry fresh; as another process would.
    if (call.name === 'readFile' && call.path === created) rmSync(created)
    return result
  })
  const told = await watching(openAsAnotherProcess(dir, {}, { files }).cache, root, { ignored: () => true })
  writeFileSync(created, 'content')
  entries.set('present', 1, { files: [created] })
  await told.untilKeys('present')
  expect(entries.get('absent')).toBe(1)
})

test('a new entry that is stale proves nothing for the entry that shares its source', async () => {
  const { dir, root, path, entries } = project('a.js')
  const told = await watching(openAsAnotherProcess(dir).cache, root, { ignored: () => true })
  settle(path('a.js'))
  // Both are stale at once, and the watcher learns of the second one first.
  entries.set('another', 1, { files: [path('a.js')] })
  rmSync(path('a.js'))
  await told.untilKeys('a.js', 'another')
})

test('entries that another process sets and drops between two reads are reported', async () => {
  const { cache, dir, root, path, entries } = project('a.js', 'b.js')
  const told = await watching(openAsAnotherProcess(dir).cache, root, { ignored: () => true })
  const here = cache.namespace('tool', { project: root })
  entries.set('set', 1, { files: [path('a.js')] })
  here.getOrSetSync('computed', ctx => ctx.readFile(path('a.js')).length)
  here.analyzeSync('analyzed', path('b.js'), ctx => ctx.source)
  entries.set('elsewhere', 1, { files: [path('a.js')] })
  entries.set('deleted', 1, { files: [path('a.js')] })
  const environment = newEnvironment({ hashSeed: seedIn(dir) })
  const manifest = new Manifest(environment, layoutOf(dir).manifest('tool'), 'namespaces/tool/manifest')
  const drop = (name: string, removal: Removal) => {
    const found = [...manifest.entries()].find(({ key }) => key.split('\0')[0] === name) as ListedEntry
    const key = manifest.keyAt(found.keyBytes)
    const { head, check } = manifest.look(key)
    if (found.entry.computeMs === undefined) expect(manifest.swap({ key, removal }, check)).toBe(true)
    else manifest.write([{ key, head: { epoch: head?.epoch ?? 0, removal }, expected: check }])
  }
  drop('set', { cause: 'source-changed', path: path('a.js') })
  drop('computed', { cause: 'source-missing', path: path('a.js') })
  drop('analyzed', { cause: 'source-changed', path: path('b.js') })
  drop('elsewhere', { cause: 'source-changed', path: '/another/tree/a.js' })
  drop('deleted', { cause: 'deleted' })
  await told.untilKeys('analyzed b.js', 'computed', 'set')
  const origins = told.invalidations.map(({ key, origin }) => [key, origin])
  expect(Object.fromEntries(origins)).toEqual({ set: 'set', computed: 'getOrSet', 'analyzed b.js': 'analyze' })
  manifest.close()
})
