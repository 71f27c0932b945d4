// The published package: packed, unpacked into an empty project and used there.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesBelow } from '../support/caches.js'
import { projectRoot } from '../support/children.js'
import { brokenLinks } from '../support/documents.js'
import { install, smoke } from './smoke-on-node.mjs'

let directory: string
let installed: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  installed = join(directory, 'node_modules', 'wicked-cache')
  install(directory)
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

const run = (argv: string[], env: Record<string, string> = {}) =>
  execFileSync(process.execPath, argv, {
    cwd: directory,
    encoding: 'utf8',
    stdio: 'pipe',
    timeout: 60_000,
    env: { ...process.env, NODE_OPTIONS: '', WICKED_CACHE_DIR: join(directory, 'cache'), ...env },
  })

test('import and require work without chokidar', () => {
  expect(smoke(directory)).toEqual(['import.mjs', 'require.cjs', 'both.cjs'])
})

test('import and require work with chokidar, and watch with it', () => {
  const link = join(directory, 'node_modules', 'chokidar')
  symlinkSync(join(projectRoot, 'node_modules', 'chokidar'), link, 'junction')
  const source = join(directory, 'watched', 'a.js')
  mkdirSync(dirname(source))
  writeFileSync(source, 'a')
  const code = `
    const cache = openCacheSync()
    cache.namespace('watched').set('key', 1, { files: [${JSON.stringify(source)}] })
    const watcher = cache.watch(${JSON.stringify(dirname(source))}, { persistent: true })
    watcher.on('error', error => { throw error })
    watcher.ready.then(() => fs.appendFileSync(${JSON.stringify(source)}, 'b'))
    watcher.on('invalidate', ({ key, cause }) => {
      console.log(key, cause)
      watcher.close()
    })`
  try {
    expect(smoke(directory).length).toBe(3)
    const imports = "import fs from 'node:fs'\nimport { openCacheSync } from 'wicked-cache'\n"
    expect(run(['--input-type=module', '--eval', imports + code])).toBe('key source-changed\n')
    const requires = "const fs = require('node:fs')\nconst { openCacheSync } = require('wicked-cache')\n"
    expect(run(['--input-type=commonjs', '--no-warnings', '--eval', requires + code])).toBe('key source-changed\n')
  } finally {
    rmSync(link)
    rmSync(join(directory, 'cache'), { recursive: true, force: true })
  }
})

test('a process whose installation is replaced keeps working with what it has loaded', () => {
  const code = `
    import { rmSync } from 'node:fs'
    import { CacheError, openCacheSync } from 'wicked-cache'
    const warnings = []
    const cache = openCacheSync({ onWarning: ({ code }) => warnings.push(code) })
    const entries = cache.namespace('removed')
    entries.set('key', [1])
    rmSync(${JSON.stringify(join(installed, 'dist'))}, { recursive: true })
    console.log(entries.set('other', [2]), entries.get('key'), entries.has('other'), entries.delete('other'), warnings)
    await cache.verify().catch(error => console.log(error instanceof CacheError, error.code, error.cause.code))`
  const kept = join(directory, 'kept')
  cpSync(join(installed, 'dist'), kept, { recursive: true })
  try {
    expect(run(['--input-type=module', '--eval', code])).toBe(
      'true [ 1 ] true true []\ntrue ERR_CACHE_IO MODULE_NOT_FOUND\n',
    )
  } finally {
    cpSync(kept, join(installed, 'dist'), { recursive: true })
    rmSync(join(directory, 'cache'), { recursive: true, force: true })
  }
})

test.each([[], ['--disallow-code-generation-from-strings']])(
  'large values are decoded unchanged, with %j',
  (...flags) => {
    const code = `
    import { deepStrictEqual } from 'node:assert'
    import { openCacheSync } from 'wicked-cache'
    const entries = openCacheSync().namespace('trees')
    const value = Array.from({ length: 5000 }, (_, i) => (i % 3 === 0 ? { type: 'a', i } : { type: 'b', of: [i], end: 'x' }))
    entries.set('tree', value)
    // Its readers are compiled in between, where that is allowed.
    for (let i = 0; i < 3; i++) deepStrictEqual(entries.get('tree'), value)`
    expect(run([...flags, '--input-type=module', '--eval', code])).toBe('')
  },
)

test('in a separate realm, as in test runners, it recognizes the classes of that realm', () => {
  const code = `
    const { readFileSync } = require('node:fs')
    const { dirname, join } = require('node:path')
    const vm = require('node:vm')
    // All that Node adds to the language, none of the classes of the language itself.
    const own = Object.getOwnPropertyNames(vm.runInNewContext('globalThis'))
    const added = Object.getOwnPropertyNames(globalThis).filter(name => !own.includes(name))
    const context = vm.createContext(Object.fromEntries(added.map(name => [name, globalThis[name]])))
    const loaded = new Map()
    const load = filename => {
      const known = loaded.get(filename)
      if (known) return known.exports
      const module = { exports: {} }
      loaded.set(filename, module)
      const options = { filename, parsingContext: context }
      const wrapper = vm.compileFunction(readFileSync(filename, 'utf8'), ['module', 'exports', 'require'], options)
      wrapper(module, module.exports, request => load(join(dirname(filename), request)))
      return module.exports
    }
    const library = load(require.resolve('wicked-cache'))
    Object.assign(context, { library, dir: ${JSON.stringify(join(directory, 'realm'))}, file: ${JSON.stringify(join(directory, 'package.json'))} })
    const use = \`(async () => {
      const cache = library.openCacheSync({ dir, onWarning: ({ cause }) => { throw cause } })
      const entries = cache.namespace('realm')
      const value = { map: new Map([[1, new Date(5)]]), set: new Set(['x']), list: Array.from({ length: 100 }, (_, i) => ({ i })) }
      const isStored = entries.set('key', value, { files: [file] })
      const { map, set, list } = entries.get('key')
      const computed = await entries.getOrSet('other', async () => [1])
      const { keptEntries } = await cache.gc()
      const { isWhole } = await cache.verify()
      const classes = [map instanceof Map, map.get(1) instanceof Date, set instanceof Set, list instanceof Array]
      return [isStored, ...classes, list.length, computed, entries.get('other'), keptEntries, isWhole].join()
    })()\`
    vm.runInContext(use, context).then(console.log)`
  expect(run(['--input-type=commonjs', '--eval', code])).toBe('true,true,true,true,true,100,1,1,2,true\n')
})

test.each(['esm', 'cjs'] as const)('a plugin bundled as %s is self-contained', async format => {
  const out = join(directory, `bundled-${format}`, `plugin.${format === 'esm' ? 'mjs' : 'cjs'}`)
  await build({
    stdin: {
      contents: `
        import { openCacheSync } from 'wicked-cache'
        const cache = openCacheSync()
        const entries = cache.namespace('bundled')
        console.log(entries.set('key', [1]), entries.get('key'), entries.getOrSetSync('other', () => 2), entries.explain('none').reason)
        cache.gc().then(() => cache.verify()).then(({ isWhole }) => console.log(isWhole, cache.stats().entryCount > 0))`,
      resolveDir: directory,
    },
    bundle: true,
    platform: 'node',
    external: ['chokidar'],
    format,
    outfile: out,
    logLevel: 'silent',
  })
  rmSync(join(directory, 'cache'), { recursive: true, force: true })
  expect(run([out])).toBe('true [ 1 ] 2 never-set\ntrue true\n')
})

test('contains what it needs and nothing else of the checkout', () => {
  const files = filesBelow(installed).map(file => file.split('\\').join('/'))
  for (const file of [
    'package.json',
    'dist/index.js',
    'dist/index.cjs',
    'dist/cli.cjs',
    'dist/index.d.ts',
    'dist/index.d.cts',
    'plugin/scripts/cache.py',
    'plugin/dist/wicked-cache.cjs',
  ])
    expect(files).toContain(file)
  for (const file of files)
    expect(file).toMatch(
      /^(dist\/|plugin\/|docs\/|package\.json$|[A-Z]+(\.md)?$|src\/FORMAT\.md$|bench\/(RESULTS\.md|results\.svg)$)/,
    )
  expect(files.filter(file => /pycache|\.pyc$/.test(file))).toEqual([])
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  expect(Object.keys(dependencies)).toEqual(['chokidar'])
})

test('contains all files that its pages link to', () => {
  const pages = filesBelow(installed).filter(file => file.endsWith('.md'))
  expect(pages.length).toBeGreaterThan(20)
  const broken = pages.flatMap(page => brokenLinks(installed, page))
  expect(broken).toEqual([])
})

test('contains no path of the build machine', () => {
  for (const file of filesBelow(installed)) {
    expect(readFileSync(join(installed, file), 'latin1').includes(projectRoot), file).toBe(false)
  }
})

test('its command line runs without other packages', () => {
  expect(run([join(installed, 'dist', 'cli.cjs'), 'path'])).toBe(`${join(directory, 'cache')}\n`)
})

test('its types match its behaviour in a strict project', () => {
  writeFileSync(
    join(directory, 'consumer.mts'),
    `import { type Cache, CacheError, type CacheWarning, type EntryInfo, openCache, openCacheSync, namespace } from 'wicked-cache'
     const cache: Cache = await openCache({ dir: 'x', onWarning: (warning: CacheWarning) => warning.code.length })
     const entries = cache.namespace('tool', { version: '1', project: '.' })
     const stored: boolean = entries.set('key', { a: 1 }, { ttl: '5m', files: ['a.js'] })
     const value: { a: number } | undefined = entries.get<{ a: number }>('key')
     const infos: EntryInfo[] = [...entries.entries({ allVersions: true })]
     const own: Promise<unknown> = namespace('tool').then(each => each.setMany([{ key: 'a', value: 1 }]))
     // @ts-expect-error: a key is a string
     entries.get(5)
     // @ts-expect-error: a ttl is a number or a text
     entries.set('key', 1, { ttl: true })
     // @ts-expect-error: there is no such option
     openCacheSync({ directory: 'x' })
     export { CacheError, stored, value, infos, own }
    `,
  )
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2022']
  const tsc = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc')
  const nodeTypes = ['--types', 'node', '--typeRoots', join(projectRoot, 'node_modules', '@types')]
  expect(run([tsc, ...options, ...nodeTypes, 'consumer.mts'])).toBe('')
})
