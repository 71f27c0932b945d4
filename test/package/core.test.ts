// The published code: what a process with a single get loads and calls, and that the code is readable.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesBelow } from '../support/caches.js'
import { install } from './smoke-on-node.mjs'

/** What the core may grow to, in bytes, and how many of its functions a get in a new process may call, until it has ended. */
const MAX_CORE_BYTES = 127_300
const MAX_CALLED_FUNCTIONS = 300

let directory: string
let dist: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  dist = join(directory, 'node_modules', 'wicked-cache', 'dist')
  install(directory)
  run(`require('wicked-cache').openCacheSync().namespace('core').set('key', { list: [1, 'two'] })`)
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function run(code: string, ...flags: string[]): string {
  return execFileSync(process.execPath, [...flags, '--input-type=commonjs', '--eval', code], {
    cwd: directory,
    encoding: 'utf8',
    stdio: 'pipe',
    env: { ...process.env, NODE_OPTIONS: '', WICKED_CACHE_DIR: join(directory, 'cache') },
  })
}

const GET = `
  const { openCacheSync } = require('wicked-cache')
  require('node:assert').deepStrictEqual(openCacheSync().namespace('core').get('key'), { list: [1, 'two'] })`

const scripts = () => filesBelow(dist).filter(file => /\.c?js$/.test(file))

/** Names of the library's functions that a process calls, the code of its files not counted. */
function calledFunctions(code: string): string[] {
  const watched = `
    const { Session } = require('node:inspector')
    const session = new Session()
    session.connect()
    session.post('Profiler.enable')
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    ${code}
    // After the library's own listener.
    process.on('exit', () => session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      const ours = result.filter(({ url }) => /wicked-cache.dist/.test(url)).flatMap(({ functions }) => functions.slice(1))
      const called = ours.filter(({ ranges: [{ count }] }) => count > 0)
      console.log(JSON.stringify(called.map(({ functionName }) => functionName)))
    }))`
  return JSON.parse(run(watched))
}

test('the core is small', () => {
  expect(statSync(join(dist, 'index.cjs')).size).toBeLessThanOrEqual(MAX_CORE_BYTES)
})

test('the ES module entry lets Node detect export names in a small file', () => {
  const [, imported = ''] = /from '(.+)'/.exec(readFileSync(join(dist, 'index.js'), 'utf8')) ?? []
  const text = readFileSync(join(dist, imported), 'utf8')
  expect(text.length).toBeLessThan(1000)
  // Else Node would look into what is exported again as well.
  expect(text).not.toMatch(/exports = require/)
})

test('a get in a new process calls few functions', () => {
  const called = calledFunctions(GET)
  expect(called).toContain('openCacheSync')
  expect(called.length).toBeLessThanOrEqual(MAX_CALLED_FUNCTIONS)
})

const SLOW_MODULES = /(crypto|child_process|zlib|worker_threads|net|os|perf_hooks|url)$/

/** One that was changed long enough ago. */
const FILES = JSON.stringify([import.meta.filename])
const MISS = ['computing', 'inputs', 'listing', 'writing']
/** A lease has the host's name. */
const OS = ['Internal Binding os', 'NativeModule os']

test.each([
  ['a get', `entries.get('key')`, []],
  ['a get of an entry with files', `entries.get('with files')`, ['inputs']],
  ['a set', `entries.set('other', { list: [2] })`, ['writing']],
  ['a computed value that is a hit', `computed()`, ['inputs']],
  ['a get that misses', `entries.get('another')`, ['listing']],
  ['a computed value that is a miss', `entries.getOrSetSync('new', () => 1, { files: ${FILES} })`, MISS, OS],
])('%s loads little besides the core, and no slow module of Node', (_, call, siblings, slow: string[] = []) => {
  // One process in sixteen would look after the cache as well.
  const entries = `
    Math.random = () => 0.5
    const entries = require('wicked-cache').openCacheSync().namespace('core')
    const computed = () => entries.getOrSetSync('computed', () => 1, { files: ${FILES} })`
  run(`${entries}; computed(); entries.set('with files', 1, { files: ${FILES} })`)
  const names = run(`
    const before = new Set(process.moduleLoadList)
    ${entries}
    ${call}
    process.on('exit', () => {
      const loaded = Object.keys(require.cache).map(file => require('node:path').basename(file, '.cjs')).sort()
      console.log(JSON.stringify([loaded, process.moduleLoadList.filter(name => !before.has(name))]))
    })`)
  const [loaded, modules] = JSON.parse(names)
  expect(loaded).toEqual([...siblings, 'index'].sort())
  expect(modules.filter((name: string) => SLOW_MODULES.test(name))).toEqual(slow)
})

test('classes and errors keep their names, and stack traces have the lines of the published files', () => {
  const code = `
    const { CacheError, openCacheSync } = require('wicked-cache')
    const cache = openCacheSync()
    const names = [CacheError, cache.constructor, cache.namespace('core').constructor].map(({ name }) => name)
    try {
      cache.namespace('core').set('key', () => 1)
    } catch (error) {
      console.log(JSON.stringify([names, error instanceof CacheError, String(error), error.stack.split('\\n').slice(1)]))
    }`
  const [names, isCacheError, text, stack] = JSON.parse(run(code))
  expect(names).toEqual(['CacheError', 'CacheHandle', 'NamespaceHandle'])
  expect(isCacheError).toBe(true)
  expect(text).toMatch(/^CacheError: /)
  const ours = stack.filter((line: string) => line.includes('wicked-cache'))
  expect(ours.length).toBeGreaterThan(3)
  for (const line of ours) {
    const [, called, file, row, column] =
      /at (?:new )?(\S+) .*?\(?(\S+?):(\d+):(\d+)\)?$/.exec(line.replace('[as ', '')) ?? []
    const source = readFileSync(file as string, 'utf8').split('\n')[Number(row) - 1] as string
    expect(source.length, line).toBeLessThan(400)
    expect(source.slice(Number(column) - 1), `${called} in ${line}`).not.toBe('')
  }
})

test('is readable, and generates no code', () => {
  for (const file of scripts()) {
    const text = readFileSync(join(dist, file), 'utf8')
    const longest = Math.max(...text.split('\n').map(line => (line.includes('"AGFzb') ? 0 : line.length)))
    expect(longest, file).toBeLessThan(8000)
    // cbor-x makes readers of texts, where that is allowed.
    if (!text.includes('cbor-x')) expect(text, file).not.toMatch(/new Function\(|\beval\(/)
  }
})

test('a process whose installation is replaced gets misses, stores nothing and warns once', () => {
  const code = `
    const { mkdirSync, renameSync } = require('node:fs')
    const { dirname, join } = require('node:path')
    const { openCacheSync } = require('wicked-cache')
    const warnings = []
    const entries = openCacheSync({ onWarning: ({ message }) => warnings.push(message) }).namespace('core')
    const there = join(dirname(require.resolve('wicked-cache')), require('wicked-cache/package.json').version)
    renameSync(there, there + '-old')
    try {
      const given = [
        entries.set('key', 1),
        entries.setMany([{ key: 'key', value: 1 }]),
        entries.delete('key'),
        entries.invalidate('key'),
        entries.clear(),
        [...entries.keys()],
        [...entries.entries()],
        entries.find('key'),
        entries.get('key'),
      ]
      console.log(JSON.stringify([given, warnings]))
    } finally {
      renameSync(there + '-old', there)
    }`
  const [given, warnings] = JSON.parse(run(code))
  expect(given).toEqual([false, 0, false, false, 0, [], [], [], { list: [1, 'two'] }])
  expect(warnings).toEqual([expect.stringContaining('A part of wicked-cache cannot be loaded.')])
})

test('writes nothing outside the cache directory', () => {
  const stateOf = () =>
    filesBelow(directory)
      .filter(file => !/^cache\b/.test(file))
      .map(file => `${file} ${statSync(join(directory, file)).mtimeMs}`)
  for (const name of readdirSync(dist)) chmodSync(join(dist, name), 0o777)
  const before = stateOf()
  run(`
    process.umask(0)
    const cache = require('wicked-cache').openCacheSync()
    const entries = cache.namespace('core')
    entries.set('other', 1)
    entries.getOrSetSync('third', () => [entries.get('other')])
    cache.gc().then(() => cache.verify())`)
  expect(stateOf()).toEqual(before)
})

test.each(['import', 'require'])('by %s, there is one instance with the same named and default exports', async way => {
  const file = join(directory, `by-${way}.mjs`)
  const first = way === 'import' ? `await import('wicked-cache')` : `require('wicked-cache')`
  writeFileSync(
    file,
    `import { createRequire } from 'node:module'
     const require = createRequire(import.meta.url)
     ${first}
     const required = require('wicked-cache')
     const { default: library, ...imported } = await import('wicked-cache')
     console.log(library === required, JSON.stringify(Object.keys(imported)))
     for (const name of Object.keys(imported)) if (imported[name] !== required[name]) throw new Error(name)
     console.log(JSON.stringify(Object.keys(required).sort()))`,
  )
  const [isSame, imported, required] = execFileSync(process.execPath, [file], { encoding: 'utf8' })
    .trim()
    .split(/[ \n]/)
  expect(isSame).toBe('true')
  expect(imported).toBe(required)
  expect(JSON.parse(required as string)).toContain('openCache')
})

test.each([['--jitless'], ['--disallow-code-generation-from-strings'], ['--no-expose-wasm']])(
  'can be loaded and opened with %s',
  flag => {
    const code = `
    const { openCache, openCacheSync } = require('wicked-cache')
    openCacheSync({ onWarning() {} }).namespace('flags')
    openCache({ onWarning() {} }).then(cache => console.log(typeof cache.namespace('flags').version))`
    expect(run(code, flag)).toBe('string\n')
  },
)
