// The index of watched entries, when the manifest is split.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { Manifest } from '../../src/manifest/manifest.js'
import { EntryIndex } from '../../src/watcher/entry-index.js'
import { Pace } from '../../src/watcher/pace.js'
import { newEnvironment, seedIn } from '../store/environment.js'
import { openIn, temporaryDirectory, temporaryRoot } from '../support/caches.js'

function indexed(keepsOver: boolean) {
  const root = temporaryDirectory()
  const dir = temporaryRoot()
  const entries = openIn(dir).cache.namespace('tool')
  const setMany = (names: readonly string[], value: number) =>
    entries.setMany(names.map(name => ({ key: name, value, files: [join(root, name)] })))
  setMany(NAMES, 1)
  const environment = newEnvironment({ hashSeed: seedIn(dir) })
  const manifest = new Manifest(environment, layoutOf(dir).manifest('tool'), 'namespaces/tool/manifest')
  const index = new EntryIndex({
    roots: [root],
    manifests: () => new Map([['tool', manifest]]),
    lists: { load: () => undefined },
    keepsOver,
    report: error => expect.fail(String(error)),
  })
  const partCount = () => [...manifest.parts()].length
  const catchUp = () => index.catchUp(new Pace())
  return { index, catchUp, setMany, partCount, entries }
}

const NAMES = Array.from({ length: 100 }, (_, i) => `${i}.js`)
const MORE = Array.from({ length: 3000 }, (_, i) => `more ${i}.js`)

test.each([
  ['', false],
  [' of a read-only cache', true],
])('entries%s that move to another part are neither removed nor added', async (_, keepsOver) => {
  const { index, catchUp, setMany, partCount } = indexed(keepsOver)
  const { added } = await catchUp()
  expect(added).toHaveLength(NAMES.length)
  const over = added.slice(0, 10)
  for (const entry of over) index.end(entry)
  const before = partCount()
  setMany(MORE, 1)
  const differences = await catchUp()
  expect(partCount()).toBeGreaterThan(before)
  expect(differences.removed).toEqual([])
  // Entries that are over and still listed were set again, unless nothing can be dropped.
  expect(differences.added).toHaveLength(MORE.length + (keepsOver ? 0 : over.length))
  expect(index.entryCount).toBe(MORE.length + NAMES.length - (keepsOver ? over.length : 0))
})

test('an entry that is set again is added and not removed, during a split too', async () => {
  const { index, catchUp, setMany } = indexed(false)
  await catchUp()
  setMany(NAMES, 2)
  let { added, removed } = await catchUp()
  expect([added.length, removed.length]).toEqual([NAMES.length, 0])
  setMany([...NAMES, ...MORE], 3)
  ;({ added, removed } = await catchUp())
  expect([added.length, removed.length]).toEqual([NAMES.length + MORE.length, 0])
  expect(index.entryCount).toBe(NAMES.length + MORE.length)
})

test('a key without an entry is removed, during a split too', async () => {
  const { index, catchUp, setMany, entries } = indexed(false)
  await catchUp()
  entries.delete(NAMES[0] as string)
  expect((await catchUp()).removed).toHaveLength(1)
  setMany(MORE, 1)
  entries.delete(NAMES[1] as string)
  expect((await catchUp()).removed).toHaveLength(1)
  expect(index.entryCount).toBe(NAMES.length + MORE.length - 2)
})
