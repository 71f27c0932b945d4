import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesBelow } from '../support/caches.js'
import { flip, pathIn } from '../verify/stores.js'
import { cli, filled, temporaryDir } from './harness.js'

const PACK = 'v2/blobs/packs/0.pack'

async function store(): Promise<string> {
  const dir = join(temporaryDir(), 'cache')
  await filled(dir, cache => {
    for (const key of ['a', 'b', 'c']) cache.namespace('ns').set(key, `the value of ${key}`)
    cache.namespace('other', { version: '2' }).set('d\u001b[31m', 'the value of a')
  })
  return dir
}

test('an undamaged cache exits with 0 and reports what was checked', async () => {
  const dir = await store()
  const { code, out, err } = await cli(['verify', '--dir', dir])
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^Checked \d+ files \([\d.]+ K?B\): 4 entries, 3 values\nNothing is wrong\n$/)
  const json = await cli(['verify', '--json', '--dir', dir])
  expect(json.code).toBe(0)
  expect(JSON.parse(json.out)).toEqual({
    dir,
    isWhole: true,
    fileCount: expect.any(Number),
    checkedBytes: expect.any(Number),
    blobCount: 3,
    entryCount: 4,
    problems: [],
    problemCount: 0,
    notes: [],
    noteCount: 0,
    lostAndFound: [],
  })
})

test('a damaged value exits with 1 and is reported by file and offset, and nothing is changed', async () => {
  const dir = await store()
  const at = readFileSync(pathIn(dir, PACK)).indexOf('the value of a')
  flip(pathIn(dir, PACK), at)
  const before = filesBelow(dir).map(file => readFileSync(join(dir, file), 'latin1'))
  const { code, out } = await cli(['verify', '--dir', dir])
  expect(code).toBe(1)
  expect(out).toMatch(/^corrupt {2}v2\/blobs\/packs\/0\.pack at 55, \d+ B: /m)
  expect(out).toMatch(/^dangling {2}v2\/namespaces\/ns\/manifest\/_\.0 at \d+: .* \(ns: a\)$/m)
  expect(out).toContain('(other: d\\u001b[31m, version 2)')
  expect(out).not.toContain('\u001b')
  expect(out).toContain('4 problems; wicked-cache verify --repair salvages what is whole')
  const report = JSON.parse((await cli(['verify', '--json', '--dir', dir])).out)
  expect(report).toMatchObject({ isWhole: false, problemCount: 4 })
  expect(report.problems[0]).toMatchObject({ kind: 'corrupt', file: PACK, offset: 55 })
  expect(report.problems).toContainEqual(
    expect.objectContaining({ kind: 'dangling', namespace: 'other', version: '2', key: 'd\u001b[31m' }),
  )
  expect(filesBelow(dir).map(file => readFileSync(join(dir, file), 'latin1'))).toEqual(before)
})

test('a repair exits with 0, keeps what it cut out, and other entries still hit', async () => {
  const dir = await store()
  const at = readFileSync(pathIn(dir, PACK)).indexOf('the value of a')
  flip(pathIn(dir, PACK), at)
  const { code, out } = await cli(['verify', '--repair', '--dir', dir])
  expect([code, out]).toEqual([0, expect.stringContaining('4 problems, all repaired')])
  expect(out).toMatch(/^corrupt {2}.* Repaired\.$/m)
  const kept = 'salvaged/v2~blobs~packs~0.pack~55'
  expect(out.trimEnd().split('\n').at(-1)).toBe(kept)
  expect(readFileSync(pathIn(dir, kept)).includes('he value of a')).toBe(true)
  expect((await cli(['verify', '--dir', dir])).code).toBe(0)
  expect(await cli(['get', 'ns', 'b', '--dir', dir])).toMatchObject({ code: 0, out: '"the value of b"\n' })
  expect((await cli(['get', 'ns', 'a', '--dir', dir])).code).toBe(1)
})

test('notes alone exit with 0', async () => {
  const dir = await store()
  writeFileSync(pathIn(dir, PACK), readFileSync(pathIn(dir, PACK)).subarray(0, 20), { flag: 'a' })
  writeFileSync(join(dir, 'README'), 'mine')
  await filled(dir, cache => cache.namespace('ns').delete('b'))
  const { code, out } = await cli(['verify', '--dir', dir])
  expect([code, out]).toEqual([0, expect.stringContaining('Nothing is wrong, 3 harmless notes')])
  expect(out).toMatch(/^torn {2}v2\/blobs\/packs\/0\.pack at \d+, 20 B: /m)
  expect(out).toMatch(/^orphaned {2}README, 4 B: /m)
  expect(out).toMatch(/^orphaned {2}v2\/blobs\/packs\/0\.pack at \d+, \d+ B: 1 /m)
})

test('a repair that cannot fix everything exits with 1', async () => {
  const dir = await store()
  rmSync(pathIn(dir, PACK))
  mkdirSync(pathIn(dir, PACK))
  // In the place of the directory that a repair needs.
  writeFileSync(join(dir, 'salvaged'), 'a file')
  const { code, out } = await cli(['verify', '--repair', '--dir', dir])
  expect([code, out]).toEqual([1, expect.stringContaining('not all of them could be repaired')])
  expect(out).toContain('could not be repaired')
  expect(readFileSync(join(dir, 'salvaged'), 'utf8')).toBe('a file')
})

test('during a gc, verify --repair exits with 1, and verify with 0', async () => {
  const dir = await store()
  writeFileSync(
    join(dir, 'v2', 'gc.lock'),
    JSON.stringify({ pid: process.pid, host: 'elsewhere', sinceMs: Date.now() }),
  )
  expect(await cli(['verify', '--repair', '--dir', dir])).toMatchObject({
    code: 1,
    err: expect.stringContaining('is running'),
  })
  expect((await cli(['verify', '--dir', dir])).code).toBe(0)
})

test('a missing cache exits with 0 and is not created; an invalid root exits with 1', async () => {
  const dir = join(temporaryDir(), 'cache')
  expect((await cli(['verify', '--dir', dir])).code).toBe(0)
  expect((await cli(['verify', '--repair', '--dir', dir])).code).toBe(0)
  expect(() => readFileSync(dir)).toThrow('ENOENT')
  writeFileSync(dir, 'a file')
  expect(await cli(['verify', '--dir', dir])).toMatchObject({ code: 1, err: expect.stringContaining('ERR_CACHE_ROOT') })
})

test('a usage error exits with 2', async () => {
  expect((await cli(['verify', 'something'])).code).toBe(2)
  expect((await cli(['verify', '--repare'])).code).toBe(2)
})
