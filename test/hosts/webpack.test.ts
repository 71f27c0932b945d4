// A loader whose results are cached, in webpack: builds, and watch mode.

import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import webpack, { type Configuration, type Stats } from 'webpack'
import { Project } from './support.js'

const LOADER = `
const { readFileSync, appendFileSync } = require('node:fs')
const { join } = require('node:path')
const { cacheLoader } = require('wicked-cache/webpack')

function load(source) {
  appendFileSync(join(this.rootContext, 'loaded'), '.')
  const { greeting, emits } = this.getOptions()
  const file = join(this.resourcePath, '..', 'banner.txt')
  this.addDependency(file)
  if (emits) this.emitFile('emitted.txt', 'emitted')
  const callback = this.async()
  callback(null, source + 'console.log(' + JSON.stringify(greeting + ' ' + readFileSync(file, 'utf8')) + ')')
}
module.exports = cacheLoader(load, { name: 'banner', version: '1.0.0' })
`

function newProject(): Project {
  return new Project({
    'loader.cjs': LOADER,
    'src/main.js': `import { a } from './a.js'\nconsole.log(a)\n`,
    'src/a.js': 'export const a = [1].map(x => x ?? 2)\n',
    'src/banner.txt': 'one',
    loaded: '',
  })
}

function configOf(project: Project, use: unknown): Configuration {
  process.env.WICKED_CACHE_DIR = project.cacheDir
  return {
    context: project.dir,
    entry: project.at('src/main.js'),
    mode: 'development',
    devtool: 'source-map',
    cache: false,
    output: { path: project.at('out'), filename: 'out.js' },
    module: { rules: [{ test: /\.js$/, use: use as string }] },
  }
}

async function bundle(project: Project, use: unknown): Promise<Stats> {
  const compiler = webpack(configOf(project, use))
  const stats = await new Promise<Stats>((resolve, reject) => {
    compiler.run((error, result) => (error ? reject(error) : resolve(result as Stats)))
  })
  await new Promise(resolve => compiler.close(resolve))
  if (stats.hasErrors()) throw new Error(stats.toString())
  return stats
}

const outputOf = (project: Project) => readFileSync(project.at('out/out.js'), 'utf8')

describe('a cached loader', () => {
  const use = (project: Project, options: object = {}) => ({
    loader: project.at('loader.cjs'),
    options: { greeting: 'Hello', ...options },
  })
  const loadedCount = (project: Project) => readFileSync(project.at('loaded'), 'utf8').length

  test('loads nothing in the second build, with the same output and dependencies', async () => {
    const project = newProject()
    const first = await bundle(project, use(project))
    const output = outputOf(project)
    const second = await bundle(project, use(project))
    expect(loadedCount(project)).toBe(2)
    expect(outputOf(project)).toBe(output)
    expect([...second.compilation.fileDependencies].sort()).toEqual([...first.compilation.fileDependencies].sort())
    expect([...second.compilation.fileDependencies]).toContain(project.at('src/banner.txt'))
  })

  test('loads again after a change of text, dependency or option', async () => {
    const project = newProject()
    await bundle(project, use(project))
    project.write({ 'src/a.js': 'export const a = 3\n' })
    await bundle(project, use(project))
    expect(loadedCount(project)).toBe(3)
    project.write({ 'src/banner.txt': 'two' })
    await bundle(project, use(project))
    expect(outputOf(project)).toContain('Hello two')
    expect(loadedCount(project)).toBe(5)
    await bundle(project, use(project, { greeting: 'Bye' }))
    expect(outputOf(project)).toContain('Bye two')
    expect(loadedCount(project)).toBe(7)
  })

  test('emits its files each time', async () => {
    const project = newProject()
    for (let count = 1; count <= 2; count++) {
      const { compilation } = await bundle(project, use(project, { emits: true }))
      expect(Object.keys(compilation.assets)).toContain('emitted.txt')
    }
  })

  test('in watch mode, an edit of a dependency is noticed after a first build of hits only', async () => {
    const project = newProject()
    await bundle(project, use(project))
    const compiler = webpack(configOf(project, use(project)))
    let count = 0
    const watching = compiler.watch({ aggregateTimeout: 10 }, () => count++)
    try {
      await expect.poll(() => count, { timeout: 20_000 }).toBe(1)
      expect(loadedCount(project)).toBe(2)
      writeFileSync(project.at('src/banner.txt'), 'edited')
      await expect.poll(() => outputOf(project), { timeout: 20_000 }).toContain('Hello edited')
    } finally {
      await new Promise(resolve => watching?.close(resolve))
    }
  })
})
