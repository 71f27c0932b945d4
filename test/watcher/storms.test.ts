// Many changes at once, more than the file events cover. Missed changes are found once it is quiet.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openAsAnotherProcess, openIn, temporaryDirectory, temporaryRoot } from '../support/caches.js'
import { watching } from './watching.js'

vi.mock(import('../../src/watcher/rhythm.js'), async original => ({
  ...(await original()),
  SWEEP: { intervalMs: 1_000_000_000, maxShare: 1 },
}))

function tree(count: number) {
  const root = temporaryDirectory()
  const dir = temporaryRoot()
  const { cache } = openIn(dir)
  const entries = cache.namespace('tool')
  const names = Array.from({ length: count }, (_, i) => `dir${i % 25}/sub${i % 5}/file${i}.js`)
  const path = (name: string) => join(root, name)
  for (const name of names) {
    mkdirSync(join(path(name), '..'), { recursive: true })
    writeFileSync(path(name), `content of ${name}`)
  }
  const setAll = () => entries.setMany(names.map(name => ({ key: name, value: 1, files: [path(name)] })))
  setAll()
  return { root, dir, cache, entries, names, path, setAll }
}

test('finds the changes of a checkout of another branch and back, over 500 files', async () => {
  const { root, cache, entries, names, path, setAll } = tree(500)
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], { cwd: root, stdio: 'pipe' })
  git('init', '-q', '-b', 'main')
  git('add', '.')
  git('commit', '-qm', 'main')
  git('checkout', '-qb', 'other')
  // Of five files one is changed, one is gone, one has moved to a new directory.
  for (const [i, name] of names.entries()) {
    if (i % 5 === 0) writeFileSync(path(name), `other content of ${name}`)
    if (i % 5 === 1) unlinkSync(path(name))
    if (i % 5 === 2) {
      mkdirSync(join(path(`moved/${name}`), '..'), { recursive: true })
      renameSync(path(name), path(`moved/${name}`))
    }
  }
  git('add', '.')
  git('commit', '-qm', 'other')
  git('checkout', '-q', 'main')
  setAll()
  const told = await watching(cache, root)
  const differing = names.filter((_, i) => i % 5 < 3)
  const same = names.filter((_, i) => i % 5 >= 3).sort()

  git('checkout', '-q', 'other')
  await told.untilKeys(...differing)
  expect([...entries.keys()].sort()).toEqual(same)

  for (const name of names) entries.set(name, 2, { files: [path(name)] })
  git('checkout', '-q', 'main')
  await told.untilKeys(...differing, ...differing)
  expect([...entries.keys()].sort()).toEqual(same)

  setAll()
  for (const name of names) writeFileSync(path(name), readFileSync(path(name), 'utf8').toUpperCase())
  await told.untilKeys(...differing, ...differing, ...names)
})

test('finds 5,000 files written in one tick', async () => {
  const { root, cache, entries, names, path } = tree(5000)
  const told = await watching(cache, root)
  expect(told.watcher.status()).toMatchObject({ entryCount: 5000, sourceCount: 5000 })
  for (const name of names) writeFileSync(path(name), 'changed')
  await told.until(() => told.invalidations.length >= names.length)
  expect([...told.keys].sort()).toEqual([...names].sort())
  expect([...entries.keys()]).toEqual([])
})

test('finds changes when the event queue overflows', async () => {
  const { root, cache, names, path } = tree(20)
  const told = await watching(cache, root)
  for (const name of ['noise one', 'noise two']) writeFileSync(path(name), '')
  // In turn, because equal events in a row are one. Linux keeps 16,384 and forgets what comes after.
  for (let i = 0; i < 20_000; i++) utimesSync(path(i % 2 === 0 ? 'noise one' : 'noise two'), i, i)
  for (const name of names) writeFileSync(path(name), 'changed')
  await told.untilKeys(...names)
})

test('the index follows growing manifests and reads only what has changed', async () => {
  const { root, dir, cache, path } = tree(0)
  const told = await watching(cache, root)
  const another = openAsAnotherProcess(dir).cache.namespace('tool')
  const names = Array.from({ length: 3000 }, (_, i) => `file${i}.js`)
  // The first ones lie in one part, which is split for the rest.
  for (const batch of [names.slice(0, 100), names]) {
    for (const name of batch) writeFileSync(path(name), '')
    another.setMany(batch.map(name => ({ key: name, value: 1, files: [path(name)] })))
    await told.until(() => told.watcher.status().entryCount === batch.length)
  }
  another.clear()
  writeFileSync(path('unrelated'), '')
  await told.until(() => told.watcher.status().entryCount === 0)
  expect(told.keys).toEqual([])
})
