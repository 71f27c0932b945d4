// `wicked-cache/babel` instead of babel-loader in webpack. Each build is a separate process, as Babel caches configurations.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Project } from './support.js'

const BUILD = `
const webpack = require('webpack')
const { join } = require('node:path')
const [loader, inline] = process.argv.slice(2)
const renaming = { visitor: { Identifier({ node }) { if (node.name === 'b') node.name = inline } } }
const options = inline ? { plugins: [() => renaming] } : {}
webpack({
  entry: './src/main.js',
  mode: 'development',
  devtool: 'source-map',
  output: { path: join(__dirname, 'out'), filename: 'out.js' },
  module: { rules: [{ test: /\\.js$/, use: { loader, options } }] },
}).run((error, stats) => {
  if (error || stats.hasErrors()) throw error ?? stats.toString()
  console.log([...stats.compilation.fileDependencies].filter(file => !file.includes('node_modules')).sort().join(' '))
})`
const PLUGIN = `
module.exports = (_, { to }) => ({
  visitor: {
    Program() { require('node:fs').appendFileSync(require('node:path').join(__dirname, 'transformed'), '.') },
    Identifier({ node }) { if (node.name === 'a') node.name = to },
  },
})`
const configTo = (to: string) =>
  JSON.stringify({ presets: [['@babel/preset-env', { modules: false }]], plugins: [['./plugin.cjs', { to }]] })

function newProject(): Project {
  return new Project({
    'build.cjs': BUILD,
    'plugin.cjs': PLUGIN,
    'babel.config.json': configTo('b'),
    '.browserslistrc': 'ie 11',
    'src/main.js': `import { a } from './a.js'\nconsole.log(a)\n`,
    'src/a.js': 'export const a = [1].map(x => x ?? 2)\n',
    transformed: '',
  })
}

const OURS = 'wicked-cache/babel'
const build = (project: Project, ...args: string[]) => project.node(['build.cjs', ...args])
const read = (project: Project, file: string) => readFileSync(project.at(file), 'utf8')
const outputOf = (project: Project) => read(project, 'out/out.js')
const mapOf = (project: Project) => read(project, 'out/out.js.map')
const transformedCount = (project: Project) => read(project, 'transformed').length

test('returns what babel-loader returns, and transforms nothing in the second build', async () => {
  const project = newProject()
  const watched = await build(project, 'babel-loader')
  const [output, map] = [outputOf(project), mapOf(project)]
  expect(output).not.toContain('??')
  for (let count = 1; count <= 2; count++) {
    expect(await build(project, OURS)).toBe(watched)
    expect([outputOf(project), mapOf(project)]).toEqual([output, map])
    expect(transformedCount(project)).toBe(4)
  }
  expect(watched).toContain('babel.config.json')
})

test.each([
  ['configuration', { 'babel.config.json': configTo('c') }],
  ['targets', { '.browserslistrc': 'chrome 120' }],
  ['text', { 'src/a.js': 'export const a = 5\n', 'src/main.js': `export { a } from './a.js'` }],
  ['plugin', { 'plugin.cjs': PLUGIN.replace("=== 'a'", "=== 'x'") }],
])('transforms again after a change of %s', async (_, files) => {
  const project = newProject()
  await build(project, OURS)
  project.write(files)
  await build(project, OURS)
  expect(transformedCount(project)).toBe(4)
  const found = outputOf(project)
  await build(project, 'babel-loader')
  expect(outputOf(project)).toBe(found)
})

test('a change of a source map that a file refers to changes the output map', async () => {
  const project = newProject()
  const mapTo = (name: string) => JSON.stringify({ version: 3, sources: [name], names: [], mappings: 'AAAA' })
  project.write({
    'src/a.js': 'export const a = 1\n//# sourceMappingURL=a.js.map\n',
    'src/a.js.map': mapTo('first.ts'),
  })
  await build(project, OURS)
  expect(read(project, 'out/out.js.map')).toContain('first.ts')
  project.write({ 'src/a.js.map': mapTo('second.ts') })
  await build(project, OURS)
  expect(read(project, 'out/out.js.map')).toContain('second.ts')
})

test('a change of the environment is a change of the configuration', async () => {
  const project = newProject()
  await build(project, OURS)
  await project.node(['build.cjs', OURS], { BABEL_ENV: 'other' })
  expect(transformedCount(project)).toBe(4)
})

test('a plugin without a file is not confused with another one', async () => {
  const project = newProject()
  expect(await build(project, OURS, 'first')).toContain("aren't cached")
  expect(outputOf(project)).toContain('first')
  await build(project, OURS, 'second')
  expect(outputOf(project)).toContain('second')
  expect(outputOf(project)).not.toContain('first')
})
