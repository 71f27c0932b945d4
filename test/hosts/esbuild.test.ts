// A plugin whose `onLoad` is cached, in esbuild: builds, and watch mode.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build, context, type OnLoadResult, type Plugin } from 'esbuild'
import { beforeEach, describe, expect, test } from 'vitest'
import { cachePlugin } from 'wicked-cache/esbuild'
import { newNamespace, Project } from './support.js'

let loaded: string[] = []
beforeEach(() => {
  loaded = []
})

interface Options {
  greeting: string
}

/** Makes a text of a `.txt` file, of another file, and of the names in a directory. */
function texts({ greeting }: Options): Plugin {
  return {
    name: 'texts',
    setup(build) {
      build.onLoad({ filter: /\.txt$/ }, ({ path }) => {
        loaded.push(path.replace(/.*[\\/]/, ''))
        const [other, parts] = [join(path, '..', 'other.data'), join(path, '..', 'parts')]
        const text = `${greeting} ${readFileSync(path, 'utf8')} ${readFileSync(other, 'utf8')} ${readdirSync(parts)}`
        return { contents: text, loader: 'text', watchFiles: [path, other], watchDirs: [parts] }
      })
    },
  }
}

function opened() {
  const project = new Project({
    'src/main.js': `import text from './a.txt'\nconsole.log(text)\n`,
    'src/a.txt': 'one',
    'src/other.data': 'two',
    'src/parts/x': '',
  })
  const place = newNamespace('bundlers').in(project.dir)
  const plugin = (greeting = 'Hello') => cachePlugin(texts, { greeting }, { version: '1.0.0', place })
  const options = (used: Plugin): BuildOptions => ({
    entryPoints: [project.at('src/main.js')],
    bundle: true,
    write: false,
    logLevel: 'silent',
    plugins: [used],
  })
  const bundle = async (used: Plugin = plugin(), more: BuildOptions = {}) =>
    (await build({ ...options(used), ...more })).outputFiles?.[0]?.text ?? ''
  return { project, place, plugin, options, bundle }
}

test('loads nothing in the second build, and the output is the same', async () => {
  const { bundle } = opened()
  const first = await bundle()
  expect(first).toContain('Hello one two x')
  expect(await bundle()).toBe(first)
  expect(loaded).toEqual(['a.txt'])
})

test('loads again after a change of text, dependency, directory, option or build setting', async () => {
  const { bundle, plugin, project } = opened()
  await bundle()
  project.write({ 'src/a.txt': '1' })
  expect(await bundle()).toContain('Hello 1 two x')
  project.write({ 'src/other.data': '2' })
  expect(await bundle()).toContain('Hello 1 2 x')
  project.write({ 'src/parts/y': '' })
  expect(await bundle()).toContain('Hello 1 2 x,y')
  expect(await bundle(plugin('Bye'))).toContain('Bye 1 2 x,y')
  expect(loaded).toHaveLength(5)
  await bundle(plugin(), { minify: true })
  expect(loaded).toHaveLength(6)
  await bundle()
  expect(loaded).toHaveLength(6)
})

describe('results that are not stored', () => {
  const run = async (result: OnLoadResult) => {
    const { bundle, place } = opened()
    let calls = 0
    const factory = (): Plugin => ({
      name: 'other',
      setup: ({ onLoad }) =>
        onLoad({ filter: /\.txt$/ }, () => {
          calls++
          return { loader: 'text', ...result }
        }),
    })
    const used = () => cachePlugin(factory, undefined, { version: '1', place })
    const outcomes = [await bundle(used()).catch(String), await bundle(used()).catch(String)]
    return { calls, outcomes }
  }

  test('include warnings, errors and data passed to other plugins', async () => {
    expect((await run({ contents: 'x', warnings: [{ text: 'careful' }] })).calls).toBe(2)
    expect((await run({ contents: 'x', pluginData: {} })).calls).toBe(2)
    const failed = await run({ errors: [{ text: 'broken' }] })
    expect([failed.calls, failed.outcomes[1]]).toEqual([2, expect.stringContaining('broken')])
  })

  test('do not include other results', async () => {
    expect((await run({ contents: new Uint8Array([65]) })).calls).toBe(1)
  })
})

test('in watch mode, an edit of a dependency is noticed after a first build of hits only', async () => {
  const { bundle, plugin, options, project } = opened()
  await bundle()
  const outputs: string[] = []
  const heard: Plugin = {
    name: 'heard',
    setup: ({ onEnd }) => onEnd(({ outputFiles }) => void outputs.push(outputFiles?.[0]?.text ?? '')),
  }
  const watching = await context({ ...options(plugin()), plugins: [plugin(), heard] })
  try {
    await watching.watch()
    await expect.poll(() => outputs.length, { timeout: 20_000 }).toBe(1)
    expect(loaded).toHaveLength(1)
    writeFileSync(project.at('src/other.data'), 'edited')
    await expect.poll(() => outputs.at(-1), { timeout: 20_000 }).toContain('Hello one edited x')
    writeFileSync(project.at('src/a.txt'), 'new')
    await expect.poll(() => outputs.at(-1), { timeout: 20_000 }).toContain('Hello new edited x')
    writeFileSync(project.at('src/parts/y'), '')
    await expect.poll(() => outputs.at(-1), { timeout: 20_000 }).toContain('Hello new edited x,y')
  } finally {
    await watching.dispose()
  }
})
