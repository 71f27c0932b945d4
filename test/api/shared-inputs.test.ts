// Inputs that results share are stored once and checked once. The tests count file calls and measure no time.

import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { InputListStore } from '../../src/entries/input-lists.js'
import type { Namespace } from '../../src/index.js'
import { filesBelow, openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'

/** A project with so many sources that their metadata proves them unchanged, and a cache beside it. */
function project(count: number) {
  const root = temporaryDirectory()
  const dir = join(root, 'project')
  mkdirSync(dir)
  writeFileSync(join(dir, 'package.json'), '{}')
  const paths = Array.from({ length: count }, (_, i) => join(dir, `${i}.js`))
  for (const path of paths) writeFileSync(path, `export const path = '${path}'`)
  const cacheDir = join(root, 'cache')
  /** How often each source was looked at, by what. */
  const looks = { stat: new Map<string, number>(), readFile: new Map<string, number>() }
  const another = () => {
    for (const each of Object.values(looks)) each.clear()
    const files = interceptedFiles(
      call => {
        const counts = looks[call.name as keyof typeof looks]
        if (counts && paths.includes(call.path)) counts.set(call.path, (counts.get(call.path) ?? 0) + 1)
        return call.proceed()
      },
      // The sources are an hour old.
      { now: () => Date.now() + 3_600_000 },
    )
    const { cache } = openAsAnotherProcess(cacheDir, {}, { files })
    return { cache, entries: cache.namespace('tool', { project: dir }) }
  }
  const diskBytes = () => filesBelow(cacheDir).reduce((sum, file) => sum + statSync(join(cacheDir, file)).size, 0)
  return { paths, looks, another, diskBytes }
}

const once = (paths: readonly string[]) => paths.map(path => [path, 1])

/** As many results as there are sources, each of which reads all of them. */
function askAll(entries: Namespace, paths: readonly string[], compute: () => void): number[] {
  return paths.map((_, i) =>
    entries.getOrSetSync(`result ${i}`, ({ readFile }) => {
      compute()
      return paths.reduce((sum, path) => sum + readFile(path).length, i)
    }),
  )
}

test('300 results over the same 300 sources take less than 1 MB, and 300 source checks in a snapshot', () => {
  const { paths, looks, another, diskBytes } = project(300)
  const compute = vi.fn()
  const first = another()
  // In a snapshot, so that the sources are read 300 times and not 90,000 times.
  const computed = first.cache.snapshot(() => askAll(first.entries, paths, compute))
  expect(compute).toHaveBeenCalledTimes(300)
  expect([...looks.readFile].sort()).toEqual(once(paths).sort())
  first.cache.close()
  expect(diskBytes()).toBeLessThan(1_000_000)

  const { cache, entries } = another()
  expect(cache.snapshot(() => askAll(entries, paths, compute))).toEqual(computed)
  expect(compute).toHaveBeenCalledTimes(300)
  expect([...looks.stat].sort()).toEqual(once(paths).sort())
  expect(looks.readFile.size).toBe(0)

  // Without the promise of a snapshot, each call looks at each source once.
  const third = another()
  expect(third.entries.get('result 0')).toBe(computed[0])
  expect([...looks.stat].sort()).toEqual(once(paths).sort())
})

test('an edit of one shared source makes all results miss', () => {
  const { paths, another } = project(20)
  const compute = vi.fn()
  const before = askAll(another().entries, paths, compute)
  writeFileSync(paths[19] as string, 'longer than it was before, by a few letters')
  utimesSync(paths[19] as string, 1, 1)
  const { cache, entries } = another()
  const after = cache.snapshot(() => askAll(entries, paths, compute))
  expect(compute).toHaveBeenCalledTimes(40)
  expect(after).not.toEqual(before)
})

test('a chain of 100 nested computations checks each list and each source once', () => {
  const { paths, looks, another } = project(100)
  const compute = vi.fn()
  const ask = (entries: Namespace, i = 0): number =>
    entries.getOrSetSync(`link ${i}`, ({ readFile }) => {
      compute()
      return readFile(paths[i] as string).length + (i + 1 < paths.length ? ask(entries, i + 1) : 0)
    })
  const computed = ask(another().entries)
  expect(compute).toHaveBeenCalledTimes(100)

  const load = vi.spyOn(InputListStore.prototype, 'load')
  const { entries } = another()
  expect(ask(entries)).toBe(computed)
  expect(compute).toHaveBeenCalledTimes(100)
  expect([...looks.stat].sort()).toEqual(once(paths).sort())
  const loaded = load.mock.calls.map(([id]) => id)
  load.mockRestore()
  expect(loaded.length).toBeGreaterThan(10)
  expect(new Set(loaded).size).toBe(loaded.length)
})

test('in a snapshot, 10,000 entries over 50 files check these 50 files once', () => {
  const { paths, looks, another } = project(50)
  const keys = Array.from({ length: 10_000 }, (_, i) => `key ${i}`)
  another().entries.setMany(keys.map((key, i) => ({ key, value: i, files: [paths[i % 50] as string] })))
  another().entries.setMany([{ key: 'all', value: 'of all', files: paths }])
  const { cache, entries } = another()
  const values = cache.snapshot(() => entries.getMany([...keys, 'all']))
  expect(values).toEqual([...keys.keys(), 'of all'])
  expect([...looks.stat].sort()).toEqual(once(paths).sort())
})
