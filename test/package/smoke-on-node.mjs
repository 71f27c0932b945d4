// Packs the built checkout, unpacks it into an empty project, and uses it there with the Node that runs this file:
//
//   node test/package/smoke-on-node.mjs
//   npx -y node@22 test/package/smoke-on-node.mjs
//
// Without network: nothing is installed. The main entry must work where chokidar, its only dependency, is absent.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const projectRoot = fileURLToPath(new URL('../..', import.meta.url))

/** Packs the built checkout into the directory; returns the tarball's name. */
export function pack(directory) {
  // Scripts would build dist/ anew, under the feet of whoever uses it.
  const npm = ['pack', '--ignore-scripts', '--offline', '--silent', '--pack-destination', directory]
  execFileSync('npm', npm, { cwd: projectRoot, shell: process.platform === 'win32' })
  return readdirSync(directory).find(name => name.endsWith('.tgz'))
}

/** A project in `directory` with the package in its node_modules, as `npm install` of the tarball would leave it. */
export function install(directory) {
  const modules = join(directory, 'node_modules')
  mkdirSync(modules, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{"name": "example", "private": true}\n')
  execFileSync('tar', ['-xzf', pack(directory)], { cwd: directory })
  renameSync(join(directory, 'package'), join(modules, 'wicked-cache'))
}

const USE = `
  const assert = require('node:assert')
  module.exports = async ({ openCache, openCacheSync, namespace, defaultDir, CacheError }, name) => {
    assert.equal(defaultDir(), process.env.WICKED_CACHE_DIR)
    const cache = await openCache()
    const entries = cache.namespace(name, { version: '1' })
    const value = { date: new Date(0), map: new Map([['a', new Uint8Array([1])]]), text: 'ä', big: 2n ** 70n }
    assert.equal(entries.get('key'), undefined)
    assert.equal(entries.set('key', value), true)
    assert.deepStrictEqual(entries.get('key'), value)
    assert.equal(entries.set('file', 1, { files: [__filename] }), true)
    assert.equal(entries.get('file'), 1)
    assert.equal(entries.setMany([{ key: 'a', value: 1, ttl: '1h' }]), 1)
    assert.deepStrictEqual([...entries.keys()].sort(), ['a', 'file', 'key'])
    assert.throws(() => entries.set('key', () => 1), error => error instanceof CacheError && error.code === 'ERR_CACHE_VALUE')
    assert.equal(entries.delete('a'), true)
    const shared = await namespace(name, { version: '1' })
    assert.deepStrictEqual(shared.get('key'), value)
    const second = openCacheSync({ mode: 'readonly' })
    assert.equal(second.namespace(name, { version: '1' }).get('file'), 1)
    await cache.gc()
    assert.equal(cache.stats().namespaces[name].entryCount, 2)
    second.close()
    cache.close()
    console.log('ok')
  }
`
const BY_IMPORT = `
  import * as library from 'wicked-cache'
  import use from './use.cjs'
  await use(library, 'imported')
`
const BY_REQUIRE = `
  require('./use.cjs')(require('wicked-cache'), 'required')
`
const BY_BOTH = `
  const required = require('wicked-cache')
  import('wicked-cache').then(imported => {
    require('node:assert').equal(imported.openCache, required.openCache)
    return require('./use.cjs')(imported, 'both')
  })
`

/** Runs the package in `directory` by import and by require; throws what goes wrong, returns the ways that worked. */
export function smoke(directory) {
  writeFileSync(join(directory, 'use.cjs'), USE)
  const cache = mkdtempSync(join(directory, 'cache-'))
  const ways = { 'import.mjs': BY_IMPORT, 'require.cjs': BY_REQUIRE, 'both.cjs': BY_BOTH }
  for (const [file, code] of Object.entries(ways)) {
    writeFileSync(join(directory, file), code)
    const env = { ...process.env, NODE_OPTIONS: '', WICKED_CACHE_DIR: cache }
    const { stdout, stderr } = spawnSync(process.execPath, [file], { cwd: directory, env, encoding: 'utf8' })
    // Nor any warning of Node.
    if (stdout !== 'ok\n' || stderr !== '') throw new Error(`${file} printed ${JSON.stringify({ stdout, stderr })}`)
  }
  return Object.keys(ways)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = mkdtempSync(join(tmpdir(), 'wicked-cache-smoke-'))
  try {
    install(directory)
    console.log(`Node ${process.version}: ${smoke(directory).join(', ')} work`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
