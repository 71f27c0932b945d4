// The options and results of verify, and disks that fail during it.

import { lstatSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeFiles } from '../../src/files/files.js'
import type { VerifyProgress } from '../../src/index.js'
import { temporaryRoot } from '../support/caches.js'
import { fullDiskFiles, interceptedFiles, readOnlyFiles, systemError } from '../support/files.js'
import { fill, flip, hitsOf, large, open, pathIn, SMALL, verifyAt } from './stores.js'

function store(): string {
  const dir = temporaryRoot()
  const cache = open(dir)
  fill(cache, SMALL)
  cache.close()
  return dir
}

test.each([[null], ['repair'], [{ repair: 1 }], [{ onProgress: true }], [{ signal: {} }]])(
  'invalid options are rejected: %j',
  async options => {
    const cache = open(store())
    await expect(cache.verify(options as never)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    cache.close()
    await expect(cache.verify()).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' })
  },
)

test('a read-only cache can be verified but not repaired', async () => {
  const cache = open(store(), nodeFiles, true)
  expect((await cache.verify()).isWhole).toBe(true)
  await expect(cache.verify({ repair: true })).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
})

test('progress is reported for each file, up to all bytes', async () => {
  const dir = store()
  const told: VerifyProgress[] = []
  const report = await verifyAt(dir, { onProgress: progress => told.push(progress) })
  // A background gc writes the history, which may begin at any set.
  expect(told.map(({ file }) => file).filter(file => file !== 'v2/history/_.0')).toEqual([
    'v2/blobs/packs/0.pack',
    'v2/blobs/index/_.0',
    'v2/namespaces/one/manifest/_.0',
    'v2/namespaces/one/counters/_.0',
    'v2/namespaces/two/manifest/_.0',
    'v2/namespaces/two/counters/_.0',
  ])
  const bytes = told.map(({ checkedBytes }) => checkedBytes)
  expect(bytes).toEqual([...bytes].sort((a, b) => a - b))
  expect(bytes.at(-1)).toBe(report.checkedBytes)
  // The tag is not one of the logs.
  expect(told.at(-1)?.totalBytes).toBeGreaterThan(report.checkedBytes)
})

test('a signal stops it, and a stopped repair releases the lock', async () => {
  const dir = store()
  const abort = new AbortController()
  const reason = new Error('enough')
  const told: string[] = []
  const onProgress = ({ file }: VerifyProgress) => {
    told.push(file)
    abort.abort(reason)
  }
  await expect(verifyAt(dir, { repair: true, onProgress, signal: abort.signal })).rejects.toBe(reason)
  expect(told.length).toBe(1)
  expect((await verifyAt(dir, { repair: true })).isWhole).toBe(true)
})

test('a repair rejects if a gc or another repair is running, and verify without repair does not', async () => {
  const dir = store()
  const [first, second, third] = await Promise.allSettled([
    verifyAt(dir, { repair: true }),
    verifyAt(dir, { repair: true }),
    verifyAt(dir),
  ])
  expect([first.status, third.status]).toEqual(['fulfilled', 'fulfilled'])
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CACHE_BUSY' } })
  expect((await verifyAt(dir, { repair: true })).isWhole).toBe(true)
})

test('unreadable files are reported, and the rest is checked', async () => {
  const dir = store()
  for (const code of ['EIO', 'EACCES']) {
    const files = interceptedFiles(call => {
      const isBad = call.path.includes('two') && ['open', 'read', 'list'].includes(call.name)
      if (isBad && call.path.includes('manifest')) throw systemError(code, call)
      return call.proceed()
    })
    const { problems, entryCount } = await verifyAt(dir, {}, files)
    expect(problems.map(({ kind, file }) => `${kind} ${file}`)).toEqual(['unreadable v2/namespaces/two/manifest'])
    expect(entryCount).toBe(4)
  }
  const files = interceptedFiles(call => {
    if (call.path.endsWith('0.pack') && call.name === 'read') throw systemError('EIO', call)
    return call.proceed()
  })
  const { problems } = await verifyAt(dir, {}, files)
  expect(problems[0]).toMatchObject({ kind: 'unreadable', file: 'v2/blobs/packs/0.pack' })
})

test('on a full disk, nothing is cut out that could not be saved', async () => {
  const dir = store()
  flip(pathIn(dir, 'v2/blobs/packs/0.pack'), 60)
  flip(pathIn(dir, 'v2/namespaces/one/manifest/_.0'), 60)
  const before = hitsOf(dir, SMALL)
  for (const bytes of [0, 10, 100, 300, 600]) {
    const report = await verifyAt(dir, { repair: true }, fullDiskFiles({ bytes, refusals: 0 })).catch(error => error)
    if (report instanceof Error) expect(report).toMatchObject({ code: 'ENOSPC' })
    expect(
      [...before].filter(each => !hitsOf(dir, SMALL).has(each)),
      `${bytes} bytes`,
    ).toEqual([])
  }
  expect((await verifyAt(dir, { repair: true })).isWhole).toBe(true)
  expect([...before].filter(each => !hitsOf(dir, SMALL).has(each))).toEqual([])
})

test('a thousand problems are listed, and all are counted', async () => {
  const dir = temporaryRoot()
  const cache = open(dir)
  fill(cache, large(1500))
  cache.close()
  writeFileSync(pathIn(dir, 'v2/blobs/packs/0.pack'), '')
  const report = await verifyAt(dir)
  expect([report.problems.length, report.problemCount]).toEqual([1000, 1505 + 1506])
  expect((await verifyAt(dir, { repair: true })).isWhole).toBe(true)
})

/** Every path with its times, size and inode. */
function tree(dir: string) {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).map(path => {
    const { mtimeMs, ctimeMs, size, ino } = lstatSync(join(dir, path))
    return [path, mtimeMs, ctimeMs, size, ino]
  })
}

test('verify without repair never writes, whether the store is damaged or not', async () => {
  const work = store()
  const damages = [
    () => undefined,
    () => flip(pathIn(work, 'v2/blobs/packs/0.pack'), 100),
    () => flip(pathIn(work, 'v2/namespaces/one/manifest/_.0'), 100),
    () => rmSync(pathIn(work, 'v2/blobs/index/_.0')),
    () => rmSync(pathIn(work, 'CACHEDIR.TAG')),
    () => symlinkSync('x', pathIn(work, 'v2/gc.lock')),
  ]
  for (const damage of damages) {
    damage()
    const before = tree(work)
    const refused: string[] = []
    const cache = open(
      work,
      readOnlyFiles(call => refused.push(call.name)),
    )
    await cache.verify()
    expect(refused).toEqual([])
    cache.close()
    expect(tree(work)).toEqual(before)
  }
})
