// What V8 made of the library's code, kept beside it for the next process: used where it is whole, and never missed.

import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { install } from './smoke-on-node.mjs'

let directory: string
let dist: string
let codeCache: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  dist = join(directory, 'node_modules', 'wicked-cache', 'dist')
  codeCache = join(dist, 'code-cache')
  install(directory)
})
beforeEach(() => writeFileSync(join(directory, 'watch.cjs'), WATCH))
afterEach(() => {
  for (const file of kept()) rmSync(join(codeCache, file), { recursive: true })
  rmSync(join(directory, 'cache'), { recursive: true, force: true })
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const kept = () => readdirSync(codeCache).filter(name => name.endsWith('.code'))
const keptOf = (part: string) => kept().filter(name => name.startsWith(`${part}-`))
const bytesOf = (file: string) => readFileSync(join(codeCache, file))

/** Prints for each text that is compiled whether code was kept of it, and whether V8 took it. */
const WATCH = `
  const vm = require('node:vm')
  vm.Script = class extends vm.Script {
    constructor(text, options) {
      super(text, options)
      const part = /^wicked-cache:.*?(\\w+)\\.ts$/.exec(options?.filename)?.[1]
      if (part) console.log(part, options?.cachedData ? (this.cachedDataRejected ? 'refused' : 'taken') : 'none')
    }
  }
  // By chance, upkeep follows a set.
  Math.random = () => 0.999`
const GET = `entries.get('key')`
const SET = `if (!entries.set('key', { list: [1] }) || entries.get('key').list[0] !== 1) throw new Error('wrong')`

const argvOf = (work: string, flags: string[] = []) => {
  const code = `
    import { openCacheSync } from 'wicked-cache'
    const entries = openCacheSync().namespace('kept')
    ${work}`
  return [...flags, '--require', join(directory, 'watch.cjs'), '--input-type=module', '--eval', code]
}
const optionsFor = (env: Record<string, string>) => ({
  cwd: directory,
  encoding: 'utf8' as const,
  env: { ...process.env, NODE_OPTIONS: '', WICKED_CACHE_DIR: join(directory, 'cache'), ...env },
})
/** What `WATCH` prints. */
const run = (work: string, { flags = [], env = {} }: { flags?: string[]; env?: Record<string, string> } = {}) =>
  execFileSync(process.execPath, argvOf(work, flags), optionsFor(env)).trim().split('\n')

test('a process finds what the one before it compiled', () => {
  expect(run(GET)).toEqual(['index none'])
  expect(kept()).toHaveLength(1)
  expect(run(GET)).toEqual(['index taken'])
})

test('where an error comes from can be told in either case', () => {
  const work = `try { entries.set('', 1) } catch (error) { console.log(/wicked-cache:src.index\\.ts:\\d+/.test(error.stack)) }`
  expect(run(work)).toEqual(['index none', 'true'])
  expect(run(work)).toEqual(['index taken', 'true'])
})

test('what a process compiled besides is kept, too', () => {
  run(GET)
  const [file = ''] = kept()
  const before = bytesOf(file)
  expect(run(SET)).toEqual(['index taken', 'encode none'])
  expect(keptOf('encode')).toHaveLength(1)
  expect(bytesOf(file).length).toBeGreaterThan(before.length)
  expect(run(SET)).toEqual(['index taken', 'encode taken'])
})

test('what is kept does not grow by what some process calls besides', () => {
  run(SET)
  const [file = ''] = keptOf('index')
  const before = bytesOf(file)
  run(`entries.clear(); [...entries.keys()]`)
  expect(bytesOf(file).equals(before)).toBe(true)
})

/** Has an expression kept instead of the code of the largest part. */
const keeping = (instead: string) => `
  const { Script } = process.getBuiltinModule('node:vm')
  const { createCachedData } = Script.prototype
  Script.prototype.createCachedData = function () {
    const code = createCachedData.call(this)
    return code.length < 100_000 ? code : ${instead}
  }`

test.each([
  ['shrink where V8 has forgotten some', 'code.subarray(0, 1000)'],
  ['grow beyond what is quickly read', 'Buffer.concat([code, code])'],
])('what is kept does not %s', (_, instead) => {
  run(SET)
  const [file = ''] = keptOf('index')
  const before = bytesOf(file)
  for (const other of keptOf('encode')) rmSync(join(codeCache, other))
  run(`${keeping(instead)}; ${SET}`)
  expect(keptOf('encode')).toHaveLength(1)
  expect(bytesOf(file).equals(before)).toBe(true)
})

test('what the first process called is kept, however much it is', () => {
  run(`${keeping('Buffer.concat([code, code])')}; ${SET}`)
  expect(keptOf('index')).toHaveLength(1)
  expect(run(SET)).toEqual(['index taken', 'encode taken'])
})

test.each<[string, (file: string) => void]>([
  ['cut short', file => truncateSync(file, readFileSync(file).length - 1000)],
  ['empty', file => truncateSync(file, 0)],
  ['shorter than its check', file => truncateSync(file, 3)],
  ['of zeros', file => writeFileSync(file, Buffer.alloc(readFileSync(file).length))],
  ['damaged in a byte', file => damage(file, 0.5)],
  ['damaged in its header', file => damage(file, 0)],
  ['damaged in its check', file => damage(file, 1)],
])('code that is %s is not taken, and kept anew', (_, spoil) => {
  run(GET)
  const [file = ''] = kept()
  spoil(join(codeCache, file))
  expect(run(SET)[0]).toBe('index none')
  expect(run(SET)).toEqual(['index taken', 'encode taken'])
})

function damage(file: string, share: number): void {
  const bytes = readFileSync(file)
  const at = Math.floor(share * (bytes.length - 1))
  bytes[at] = (bytes[at] as number) ^ 1
  writeFileSync(file, bytes)
}

test('processes with other flags have code of their own', () => {
  run(GET)
  const [file = ''] = kept()
  const before = bytesOf(file)
  const flags = ['--stack-size=900']
  expect(run(GET, { flags })).toEqual(['index refused', 'index none'])
  expect(run(GET, { flags })).toEqual(['index refused', 'index taken'])
  expect(kept()).toHaveLength(2)
  expect(bytesOf(file).equals(before)).toBe(true)
  expect(run(GET)).toEqual(['index taken'])
})

test('what was kept for others does not pile up', () => {
  for (let i = 0; i < 64; i++) writeFileSync(join(codeCache, `index-${i}.code`), '')
  expect(run(GET)).toEqual(['index none'])
  expect(kept()).toHaveLength(1)
  expect(readdirSync(codeCache)).toContain('README.md')
  expect(run(GET)).toEqual(['index taken'])
})

test('a text of the same length has code of its own', () => {
  run(GET)
  const file = join(dist, 'index.js')
  const whole = readFileSync(file, 'utf8')
  const digest = keptOf('index')[0]?.split('-')[1] as string
  writeFileSync(file, whole.replace(digest, digest.split('').reverse().join('')))
  try {
    expect(run(GET)).toEqual(['index none'])
    expect(run(GET)).toEqual(['index taken'])
    expect(kept()).toHaveLength(2)
  } finally {
    writeFileSync(file, whole)
  }
})

test('where nothing can be written, all works as ever', () => {
  run(SET)
  // Not by its mode: tests may run as a user whom that does not stop.
  for (const file of kept()) {
    rmSync(join(codeCache, file))
    mkdirSync(join(codeCache, file))
  }
  expect(run(SET)).toEqual(['index none', 'encode none'])
})

test('nothing is written beside a copy of the file, as a bundler makes it', () => {
  const copy = join(directory, 'copy')
  mkdirSync(copy)
  cpSync(join(dist, 'index.js'), join(copy, 'index.mjs'))
  const work = `
    const { openCacheSync: open } = await import(${JSON.stringify(join(copy, 'index.mjs'))})
    open().namespace('copied').set('key', 1)`
  expect(run(work)).toEqual(['index none', 'index none', 'encode none'])
  expect(readdirSync(copy)).toEqual(['index.mjs'])
})

test.each<[string, { flags?: string[]; env?: Record<string, string>; work?: string }]>([
  ['under NODE_DISABLE_COMPILE_CACHE', { env: { NODE_DISABLE_COMPILE_CACHE: '1' } }],
  ['of a process that has run for long', { work: `process.uptime = () => 60; ${SET}` }],
])('nothing is kept %s', (_, { work = SET, ...options }) => {
  expect(run(work, options)).toEqual(['index none', 'encode none'])
  expect(kept()).toEqual([])
})

test('many first processes at once are all right, and leave code that is taken', async () => {
  const all = Array.from({ length: 8 }, () => promisify(execFile)(process.execPath, argvOf(SET), optionsFor({})))
  await Promise.all(all)
  run(SET)
  expect(run(SET)).toEqual(['index taken', 'encode taken'])
})

test('a thread takes and keeps as well', () => {
  const file = join(directory, 'thread.mjs')
  writeFileSync(
    file,
    `import { openCacheSync } from 'wicked-cache'; const entries = openCacheSync().namespace('kept'); ${SET}`,
  )
  const work = `
    const { Worker } = await import('node:worker_threads')
    new Worker(${JSON.stringify(file)}, { execArgv: [] }).on('error', error => { throw error })`
  expect(run(work)[0]).toBe('index none')
  expect(keptOf('encode')).toHaveLength(1)
  expect(run(SET)).toEqual(['index taken', 'encode taken'])
})
