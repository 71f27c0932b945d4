// Links to paths outside the root, pipes and devices in place of the cache's files. No call throws or blocks, nothing outside
// is read or written, and the store works again once the file is removed.

import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { CacheHandle } from '../../src/cache/cache.js'
import { nodeFiles } from '../../src/files/files.js'
import { changingInside } from '../../src/files/inside.js'
import type { CacheWarning } from '../../src/index.js'
import { filesBelow, nextTurn, openAsAnotherProcess, repeatedCodes, temporaryDirectory } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'

function filled(): { root: string; outside: string; files: string[] } {
  const directory = temporaryDirectory()
  const root = join(directory, 'cache')
  const { cache } = openAsAnotherProcess(root)
  const entries = cache.namespace('tool')
  entries.set('key', 'value')
  entries.getOrSetSync('computed', () => 'once')
  cache.close()
  // Of a dead process, so that a gc goes on.
  writeFileSync(layoutOf(root).gcLock, JSON.stringify({ pid: 2 ** 30, host: hostname(), isSlice: false }))
  const files = filesBelow(root)
  // One in sixteen first sets begins a journal of upkeep as well.
  expect(files.length).toBeGreaterThanOrEqual(6)
  return { root, outside: join(directory, 'outside'), files }
}

/** The inodes of what was opened or read. */
function recordingFiles() {
  const opened = new Set<number>()
  const files = interceptedFiles(call => {
    const result = call.proceed()
    if (call.name === 'open') opened.add(nodeFiles.fstat(result as number).inode)
    if (call.name === 'readFile' && result) opened.add(nodeFiles.stat(call.path)?.inode ?? 0)
    return result
  })
  return { files, opened }
}

type Replace = (path: string, outside: string) => void

const REPLACEMENTS: [string, Replace][] = [
  ['a link to a copy of it outside', (path, outside) => copyFileSync(path, outside) ?? relink(path, outside)],
  [
    "a link to a user's file",
    (path, outside) => writeFileSync(outside, 'mine\n'.repeat(1000)) ?? relink(path, outside),
  ],
  ['a broken link', (path, outside) => relink(path, outside)],
  ['a link to itself', path => relink(path, path)],
  ['a pipe', path => makePipe(path)],
  ['a link to a pipe', (path, outside) => makePipe(outside) ?? relink(path, outside)],
  ['a link to a device', path => relink(path, '/dev/zero')],
]

function relink(path: string, to: string): void {
  rmSync(path)
  symlinkSync(to, path)
}

function makePipe(path: string): void {
  rmSync(path, { force: true })
  expect(spawnSync('mkfifo', [path]).status).toBe(0)
}

const bytesOf = (path: string) => (nodeFiles.stat(path)?.kind === 'file' ? readFileSync(path) : undefined)

describe.each(REPLACEMENTS)('%s in place of a file of the store', (_what, replace) => {
  test('is not followed, fails no call and can be removed', async () => {
    const { root, outside, files } = filled()
    const backup = `${root} as it was`
    cpSync(root, backup, { recursive: true })
    for (const file of files) {
      const path = join(root, file)
      rmSync(outside, { force: true })
      replace(path, outside)
      const before = bytesOf(outside)
      const foreign = nodeFiles.stat(outside)?.inode
      const disk = recordingFiles()
      const { cache, warnings } = openAsAnotherProcess(root, {}, { files: disk.files })
      const entries = cache.namespace('tool')
      // More than the buffer of a pipe takes.
      for (let index = 0; index < 40; index++) {
        expect(typeof entries.set('key', 'x'.repeat(3000) + index), file).toBe('boolean')
        expect(typeof cache.namespace(`other ${index}`).set('key', index)).toBe('boolean')
      }
      entries.set('key', 'value')
      expect(['value', undefined], file).toContain(entries.get('key'))
      expect(
        entries.getOrSetSync('computed', () => 'once'),
        file,
      ).toBe('once')
      expect(['boolean', 'number'], file).toEqual([typeof entries.delete('nothing'), typeof entries.clear()])
      cache.stats()
      await cache
        .gc()
        .catch(error => expect(error).toMatchObject({ code: expect.stringMatching(/^(E|ERR_CACHE_)[A-Z]+$/) }))
      cache.close()
      expect(repeatedCodes(warnings), file).toEqual([])
      expect(bytesOf(outside), `${file} was written to outside`).toEqual(before)
      expect([...disk.opened], `${file} was read outside`).not.toContain(foreign)
      rmSync(root, { recursive: true })
      cpSync(backup, root, { recursive: true })
      const after = openAsAnotherProcess(root).cache.namespace('tool')
      expect(after.get('key'), file).toBe('value')
    }
  })
})

/**
 * So long that some thousand need buckets in directories of their own, and so short that a full bucket has enough of them to be split,
 * wherever the project is: its path is part of each record.
 */
const keyOf = (n: number) => `${'k'.repeat(2000)} ${n}`
const KEYS = 14_000

const fail = ({ message }: CacheWarning) => {
  throw new Error(message)
}

/** A cache that holds something in every directory that there can be. */
function fill(dir: string, source: string): void {
  // Its files are old enough for what was read of them to be remembered.
  const files = { ...nodeFiles, now: () => Date.now() + 60_000 }
  // A seed of its own would leave the directory 123 without a bucket now and then.
  const cache = new CacheHandle({ dir, onWarning: fail }, { files, random: () => 0.5 })
  const tool = cache.namespace('tool')
  for (let n = 0; n < KEYS; n++) expect(tool.set(keyOf(n), n), `key ${n}`).toBe(true)
  tool.set('large', 'x'.repeat(300_000))
  tool.delete('large')
  tool.get('nothing')
  cache.namespace('empty').set('key', 'value')
  cache.namespace('empty').clear()
  writeFileSync(source, 'text')
  tool.getOrSetSync('computed', ctx => ctx.readFile(source))
  cache.close()
  const manifest = join(dir, 'v2/namespaces/tool/manifest')
  expect(readdirSync(manifest, { recursive: true })).toContain('123')
  // Of processes that were killed while they rewrote a bucket.
  for (const part of ['_.7', '123/3.7']) writeFileSync(join(manifest, `${part}.00ff.new`), '')
}

const everythingIn = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .map(
      entry =>
        join(entry.parentPath, entry.name) +
        (entry.isFile() ? readFileSync(join(entry.parentPath, entry.name), 'latin1') : '/'),
    )
    .sort()

const DIRECTORIES = [
  'v2',
  'v2/blobs',
  'v2/blobs/index',
  'v2/blobs/packs',
  'v2/file-hashes',
  'v2/namespaces',
  'v2/namespaces/empty',
  'v2/namespaces/empty/manifest',
  'v2/namespaces/tool',
  'v2/namespaces/tool/manifest',
  'v2/namespaces/tool/manifest/123',
  'v2/namespaces/tool/counters',
]

describe('links to the directories of another cache', () => {
  let directory: string
  let outside: string
  let before: string[]
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
    outside = join(directory, 'outside')
    fill(outside, join(directory, 'source'))
    before = everythingIn(outside)
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  /** A copy of the other cache, and what puts a link to that in the place of one of its directories. */
  function twin() {
    const root = join(temporaryDirectory(), 'cache')
    cpSync(outside, root, { recursive: true })
    const link = (place: string) => {
      rmSync(join(root, place), { recursive: true })
      symlinkSync(join(outside, place), join(root, place))
    }
    return { root, link }
  }
  const expectNoChange = () => expect(everythingIn(outside)).toEqual(before)

  test.each(DIRECTORIES.flatMap(place => [`${place}, made before it is opened`, `${place}, made while it is open`]))(
    'nothing is written, moved or removed through %s',
    async title => {
      const [place = '', when = ''] = title.split(', ')
      const { root, link } = twin()
      if (when.includes('before')) link(place)
      const { cache, warnings } = openAsAnotherProcess(root)
      const tool = cache.namespace('tool')
      if (when.includes('while')) {
        for (let n = 0; n < 100; n++) tool.get(keyOf(n))
        tool.set('another', 'value')
        cache.stats()
        link(place)
        await nextTurn()
      }
      const unlessRefused = (work: () => Promise<unknown>) =>
        work().catch(error => expect(error.code).toMatch(/^(E|ERR_CACHE_)[A-Z]+$/))
      for (let n = 0; n < KEYS; n += 15) tool.set(keyOf(n), n + 1)
      tool.set('large', 'y'.repeat(300_000))
      cache.namespace('empty').set('key', 'value')
      cache.namespace('empty').clear()
      await unlessRefused(() => cache.gc({ maxEntries: 100 }))
      await nextTurn()
      expectNoChange()
      tool.clear()
      await unlessRefused(() => cache.verify({ repair: true }))
      await unlessRefused(() => cache.gc())
      cache.close()
      expect(repeatedCodes(warnings)).toEqual([])
      expectNoChange()
      // A repair puts most such links away.
      rmSync(join(root, place), { recursive: true, force: true })
      const after = openAsAnotherProcess(root).cache
      await after.verify({ repair: true })
      expect(after.namespace('tool').set('key', 'value')).toBe(true)
      expect(after.namespace('tool').get('key')).toBe('value')
      expect((await after.verify()).problems).toEqual([])
    },
  )

  test.each(DIRECTORIES)('no changing file call goes through %s', place => {
    const { root, link } = twin()
    const files = changingInside(nodeFiles, root)
    const own = join(root, 'own')
    writeFileSync(own, '')
    link(place)
    const inside = join(root, place)
    const names = readdirSync(inside).map(name => join(inside, name))
    const calls: ((path: string) => unknown)[] = [
      path => files.createFile(`${path}.new`, ''),
      path => files.makeDirectory(`${path}.new`),
      path => files.makeDirectory(join(path, 'a', 'b')),
      path => files.rename(path, join(root, 'moved')),
      path => files.rename(own, `${path}.new`),
      path => files.link(path, join(root, 'linked')),
      path => files.link(own, `${path}.new`),
      path => files.remove(path),
      path => files.removeDirectory(path),
      path => files.touch(path),
      path => files.setAccess(path, { owner: 0, group: 0, mode: 0o777 }),
    ]
    for (const path of [...names, inside]) {
      for (const call of path === inside ? calls.slice(2, 3) : calls) {
        let result: unknown
        try {
          result = call(path)
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^ENO(ENT|TDIR)$/)
        }
        expect([undefined, false]).toContain(result)
      }
    }
    expect(names.length).toBeGreaterThan(0)
    expectNoChange()
    expect(readdirSync(root)).not.toContain('moved')
  })
})
