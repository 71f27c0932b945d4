// Trouble around a root: a configuration that is not a regular file, copies by hard links, a process at its limit of open files.

import { spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { interceptedFiles, systemError } from '../support/files.js'

describe('config.json', () => {
  const filled = (dir: string) => {
    const { cache, warnings } = openAsAnotherProcess(dir)
    for (let i = 0; i < 200; i++) cache.namespace('ns').set(`key ${i}`, i)
    return { cache, warnings }
  }

  test.runIf(process.platform !== 'win32').each([
    ['a pipe', (path: string) => spawnSync('mkfifo', [path])],
    ['a link to a device', (path: string) => symlinkSync('/dev/zero', path)],
    ['a link to a file', (path: string) => symlinkSync('outside.json', path)],
    ['a directory', (path: string) => mkdirSync(path)],
  ])('that is %s is ignored with a warning', async (_what, make) => {
    const dir = temporaryRoot()
    mkdirSync(dir)
    writeFileSync(join(dir, '..', 'outside.json'), '{"maxEntries": 1}')
    make(join(dir, 'config.json'))
    const { cache, warnings } = filled(dir)
    expect(await cache.gc()).toMatchObject({ keptEntries: 200 })
    expect(warnings).toMatchObject([{ code: 'ERR_CACHE_CONFIG' }])
  })

  test('can start with a byte order mark', async () => {
    const dir = temporaryRoot()
    mkdirSync(dir)
    writeFileSync(join(dir, 'config.json'), '\ufeff{"maxEntries": 10}')
    const { cache, warnings } = filled(dir)
    expect((await cache.gc()).keptEntries).toBeLessThanOrEqual(10)
    expect(warnings).toEqual([])
  })
})

/** As `cp -al` does. */
function linkAll(from: string, to: string): void {
  mkdirSync(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) linkAll(join(from, entry.name), join(to, entry.name))
    else linkSync(join(from, entry.name), join(to, entry.name))
  }
}

test('a copy by hard links keeps its entries when the original rewrites its files', () => {
  const dir = temporaryRoot()
  const { cache } = openAsAnotherProcess(dir)
  const keyOf = (i: number) => `${i} ${'k'.repeat(3000)}`
  for (let i = 0; i < 60; i++) cache.namespace('ns').set(keyOf(i), i)
  linkAll(dir, `${dir} copy`)
  for (let i = 0; i < 300; i++) cache.namespace('ns').set(keyOf(i % 60), 1000 + (i % 60))
  const copy = openAsAnotherProcess(`${dir} copy`).cache.namespace('ns')
  for (let i = 0; i < 60; i++) expect([i, 1000 + i]).toContain(copy.get(keyOf(i)))
  expect(copy.set('new', 1)).toBe(true)
})

test('a process without free descriptors gets the ones the cache holds, during listings too', () => {
  const dir = temporaryRoot()
  const { cache } = openAsAnotherProcess(dir)
  for (let i = 0; i < 20; i++) cache.namespace(`ns ${i}`).set('key', i)
  cache.close()
  let isFull = false
  const open = new Set<unknown>()
  const files = interceptedFiles(call => {
    const needsOne = ['open', 'list', 'listKinds', 'readFile', 'createFile'].includes(call.name)
    if (isFull && needsOne && open.size > 0) throw systemError('EMFILE', call)
    if (call.name === 'close') open.delete(call.args[0])
    const result = call.proceed()
    if (call.name === 'open') open.add(result)
    return result
  })
  const { cache: full, warnings } = openAsAnotherProcess(dir, {}, { files })
  for (let i = 0; i < 10; i++) expect(full.namespace(`ns ${i}`).get('key')).toBe(i)
  expect(open.size).toBeGreaterThan(5)
  isFull = true
  expect(full.namespace('ns 15').get('key')).toBe(15)
  expect(full.namespace('new').set('key', 1)).toBe(true)
  expect(warnings).toEqual([])
  rmSync(dir, { recursive: true })
})
