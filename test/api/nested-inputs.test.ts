// A computation that reads other results from the cache inherits their inputs, through any handle and namespace.

import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { ComputeContext, Namespace } from '../../src/index.js'
import { answers, twoProjects } from '../support/projects.js'

test('a result that read a missing portable entry is stale once that entry is stored', () => {
  const { cache, in: enter } = twoProjects()
  enter('a')
  const portable = cache.namespace('portable', { portable: true })
  const outer = () => cache.namespace('outer').getOrSetSync('key', () => portable.get('inner') ?? 'nothing')
  expect(outer()).toBe('nothing')
  portable.getOrSetSync('inner', ctx => ctx.readFile('file'))
  expect(outer()).toBe('of a')
})

test('a result that saw a miss is stale once that get hits again because a file has its old content', () => {
  const { cache, put, in: enter } = twoProjects()
  enter('a')
  const ns = cache.namespace('n')
  const inner = () => ns.getOrSetSync('inner', ctx => ctx.readFile('file'))
  const outer = () => ns.getOrSetSync('outer', () => ns.get('inner') ?? 'nothing')
  inner()
  put('a/file', 'other')
  inner()
  put('a/file', 'a third')
  expect(outer()).toBe('nothing')
  put('a/file', 'of a')
  expect(outer()).toBe('of a')
})

test("an entry of another project is looked up with that project's view of the working directory", () => {
  const { base, cache, in: enter } = twoProjects()
  const b = cache.namespace('n', { project: join(base, 'b') })
  const outer = () =>
    cache.namespace('n', { project: join(base, 'a') }).getOrSetSync('outer', () => b.get('inner') ?? 'no')
  enter('b')
  b.getOrSetSync('inner', ctx => ctx.readFile('file'))
  expect(outer()).toBe('of b')
  enter('a')
  expect(b.get('inner')).toBe(undefined)
  expect(outer()).toBe('no')
})

test.each([
  ['user-wide', false as const],
  ['of a named project', 'a'],
])('a result %s that calls into the project of the working directory depends on it', (_, project) => {
  const { base, cache, in: enter } = twoProjects()
  const inner = cache.namespace('inner')
  const outer = cache.namespace('outer', { project: project && join(base, project) })
  const ask = () =>
    outer.getOrSetSync('key', () =>
      inner.getOrSetSync('key', ctx => ctx.readFile(join(inner.project as string, 'file'))),
    )
  const read = cache.namespace('inner')
  const outerGet = () => outer.getOrSetSync('get', () => read.get('set') ?? 'nothing')
  enter('a')
  read.set('set', 1)
  expect([ask(), outerGet()]).toEqual(['of a', 1])
  enter('b')
  expect([ask(), outerGet()]).toEqual(['of b', 'nothing'])
})

test("a result of the working directory's project keeps depending on the working directory for inner calls", () => {
  const { base, cache, in: enter } = twoProjects()
  const inner = cache.namespace('inner')
  const outer = cache.namespace('outer')
  const colour = cache.namespace('colours')
  const ask = (entries: typeof outer) =>
    entries.getOrSetSync('key', () => [
      inner.getOrSetSync('key', ctx => ctx.readFile(join(inner.project as string, 'file'))),
      colour.get('colour'),
    ])
  for (const name of ['a', 'b']) {
    enter(name)
    colour.set('colour', `the colour of ${name}`)
  }
  enter('a')
  expect(ask(outer)).toEqual(['of a', 'the colour of a'])
  enter('b')
  expect(ask(outer.in(join(base, 'a')))).toEqual(['of b', 'the colour of b'])
  enter('a/src')
  const { onResult, results } = answers()
  expect(outer.getOrSetSync('key', () => expect.fail('computed again'), { onResult })).toEqual([
    'of a',
    'the colour of a',
  ])
  expect(results).toMatchObject([{ isHit: true }])
})

test('a result with an inner analysis that uses ctx.relativePath and many inputs is a hit', () => {
  const { base, put, cache, in: enter } = twoProjects()
  enter('a')
  const names = ['one', 'two', 'three', 'four', 'five', 'six']
  for (const name of names) put(`a/${name}`, name)
  const ns = cache.namespace('n')
  const inner = () =>
    ns.analyzeSync(
      'inner',
      join(base, 'a', 'one'),
      ctx => [...names.map(name => ctx.readFile(join(base, 'a', name))), ctx.relativePath],
      { anywhere: true },
    )
  const { onResult, results } = answers()
  for (let i = 0; i < 2; i++) {
    expect(ns.analyzeSync('outer', join(base, 'a', 'file'), inner, { onResult })).toEqual([...names, 'one'])
  }
  expect(results.map(({ isHit }) => isHit)).toEqual([false, true])
})

test.each([false, true])(
  'an analysis that passes its text to another analysis of the same file is stored (anywhere: %s)',
  anywhere => {
    const { base, cache, in: enter } = twoProjects()
    enter('a')
    const ns = cache.namespace('n')
    const path = join(base, 'a', 'file')
    const lines = (source: string) =>
      ns.analyzeSync('lines', { path, source }, ctx => ctx.source.split(' ').length, { anywhere })
    const { onResult, results } = answers()
    const outline = (source: string, change = '') =>
      ns.analyzeSync('outline', { path, source }, ctx => [ctx.source, lines(ctx.source + change)], {
        anywhere,
        onResult,
      })
    for (const text of ['one', 'one two', 'one', 'one two']) {
      expect(outline(text)).toEqual([text, text.split(' ').length])
    }
    // Where another text comes from isn't known.
    for (let i = 0; i < 2; i++) expect(outline('three', ' four')).toEqual(['three', 2])
    expect(results.map(({ isHit }) => isHit)).toEqual([false, false, true, true, false, false])
  },
)

test('a result that joined the computation of another caller depends on its inputs', async () => {
  const { base, put, cache, in: enter } = twoProjects()
  enter('a')
  const ns = cache.namespace('n')
  const computed: string[] = []
  const inner = () =>
    ns.getOrSet('inner', async ({ readFile, env }) => {
      computed.push('inner')
      const text = readFile(join(base, 'a', 'file'))
      await new Promise(setImmediate)
      return [text, env('NESTED_INPUTS_TEST') ?? '']
    })
  const both = () => Promise.all(['one', 'two'].map(key => ns.getOrSet(key, async () => (await inner()).join(' '))))
  expect(await both()).toEqual(['of a ', 'of a '])
  expect(computed).toEqual(['inner'])
  put('a/file', 'another')
  expect(await both()).toEqual(['another ', 'another '])
  vi.stubEnv('NESTED_INPUTS_TEST', 'x')
  expect(await both()).toEqual(['another x', 'another x'])
  vi.unstubAllEnvs()
  expect(computed).toEqual(['inner', 'inner', 'inner'])
})

test('a result that catches the error of an inner computation depends on the inputs of that computation', async () => {
  const { base, put, cache, in: enter } = twoProjects()
  enter('a')
  const ns = cache.namespace('n')
  const parse = (text: string) => {
    if (text.startsWith('bad')) throw new Error('It is bad.')
    return text
  }
  const path = join(base, 'a', 'file')
  const inner = () => ns.getOrSetSync('inner', ({ readFile }) => parse(readFile(path)))
  const innerLater = () =>
    ns.getOrSet('inner later', async ({ readFile }) => {
      const text = readFile(path)
      await new Promise(setImmediate)
      return parse(text)
    })
  const sync = (key: string) =>
    ns.getOrSetSync(key, () => {
      try {
        return inner()
      } catch {
        return 'nothing'
      }
    })
  // The second joins what the first has begun.
  const later = (key: string) => ns.getOrSet(key, () => innerLater().catch(() => 'nothing'))
  const all = () => Promise.all([sync('sync'), later('one'), later('two')])
  put('a/file', 'bad')
  expect(await all()).toEqual(['nothing', 'nothing', 'nothing'])
  put('a/file', 'good')
  expect(await all()).toEqual(['good', 'good', 'good'])
})

type Look = [string, (context: ComputeContext, file: string, ns: Namespace) => unknown]
const UNRECORDABLE: Look[] = [
  ['a device', ({ readFile }) => readFile('/dev/null')],
  ['the list of keys', (_context, _file, ns) => [...ns.keys()].length],
  ['an explanation', (_context, _file, ns) => ns.explain('other').isHit],
  ['all versions of a key', (_context, _file, ns) => ns.find('other').length],
  ['the statistics', (_context, _file, ns) => ns.stats().entryCount],
  [
    'a file in two states',
    ({ readFile }, file) => [writeFileSync(file, `${readFile(file)} and more`), readFile(file)].join(),
  ],
  [
    'a late dependency that has just changed',
    ({ addDependency }, file) => [writeFileSync(file, 'c'), addDependency(file)],
  ],
]

test.each(UNRECORDABLE)('a result is not stored if an inner result saw %s', async (_what, look) => {
  const { base, cache, in: enter } = twoProjects()
  enter('a')
  const ns = cache.namespace('n')
  const file = join(base, 'a', 'file')
  const computed: string[] = []
  const inner = () =>
    ns.getOrSetSync('inner', context => {
      look(context, file, ns)
      return 'inner'
    })
  const innerLater = () =>
    ns.getOrSet('later', async context => {
      await null
      look(context, file, ns)
      return 'inner'
    })
  const counted = <R>(name: string, fn: () => R) => {
    computed.push(name)
    return fn()
  }
  const ask = () => [
    ns.getOrSetSync('sync', () => counted('sync', inner)),
    ns.getOrSet('async', async () => counted('async', innerLater)),
    ns.analyze('file', join(base, 'b', 'file'), () => counted('analysis', innerLater)),
  ]
  for (let i = 0; i < 2; i++) expect(await Promise.all(ask())).toEqual(['inner', 'inner', 'inner'])
  expect(computed.sort()).toEqual(['analysis', 'analysis', 'async', 'async', 'sync', 'sync'])
})

test('a result that analyzes a text it did not read through ctx is not stored', () => {
  const { base, cache, in: enter } = twoProjects()
  enter('a')
  const ns = cache.namespace('n')
  let source = 'of a'
  const inner = () => ns.analyzeSync('text', { path: join(base, 'a', 'file'), source }, ctx => ctx.source)
  const outer = () => ns.getOrSetSync('outer', () => inner())
  expect(outer()).toBe('of a')
  source = 'another'
  expect(outer()).toBe('another')
})

/** Calls what is queued outside of any computation, as a batcher or a pool does. */
function pool() {
  const queue: (() => void)[] = []
  const timer = setInterval(() => {
    for (const job of queue.splice(0)) job()
  }, 1)
  onTestFinished(() => clearInterval(timer))
  return <R>(job: () => R) => new Promise<R>(resolve => queue.push(() => resolve(job())))
}

test('lookups in a work queue are inputs with ctx.run, and not with ctx.untracked', async () => {
  const { base, put, cache, in: enter } = twoProjects()
  enter('a')
  const inPool = pool()
  const ns = cache.namespace('n')
  const inner = () => ns.getOrSetSync('inner', ctx => ctx.readFile(join(base, 'a', 'file')))
  const asked = {
    run: () => ns.getOrSet('run', ctx => inPool(() => ctx.run(inner))),
    asyncRun: () => ns.getOrSet('async run', ctx => inPool(() => ctx.run(async () => (await null) ?? inner()))),
    untracked: () => ns.getOrSet('untracked', ctx => ctx.untracked(inner)),
    asyncUntracked: () => ns.getOrSet('async untracked', ctx => ctx.untracked(async () => (await null) ?? inner())),
  }
  const all = async () =>
    Object.fromEntries(await Promise.all(Object.entries(asked).map(async ([k, f]) => [k, await f()])))
  const before = { run: 'of a', asyncRun: 'of a', untracked: 'of a', asyncUntracked: 'of a' }
  expect(await all()).toEqual(before)
  put('a/file', 'another')
  expect(await all()).toEqual({ ...before, run: 'another', asyncRun: 'another' })
})

test('a set within a snapshot is visible in it', () => {
  const { cache, in: enter } = twoProjects()
  enter('a')
  const [ns, other] = [cache.namespace('n'), cache.namespace('other')]
  const outer = () => ns.getOrSetSync('outer', () => [other.get('set') ?? 'nothing', ns.get('own') ?? 'nothing'])
  const seen = cache.snapshot(() => {
    const before = outer()
    other.set('set', 1)
    const after = outer()
    ns.set('own', 2)
    const then = outer()
    other.delete('set')
    return [before, after, then, outer()]
  })
  expect(seen).toEqual([
    ['nothing', 'nothing'],
    [1, 'nothing'],
    [1, 2],
    ['nothing', 2],
  ])
})

test('a relative path of an inner call makes the working directory an input of the outer result', () => {
  const { cache, in: enter } = twoProjects()
  const ns = cache.namespace('n')
  const asks = {
    analyze: () => ns.getOrSetSync('analyze', () => ns.analyzeSync('text', 'file', ctx => ctx.source)),
    files: () =>
      ns.getOrSetSync('files', () => {
        return ns.getOrSetSync('inner', () => readFileSync('file', 'utf8'), { files: ['file'] })
      }),
    wrap: () => {
      const read = ns.wrapSync('read', () => readFileSync('file', 'utf8'), { files: ['file'] })
      return ns.getOrSetSync('wrap', () => read())
    },
  }
  for (const ask of Object.values(asks)) {
    enter('a')
    expect(ask()).toBe('of a')
    enter('a/src')
    expect(ask()).toBe('of a/src')
  }
})

test('a portable result with an input outside its checkout is bound to it', () => {
  const { base, put, cache, in: enter } = twoProjects()
  put('c/d/package.json', '{}')
  put('c/d/file', 'of a')
  put('sibling', 'beside a')
  put('c/sibling', 'beside d')
  const portable = cache.namespace('n', { portable: true })
  const ask = () =>
    portable.getOrSetSync('key', ctx => {
      ctx.readFile(join(portable.project as string, 'file'))
      return ctx.readFile(join(portable.project as string, '..', 'sibling'))
    })
  enter('a')
  expect(ask()).toBe('beside a')
  process.chdir(join(base, 'c', 'd'))
  expect(ask()).toBe('beside d')
})

test('an analyzed file has the same path whichever path leads to its project', () => {
  const { base, cache } = twoProjects()
  symlinkSync(join(base, 'a'), join(base, 'link'))
  const ns = cache.namespace('n')
  const pathOf = (project: string) =>
    ns.in(join(base, project)).analyzeSync('path', join(base, project, 'file'), ctx => ctx.path)
  expect(pathOf('link')).toBe(pathOf('a'))
  expect(pathOf('link')).toBe(join(ns.in(join(base, 'a')).project as string, 'file'))
})
