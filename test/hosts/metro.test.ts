// The store in an unmodified Metro.

import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { CacheStore } from 'metro-cache'
import { expect, test } from 'vitest'
import { openCacheSync } from 'wicked-cache'
import { MetroStore } from 'wicked-cache/metro'
import { newDirectory, Project } from './support.js'

const COUNT = 40

const CONFIG = `
const { MetroStore } = require('wicked-cache/metro')
module.exports = {
  projectRoot: __dirname,
  watchFolders: [${JSON.stringify(realpathSync(join(import.meta.dirname, 'node_modules', 'metro-runtime')))}],
  cacheStores: [new MetroStore()],
  fileMapCacheDirectory: require('node:path').join(__dirname, '.map'),
  reporter: { update() {} },
  maxWorkers: 2,
}`
const BUILD = `
const Metro = require('metro')
Metro.loadConfig({ config: require.resolve('./metro.config.cjs') })
  .then(config => Metro.runBuild(config, { entry: 'src/main.js', out: process.argv[2], platform: 'ios', dev: false, minify: false }))
  .catch(error => { console.error(error); process.exitCode = 1 })`

function newProject(): Project {
  const names = Array.from({ length: COUNT }, (_, i) => `m${i}`)
  const modules = names.map(name => [
    `src/${name}.js`,
    `module.exports = (a, b) => ({ name: '${name}', sum: a + b })\n`,
  ])
  const main = `${names.map(name => `require('./${name}')(1, 2)`).join('\n')}\n`
  return new Project({
    ...Object.fromEntries(modules),
    'src/main.js': main,
    'metro.config.cjs': CONFIG,
    'build.cjs': BUILD,
  })
}

test('the second build computes nothing, and the output is the same', async () => {
  const project = newProject()
  await project.node(['build.cjs', project.at('first.js')])
  const first = project.counts()
  expect(first.hits).toBe(0)
  expect(first.misses).toBeGreaterThan(COUNT)
  await project.node(['build.cjs', project.at('second.js')])
  expect(project.counts()).toEqual({ hits: first.misses, misses: first.misses })
  expect(readFileSync(project.at('second.js'))).toEqual(readFileSync(project.at('first.js')))

  project.write({ 'src/m3.js': `module.exports = () => 'edited'\n` })
  await project.node(['build.cjs', project.at('third.js')])
  expect(project.counts().misses).toBe(first.misses + 1)
  expect(readFileSync(project.at('third.js'), 'utf8')).toContain('edited')
})

test('returns bytes as a Buffer, and get never throws', () => {
  const cache = openCacheSync({ dir: newDirectory() })
  const store: CacheStore<unknown> = new MetroStore(cache.namespace('metro', { project: false }))
  const key = Buffer.from([1, 2, 3])
  expect(store.get(key)).toBeNull()
  store.set(key, Buffer.from('bytes'))
  const found = store.get(key)
  expect([Buffer.isBuffer(found), String(found)]).toEqual([true, 'bytes'])
  store.clear()
  expect([store.get(key), store.get(Buffer.alloc(0)), store.get(Buffer.alloc(100_000))]).toEqual([null, null, null])
  cache.close()
  expect(store.get(key)).toBeNull()
})
