// The examples of the pages below docs/hosts, unchanged, each in its host. The second run finds everything. The comment before
// an example names its file.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blocksOf } from '../support/documents.js'
import { Project } from './support.js'

const pages = join(import.meta.dirname, '..', '..', 'docs', 'hosts')
const MAX_LINES = 22

const FILES = {
  'index.html': '<script type="module" src="/src/page.js"></script>',
  'src/page.js': `import page from './page.md'\nconsole.log(page)\n`,
  'src/page.md': '# Hello\n',
  'src/app.js': `import { sum } from './sum.js'\nconsole.log(sum(1, 2))\n`,
  'src/sum.js': 'export const sum = (a, b) => a + b\n',
  'src/sum.test.js': `import { sum } from './sum.js'\ntest('adds', () => expect(sum(1, 2)).toBe(3))\n`,
  'src/metro.js': `console.log(require('./part.js'))\n`,
  'src/part.js': 'module.exports = 1\n',
  'src/a.js': 'export const a = 1\n',
  'src/b.js': "import { a } from './a.js'\nconsole.log(a)\n",
  'packages/app/package.json': '{"name": "app"}',
  'packages/app/src/app.js': 'export const app = 1\n',
  'packages/lib/package.json': '{"name": "lib"}',
  'packages/lib/src/lib.js': 'export const lib = 1\n',
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

const BABEL = `
require('@babel/core').transformFileAsync('src/b.js', { plugins: [require.resolve('./checked-imports.mjs')] })
  .then(({ code }) => { if (!code.includes('console.log')) throw new Error(code) })`
const HOOK = `
const { execFileSync } = require('node:child_process')
const input = JSON.stringify({ tool_input: { file_path: require.resolve('./src/a.js') } })
const { hookSpecificOutput } = JSON.parse(execFileSync(process.execPath, ['hook.cjs'], { input }))
if (!hookSpecificOutput.additionalContext.endsWith('a.js exports a.')) throw new Error(hookSpecificOutput.additionalContext)`
/** Runs Node with each of these arguments, in a directory. */
const nodeIn = (runs: { cwd?: string; args: string[] }[]) => `
const { execFileSync } = require('node:child_process')
for (const { cwd = '.', args } of ${JSON.stringify(runs)}) execFileSync(process.execPath, args, { cwd, stdio: 'inherit' })`
const ROLLUPS = nodeIn(
  ['rollup/dist/bin/rollup', 'rolldown/bin/cli.mjs'].map(name => ({
    args: [`node_modules/${name}`, '-c', 'rollup.config.mjs'],
  })),
)
const PACKAGES = nodeIn(['app', 'lib'].map(name => ({ cwd: `packages/${name}`, args: ['../../exports.mjs'] })))

/** How an example is run: the program's arguments, or its text. */
const RUNS: Record<string, string[] | string> = {
  'eslint.config.mjs': ['node_modules/eslint/bin/eslint.js', 'src/a.js', 'src/b.js'],
  'checked-imports.mjs': BABEL,
  'vite.config.mjs': ['node_modules/vite/bin/vite.js', 'build'],
  'rollup.config.mjs': ROLLUPS,
  'build.mjs': ['build.mjs'],
  'markdown-loader.cjs': webpackWith(MARKDOWN),
  'webpack.config.cjs': webpackWith(`require('./webpack.config.cjs')`),
  'jest.config.cjs': ['node_modules/jest/bin/jest.js', '--no-cache'],
  'metro.config.cjs': METRO,
  'keyv.mjs': ['keyv.mjs'],
  'on-keyv.mjs': ['on-keyv.mjs'],
  'unstorage.mjs': ['unstorage.mjs'],
  'hook.cjs': HOOK,
  'exports.mjs': PACKAGES,
}
/** Run by other tests. */
const ELSEWHERE = ['nitro.config.mjs']

const hosted = readdirSync(pages)
  .flatMap(name => blocksOf(`docs/hosts/${name}`, readFileSync(join(pages, name), 'utf8')))
  .filter(({ comment }) => comment.startsWith('host: '))
const examples = hosted.filter(({ comment }) => !ELSEWHERE.includes(comment.replace('host: ', '')))

test('each host has a short example', () => {
  const names = hosted.map(({ comment }) => comment.replace('host: ', ''))
  expect(names.toSorted()).toEqual([...Object.keys(RUNS), ...ELSEWHERE].toSorted())
  for (const { text } of hosted) expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES)
})

describe.each(examples)('the example at $place', ({ comment, text }) => {
  test('stores in the first run and finds everything in the second', async () => {
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
