// The examples of docs/hosts.md, as they are written, each in its host: the second run finds everything. The comment before an example
// names its file.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blocksOf } from '../support/documents.js'
import { Project } from './support.js'

const page = join(import.meta.dirname, '..', '..', 'docs', 'hosts.md')
const MAX_LINES = 20

const FILES = {
  'index.html': '<script type="module" src="/src/page.js"></script>',
  'src/page.js': `import page from './page.md'\nconsole.log(page)\n`,
  'src/page.md': '# Hello\n',
  'src/app.js': `import { sum } from './sum.js'\nconsole.log(sum(1, 2))\n`,
  'src/sum.js': 'export const sum = (a, b) => a + b\n',
  'src/sum.test.js': `import { sum } from './sum.js'\ntest('adds', () => expect(sum(1, 2)).toBe(3))\n`,
  'src/metro.js': `console.log(require('./part.js'))\n`,
  'src/part.js': 'module.exports = 1\n',
  'babel.config.json': '{"presets": [["@babel/preset-env", {"targets": "node 20"}]]}',
}

const webpackWith = (config: string) => `
require('webpack')(${config}).run((error, stats) => {
  if (error || stats.hasErrors()) throw error ?? stats.toString()
})`
const MARKDOWN = `{ entry: './src/page.js', mode: 'development', module: { rules: [
  { test: /md$/, use: { loader: require.resolve('./markdown-loader.cjs'), options: { tag: 'p' } } }] } }`
const METRO = `
const Metro = require('metro')
const { realpathSync } = require('node:fs')
const watchFolders = [realpathSync('node_modules/metro-runtime')]
Metro.loadConfig({ config: require.resolve('./metro.config.cjs') }, { projectRoot: __dirname, watchFolders, reporter: { update() {} } })
  .then(config => Metro.runBuild(config, { entry: 'src/metro.js', out: 'out.js' }))`

/** How an example is run: the program's arguments, or its text. */
const RUNS: Record<string, string[] | string> = {
  'vite.config.mjs': ['node_modules/vite/bin/vite.js', 'build'],
  'build.mjs': ['build.mjs'],
  'markdown-loader.cjs': webpackWith(MARKDOWN),
  'webpack.config.cjs': webpackWith(`require('./webpack.config.cjs')`),
  'jest.config.cjs': ['node_modules/jest/bin/jest.js', '--no-cache'],
  'metro.config.cjs': METRO,
  'keyv.mjs': ['keyv.mjs'],
  'unstorage.mjs': ['unstorage.mjs'],
}

const examples = blocksOf('docs/hosts.md', readFileSync(page, 'utf8')).filter(({ language }) => language === 'js')

test('each host has an example, of few lines', () => {
  expect(examples.map(({ comment }) => comment)).toEqual(Object.keys(RUNS).map(name => `host: ${name}`))
  for (const { text } of examples) expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES)
})

describe.each(examples)('the example at $place', ({ comment, text }) => {
  test('stores in the first run, and finds all in the second', async () => {
    const name = comment.replace('host: ', '')
    const run = RUNS[name] ?? []
    const project = new Project({ ...FILES, [name]: text, ...(typeof run === 'string' && { 'run.cjs': run }) })
    const args = typeof run === 'string' ? ['run.cjs'] : run
    await project.node(args)
    const first = project.counts()
    expect(first.misses).toBeGreaterThan(0)
    await project.node(args)
    const second = project.counts()
    expect(second.misses).toBe(first.misses)
    expect(second.hits).toBeGreaterThan(first.hits)
  })
})
