// A plugin whose `transform` is cached, in Rollup, Rolldown and Vite: builds, watch mode, the dev server.

import { readFileSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { transformAsync } from '@babel/core'
import { rolldown } from 'rolldown'
import { type Plugin as RollupPlugin, rollup, watch } from 'rollup'
import { build, createServer, type Plugin as VitePlugin } from 'vite'
import { beforeEach, describe, expect, test } from 'vitest'
import { cachePlugin } from 'wicked-cache/rollup'
import { newNamespace, Project } from './support.js'

let transformed: string[] = []
beforeEach(() => {
  transformed = []
})

interface Options {
  greeting: string
}

/** Puts the content of a file into each module, and a greeting. */
function banner({ greeting }: Options) {
  return {
    name: 'banner',
    transform(this: { addWatchFile(file: string): void }, code: string, id: string) {
      if (!isAbsolute(id) || !id.endsWith('.js')) return null
      transformed.push(id.replace(/.*[\\/]/, ''))
      const file = join(id, '..', 'banner.txt')
      this.addWatchFile(file)
      const text = `${greeting} ${readFileSync(file, 'utf8')}`
      return { code: `${code}\nconsole.log(${JSON.stringify(text)})`, map: null }
    },
  }
}

const FILES = {
  'src/main.js': `import { a } from './a.js'\nconsole.log(a)\n`,
  'src/a.js': 'export const a = 1\n',
  'src/banner.txt': 'one',
}

function opened() {
  const project = new Project(FILES)
  const place = newNamespace('bundlers').in(project.dir)
  const plugin = (greeting = 'Hello', version = '1.0.0') => cachePlugin(banner, { greeting }, { version, place })
  return { project, place, plugin, input: project.at('src/main.js') }
}

type Bundle = (input: string, plugin: ReturnType<typeof banner>) => Promise<{ code: string; watched: string[] }>

const bundleWithRollup: Bundle = async (input, plugin) => {
  const bundle = await rollup({ input, plugins: [plugin as RollupPlugin] })
  const { output } = await bundle.generate({ format: 'es' })
  return { code: output[0].code, watched: bundle.watchFiles }
}
const bundleWithRolldown: Bundle = async (input, plugin) => {
  const bundle = await rolldown({ input, plugins: [plugin] })
  const { output } = await bundle.generate({ format: 'es' })
  return { code: output[0].code, watched: await bundle.watchFiles }
}
const bundleWithVite: Bundle = async (input, plugin) => {
  const result = await build({
    root: join(input, '..'),
    configFile: false,
    logLevel: 'silent',
    plugins: [plugin as VitePlugin],
    build: { write: false, minify: false, lib: { entry: input, formats: ['es'], fileName: 'out' } },
  })
  const [{ output } = { output: [] }] = [result].flat() as { output: { code: string }[] }[]
  // What a build watches, Vite doesn't say.
  return { code: output[0]?.code ?? '', watched: [join(input, '..', 'banner.txt')] }
}

describe.each([
  ['Rollup', bundleWithRollup],
  ['Rolldown', bundleWithRolldown],
  ['Vite', bundleWithVite],
])('%s', (_, bundle) => {
  test('transforms nothing in the second build, with the same output and watched files', async () => {
    const { input, plugin, project } = opened()
    const first = await bundle(input, plugin())
    expect(transformed.sort()).toEqual(['a.js', 'main.js'])
    const second = await bundle(input, plugin())
    expect(transformed).toHaveLength(2)
    expect(second.code).toBe(first.code)
    expect(first.watched).toContain(project.at('src/banner.txt'))
    expect(second.watched.sort()).toEqual(first.watched.sort())
  })

  test('transforms again after a change of text, dependency, option or version', async () => {
    const { input, plugin, project } = opened()
    await bundle(input, plugin())
    project.write({ 'src/a.js': 'export const a = 2\n' })
    expect((await bundle(input, plugin())).code).toContain('2')
    expect(transformed.slice(2)).toEqual(['a.js'])
    project.write({ 'src/banner.txt': 'another' })
    expect((await bundle(input, plugin())).code).toContain('Hello another')
    expect(transformed).toHaveLength(5)
    expect((await bundle(input, plugin('Bye'))).code).toContain('Bye another')
    expect(transformed).toHaveLength(7)
    await bundle(input, plugin('Bye', '2.0.0'))
    expect(transformed).toHaveLength(9)
    expect((await bundle(input, plugin())).code).toContain('Hello another')
    expect(transformed).toHaveLength(9)
  })
})

describe('side effects of a plugin', () => {
  const run = async (transform: RollupPlugin['transform']) => {
    const { input, place } = opened()
    let calls = 0
    const factory = () => ({
      name: 'other',
      transform(this: unknown, ...args: unknown[]) {
        calls++
        return (transform as (...args: unknown[]) => unknown).apply(this, args)
      },
    })
    const warnings: string[] = []
    const bundle = async () => {
      const plugins = [cachePlugin(factory, undefined, { version: '1', place }) as RollupPlugin]
      const made = await rollup({ input, plugins, onwarn: ({ message }) => warnings.push(message) })
      return (await made.generate({ format: 'es' })).output
    }
    const [first, second] = [await bundle(), await bundle()]
    return { first, second, calls, warnings }
  }

  test('an emitted file is emitted each time', async () => {
    const { first, second } = await run(function (code) {
      this.emitFile({ type: 'asset', name: 'x.txt', source: 'x' })
      return code
    })
    expect(second.map(({ fileName }) => fileName)).toEqual(first.map(({ fileName }) => fileName))
    expect(second.length).toBe(2)
  })

  test('a warning is given each time', async () => {
    const { warnings } = await run(function (code) {
      this.warn('careful')
      return code
    })
    expect(warnings.filter(text => text.includes('careful'))).toHaveLength(4)
  })

  test('a result of undefined is cached too', async () => {
    const { calls, first, second } = await run(() => undefined)
    expect([calls, second]).toEqual([2, first])
  })

  test('a result of Babel is cached, in the form Babel returns it', async () => {
    const { calls, first, second } = await run(
      code =>
        transformAsync(code, { configFile: false, plugins: [() => ({ visitor: {} })], sourceMaps: true }) as never,
    )
    expect([calls, second]).toEqual([2, first])
  })

  test('an error fails the build each time', async () => {
    const fail = function (this: { error(message: string): never }) {
      return this.error('broken')
    }
    await expect(run(fail as never)).rejects.toThrow('broken')
    await expect(run(fail as never)).rejects.toThrow('broken')
  })
})

test('unstorable options are never treated as equal, and `inputs` replaces them', async () => {
  const { input, place } = opened()
  let calls = 0
  const factory = ({ change }: { change: (code: string) => string }) => ({
    name: 'functions',
    transform: (code: string) => {
      calls++
      return change(code)
    },
  })
  const bundle = async (suffix: string, inputs?: unknown) => {
    const options = { version: '1', place, ...(inputs !== undefined && { inputs }) }
    return (await bundleWithRollup(input, cachePlugin(factory, { change: code => code + suffix }, options) as never))
      .code
  }
  expect(await bundle('//! 1')).not.toBe(await bundle('//! 2'))
  expect(calls).toBe(4)
  expect(await bundle('//! 3', 'three')).toBe(await bundle('//! 3', 'three'))
  expect(calls).toBe(6)
})

test('portable results are found in another checkout, and other results are not', async () => {
  const bundleIn = async (project: Project, portable: boolean) => {
    const options = { version: '1', portable, place: place.in(project.dir) }
    const plugin = cachePlugin(banner, { greeting: `Hello ${portable}` }, options)
    return (await bundleWithRollup(project.at('src/main.js'), plugin)).code
  }
  const place = newNamespace('bundlers')
  const [one, other] = [new Project(FILES), new Project(FILES)]
  for (const [portable, count] of [
    [false, 4],
    [true, 2],
  ] as const) {
    transformed = []
    expect(await bundleIn(one, portable)).toBe(await bundleIn(other, portable))
    expect(transformed).toHaveLength(count)
  }
})

test('the version option is required', () => {
  expect(() => cachePlugin(banner, { greeting: '' }, {} as never)).toThrow('version')
})

test("in Rollup's watch mode, an edit of a dependency is noticed after a first build of hits only", async () => {
  const { input, plugin, project } = opened()
  await bundleWithRollup(input, plugin())
  const file = project.at('out.js')
  const watcher = watch({ input, plugins: [plugin() as RollupPlugin], output: { file, format: 'es' } })
  let ended = 0
  const nextEnd = () =>
    new Promise<void>((resolve, reject) => {
      watcher.on('event', event => {
        if (event.code === 'BUNDLE_END') event.result.close()
        if (event.code === 'ERROR') reject(event.error)
        if (event.code === 'END' && ++ended > 0) resolve()
      })
    })
  try {
    await nextEnd()
    expect(transformed).toHaveLength(2)
    const rebuilt = nextEnd()
    writeFileSync(project.at('src/banner.txt'), 'edited')
    await rebuilt
    expect(readFileSync(file, 'utf8')).toContain('Hello edited')
  } finally {
    await watcher.close()
  }
})

test("in Vite's dev server, hits are served, and an edit of a dependency reloads", async () => {
  const { plugin, project } = opened()
  const serve = () =>
    createServer({
      root: project.dir,
      configFile: false,
      logLevel: 'silent',
      plugins: [plugin() as VitePlugin],
      optimizeDeps: { noDiscovery: true },
      server: { middlewareMode: true, ws: false },
    })
  const first = await serve()
  expect((await first.transformRequest('/src/a.js'))?.code).toContain('Hello one')
  await first.close()
  expect(transformed).toEqual(['a.js'])
  const server = await serve()
  try {
    expect((await server.transformRequest('/src/a.js'))?.code).toContain('Hello one')
    expect(transformed).toEqual(['a.js'])
    // The watcher may not have begun yet.
    const edits = setInterval(() => writeFileSync(project.at('src/banner.txt'), 'edited'), 100)
    const served = async () => (await server.transformRequest('/src/a.js'))?.code
    await expect.poll(served, { timeout: 20_000 }).toContain('Hello edited')
    clearInterval(edits)
  } finally {
    await server.close()
  }
})
