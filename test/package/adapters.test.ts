// The adapters of the published package, without their hosts installed.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectRoot } from '../support/children.js'
import { install } from './smoke-on-node.mjs'

/** What one may grow to, its own helpers included. */
const MAX_BYTES = 13_000

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  install(directory)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function run(code: string, kind = 'module'): string {
  return execFileSync(process.execPath, [`--input-type=${kind}`, '--eval', code], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', WICKED_CACHE_DIR: join(directory, 'cache') },
  })
}

const { exports } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
const names = Object.keys(exports).flatMap(name => /^\.\/([\w-]+)$/.exec(name)?.[1] ?? [])

test('there is one adapter for each host', () => {
  expect(names).toEqual(['babel', 'esbuild', 'jest', 'keyv', 'metro', 'rollup', 'unstorage', 'webpack'])
})

describe.each(names)('%s', name => {
  test('is the same instance for import and require, and loads only itself and the core', () => {
    const code = `
      import { createRequire } from 'node:module'
      const require = createRequire(process.cwd() + '/x.js')
      const required = require('wicked-cache/${name}')
      const imported = await import('wicked-cache/${name}')
      for (const each of Object.keys(required)) if (imported[each] !== required[each]) throw new Error(each)
      console.log(Object.keys(require.cache).map(file => file.split(/[\\\\/]/).at(-1)).sort().join())`
    expect(run(code)).toBe(`${['index.cjs', `${name}.cjs`].sort().join()}\n`)
  })

  test('is small', () => {
    const file = join(directory, 'node_modules', 'wicked-cache', 'dist', 'adapters', `${name}.cjs`)
    expect(statSync(file).size).toBeLessThanOrEqual(MAX_BYTES)
  })
})

test('stores keep values in the default cache', () => {
  const code = `
    const { KeyvStore } = require('wicked-cache/keyv')
    const { MetroStore } = require('wicked-cache/metro')
    const { unstorageDriver } = require('wicked-cache/unstorage')
    const main = async () => {
      const keyv = new KeyvStore({ name: 'k', project: false })
      await keyv.set('a', 1, 1000)
      const metro = new MetroStore()
      metro.set(Buffer.from('key'), { output: [] })
      const driver = unstorageDriver({ name: 'u' })
      driver.setItem('b', 'text')
      return [await keyv.get('a'), metro.get(Buffer.from('key')), driver.getItem('b'), driver.getKeys('')]
    }
    main().then(found => console.log(JSON.stringify(found)))`
  expect(run(code, 'commonjs')).toBe('[1,{"output":[]},"text",["b"]]\n')
  expect(run(`import { defaultCache } from 'wicked-cache'\nconsole.log(defaultCache().namespaces().join())`)).toBe(
    'k,metro,u\n',
  )
})

test('a plugin without a bundler is cached, and an invalid place is rejected', () => {
  const code = `
    const { cachePlugin } = require('wicked-cache/rollup')
    const { KeyvStore } = require('wicked-cache/keyv')
    let calls = 0
    const factory = () => ({ name: 'p', transform: code => ++calls + code })
    const context = { addWatchFile() {} }
    const transform = () => cachePlugin(factory, {}, { version: '1' }).transform.call(context, 'x', process.cwd() + '/a.js')
    const codeOf = place => { try { new KeyvStore(place) } catch (error) { return error.code } }
    transform().then(transform).then(text => console.log(text, calls, codeOf(5), codeOf({ nam: 'x' })))`
  expect(run(code, 'commonjs')).toBe('1x 1 ERR_CACHE_OPTION ERR_CACHE_OPTION\n')
})

test('declarations exist for import and require', () => {
  for (const name of names) {
    for (const extension of ['d.ts', 'd.cts']) {
      const file = join(directory, 'node_modules', 'wicked-cache', 'dist', 'adapters', `${name}.${extension}`)
      const imports = readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)
      for (const [, path = ''] of imports) {
        expect(path).toMatch(extension === 'd.ts' ? /\.js$/ : /\.cjs$/)
        statSync(join(file, '..', path.replace(/\.(c?)js$/, '.d.$1ts')))
      }
    }
  }
})
