// The package is replaced, removed or truncated while a process uses it. No call throws if the same program works without a
// cache.

import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectRoot } from '../support/children.js'

const dist = join(projectRoot, 'dist')
const [version = ''] = readdirSync(dist).filter(name => /^\d/.test(name))
const PARTS = readdirSync(join(dist, version)).filter(name => !name.startsWith('cli-'))
const child = join(import.meta.dirname, 'missing-parts-child.cjs')

let directory: string
let count = 0

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface Answers {
  given: Record<string, unknown>
  warnings: string[]
  told: boolean[]
}

/** What the calls give after the files were changed; `before`: which calls the process has made by then. */
async function answersAfter(harm: string, names: string, before: string): Promise<Answers> {
  const work = join(directory, String(++count))
  mkdirSync(join(work, 'project', 'sub'), { recursive: true })
  cpSync(dist, join(work, 'dist'), { recursive: true })
  writeFileSync(join(work, 'project', 'package.json'), '{}')
  writeFileSync(join(work, 'project', 'a.txt'), 'text of a')
  writeFileSync(join(work, 'project', 'sub', 'b.txt'), '')
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [child, join(work, 'dist'), harm, names, before],
    {
      cwd: join(work, 'project'),
      env: { ...process.env, NODE_OPTIONS: '', SOME_VARIABLE: 'value', WICKED_CACHE_DIR: join(work, 'cache') },
      timeout: 60_000,
    },
  )
  rmSync(work, { recursive: true, force: true })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

const LOOKED = ['text of a', 'text of a', false, 'b.txt', 'value', 1, 2, 'named']
const ANALYZED = ['text of a', 'a.txt', true, 'text of a', 'value']

/** What a call gives with the cache and without it. */
const COMPUTED = {
  getOrSet: LOOKED,
  'getOrSet with a stale time': LOOKED,
  getOrSetSync: LOOKED,
  'getOrSetSync of a large value': 300,
  'getOrSetSync of a class': true,
  'getOrSetSync of two': [1, LOOKED, null, false],
  'getOrSetSync that throws': 'of the author, 1 call',
  'getOrSetSync, counted': 1,
  analyze: ANALYZED,
  analyzeSync: ANALYZED,
  'analyzeSync anywhere': ANALYZED,
  'analyzeSync of text': ['given', 'a.txt', true, 'given', 'value'],
  wrap: 6,
  wrapSync: 12,
  snapshot: LOOKED,
  get: true,
  'get of what was set': true,
  'get of a large value': true,
  'get often': true,
  has: false,
  peek: true,
  getMany: 1,
  delete: false,
  deleteMany: 0,
  invalidate: false,
  clear: 0,
  keys: [],
  entries: [],
  find: [],
  prefetch: 0,
  in: true,
  namespace: true,
  'an unknown option': 'ERR_CACHE_OPTION',
  openCache: 'readwrite',
}

/** What these give is of one of two kinds. */
const STORED = { set: [true, false], setMany: [1, 0] }

/** What needs the cache, or what can't be loaded, itself: it gives this, or throws `ERR_CACHE_IO`. */
const REPORTED = {
  explain: false,
  'stats of a namespace': 'number',
  stats: 'number',
  summary: 'object',
  namespaces: true,
  gc: 'number',
  verify: 'boolean',
  removeNamespace: 'number',
  watch: 'undefined',
  remote: 'undefined',
  createRemoteKeys: 'object',
  fromKeyv: 'object',
  parseDuration: 1000,
  parseSize: 1024,
}

const REFUSAL = { code: 'ERR_CACHE_IO' }

function check({ given, warnings, told }: Answers): void {
  for (const [name, value] of Object.entries(COMPUTED)) expect({ [name]: given[name] }).toEqual({ [name]: value })
  for (const [name, values] of Object.entries(STORED)) expect(values).toContain(given[name])
  for (const [name, value] of Object.entries(REPORTED)) expect([value, REFUSAL], name).toContainEqual(given[name])
  const known = [COMPUTED, STORED, REPORTED].flatMap(each => Object.keys(each))
  expect(Object.keys(given).filter(name => !known.includes(name))).toEqual([])
  // At most one, for each of the two caches that were opened, besides that for what can't be stored.
  expect(warnings.filter(code => code === 'ERR_CACHE_IO').length).toBeLessThanOrEqual(2)
  expect(warnings.filter(code => code !== 'ERR_CACHE_IO' && code !== 'ERR_CACHE_VALUE')).toEqual([])
  // `onResult`, of getOrSet, getOrSetSync and wrap.
  expect(told).toEqual([true, true, true])
}

test('with all parts, every call returns what it should', async () => {
  const answers = await answersAfter('leave', 'all', 'nothing')
  check(answers)
  expect(answers.given).toMatchObject({ ...REPORTED, set: true, setMany: 1 })
  expect(answers.warnings).toEqual(['ERR_CACHE_VALUE'])
})

test.concurrent.each([
  ['remove', 'nothing'],
  ['remove', 'set'],
  ['remove', 'hit'],
  ['remove', 'all'],
  ['empty', 'hit'],
  ['rebuild', 'set'],
])('%s all parts, after: %s', async (harm, before) => {
  const answers = await answersAfter(harm, 'all', before)
  check(answers)
  expect(answers.warnings).toContain('ERR_CACHE_IO')
})

/** What no call on entries needs is removed at once, all else one by one. */
const OF_NO_ENTRY = /^(?:remote-|background-gc|gc|verify|watcher|memory|shared-root)/
const groups = [...PARTS.filter(name => !OF_NO_ENTRY.test(name)), PARTS.filter(name => OF_NO_ENTRY.test(name)).join()]

test.concurrent.each(groups)('without %s', async names => {
  check(await answersAfter('remove', names, 'nothing'))
})
