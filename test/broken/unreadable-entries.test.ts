// One entry that cannot be read or validated does not stop jobs over many entries. It is kept and counted.

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { type Files, nodeFiles } from '../../src/files/files.js'
import { LogMap } from '../../src/log-map/log-map.js'
import { changeOf } from '../../src/log-map/record.js'
import { entryPosition } from '../../src/manifest/records.js'
import { newEnvironment, seedIn } from '../store/environment.js'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { interceptedFiles, systemError } from '../support/files.js'

let now = 1_790_000_000_000
const clock = () => now

/** A root with an entry of this kind among a hundred that have expired and a hundred that have not. */
function filled(spoil: (directory: string, dir: string) => void, files: Files = nodeFiles) {
  const directory = temporaryDirectory()
  const dir = join(directory, 'cache')
  const { cache } = openAsAnotherProcess(dir, { clock })
  for (let i = 0; i < 100; i++) {
    cache.namespace('ns').set(`expired ${i}`, `value ${i}`, { ttl: 1 })
    cache.namespace('ns').set(`key ${i}`, `value ${i}`)
  }
  mkdirSync(join(directory, 'project'))
  writeFileSync(join(directory, 'project', 'a.js'), 'x')
  cache.namespace('ns').set('odd', 1, { files: [join(directory, 'project', 'a.js')] })
  cache.close()
  spoil(directory, dir)
  now += 1000
  return { directory, ...openAsAnotherProcess(dir, { clock }, { files }) }
}

function forge(dir: string, value: Buffer): void {
  const environment = newEnvironment({ hashSeed: seedIn(dir) })
  const path = layoutOf(dir).manifest('ns')
  const map = new LogMap(environment, path, 'namespaces/ns/manifest', key => entryPosition(environment, key))
  const key = Buffer.from('\0odd')
  map.write([changeOf('put', entryPosition(environment, key), key, value)])
  map.close()
}

const failing = (code: string) =>
  interceptedFiles(call => {
    if (call.name === 'stat' && call.path.endsWith('a.js')) throw systemError(code, call)
    return call.proceed()
  })
const nothing = () => undefined

const CASES: [string, (directory: string, dir: string) => void, Files?][] = [
  [
    'whose source is behind a link to itself',
    directory => {
      rmSync(join(directory, 'project'), { recursive: true })
      symlinkSync('project', join(directory, 'project'))
    },
  ],
  ...['EACCES', 'EPERM', 'EIO', 'ENOTCONN', 'ERR_ACCESS_DENIED', 'ERR_INVALID_ARG_VALUE'].map(
    (code): [string, () => void, Files] => [`whose source gives ${code}`, nothing, failing(code)],
  ),
  ['that is truncated', (_directory, dir) => forge(dir, Buffer.alloc(5))],
  [
    'with a path longer than the entry',
    (_directory, dir) => forge(dir, Buffer.concat([Buffer.from([2]), Buffer.alloc(60, 255)])),
  ],
]

describe.each(CASES)('an entry %s', (_what, spoil, files) => {
  test('does not stop a gc, which keeps and counts it', async () => {
    const { cache } = filled(spoil, files)
    const counts = { expiredEntries: 100, unreadableEntries: 1 }
    expect(await cache.gc({ dryRun: true })).toMatchObject(counts)
    expect(await cache.gc()).toMatchObject(counts)
    for (let i = 0; i < 100; i++) expect(cache.namespace('ns').get(`key ${i}`)).toBe(`value ${i}`)
    expect(await cache.gc({ maxEntries: 10 })).toMatchObject({ unreadableEntries: 1 })
  })

  test('does not stop the background gc', () => {
    const { cache } = filled(spoil, files)
    cache.close()
    const bounded = openAsAnotherProcess(cache.dir, { clock, maxEntries: 150 }, files ? { files } : {}).cache
    for (let i = 0; i < 400; i++) {
      now++
      expect(bounded.namespace('ns').set(`later ${i}`, i)).toBe(true)
    }
    expect([...bounded.namespace('ns').keys()].length).toBeLessThan(250)
  })

  test('hides no other entry from listings, stats, verify and the watcher', async () => {
    const { cache, directory } = filled(spoil, files)
    const ns = cache.namespace('ns')
    expect([...ns.keys()].length).toBeGreaterThanOrEqual(200)
    expect([...ns.entries()].length).toBeGreaterThanOrEqual(200)
    expect(cache.stats().entryCount).toBeGreaterThanOrEqual(200)
    expect((await cache.verify()).entryCount).toBeGreaterThanOrEqual(200)
    writeFileSync(join(directory, 'other.js'), 'x')
    ns.set('watched', 1, { files: [join(directory, 'other.js')] })
    writeFileSync(join(directory, 'other.js'), 'changed')
    const watcher = cache.watch(directory)
    const keys: string[] = []
    watcher.on('invalidate', ({ key }) => keys.push(key))
    await watcher.ready
    await watcher.close()
    expect(ns.find('watched')).toEqual([])
  })
})

test('unreadable counts hide no entry from the statistics', () => {
  const directory = temporaryDirectory()
  const before = openAsAnotherProcess(directory).cache
  before.namespace('ns').set('key', 'value')
  before.close()
  const { cache, warnings } = openAsAnotherProcess(
    directory,
    {},
    {
      files: interceptedFiles(call => {
        if (call.name === 'open' && call.path.includes('counters')) throw systemError('EACCES', call)
        return call.proceed()
      }),
    },
  )
  expect(cache.stats()).toMatchObject({ entryCount: 1, setCount: 0 })
  expect(cache.stats().namespaces.ns).toMatchObject({ entryCount: 1, diskBytes: expect.any(Number) })
  expect(warnings).toMatchObject([{ code: 'ERR_CACHE_IO' }])
})
