// Every kind of input: a result becomes stale when one of its inputs changes, and only then.

import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ComputeContext, Namespace } from '../../src/index.js'
import { filesBelow, settle } from '../support/caches.js'
import { answers, Tree, within } from '../support/projects.js'

afterEach(() => vi.unstubAllEnvs())

type Look = (context: ComputeContext, at: (name: string) => string) => unknown

/** A project with some files, and a question whose computation looks at it. */
function looking(look: Look, files: Record<string, string> = {}) {
  // The cache is not in the project, whose directories it would change.
  const cached = new Tree()
  const tree = new Tree({
    'package.json': '{}',
    'a.js': 'a',
    'src/b.js': 'b',
    'src/c.css': 'c',
    'src/deep/d.js': 'd',
    'empty/': '',
    ...files,
  })
  const { warnings, entries } = cached.opened({ project: tree.root })
  const asked = answers()
  const ask = () => {
    const value = entries.getOrSetSync('key', context => [look(context, name => tree.at(name))], {
      onResult: asked.onResult,
    })
    return [asked.last, value[0]]
  }
  return { tree, cached, entries, warnings, ask, results: asked.results }
}

const write = (name: string, text: string) => (tree: Tree) => void tree.write({ [name]: text })
const remove = (name: string) => (tree: Tree) => tree.remove(name)

const globs: Look = ({ glob }, at) => glob(['**/*.js', '!src/deep/skip/**'], { cwd: at('.') })

interface Case {
  look: Look
  harmless: ((tree: Tree) => void)[]
  change: (tree: Tree) => void
  reason: string
}

const CASES: Record<string, Case> = {
  'a content': {
    look: ({ readFile }, at) => readFile(at('a.js')),
    harmless: [tree => utimesSync(tree.at('a.js'), 1, 1), write('src/b.js', 'x'), write('new.js', '')],
    change: write('a.js', 'A'),
    reason: 'source-changed',
  },
  'bytes, and a URL': {
    look: ({ readBytes }, at) => [...readBytes(pathToFileURL(at('a.js')))],
    harmless: [],
    change: write('a.js', 'A'),
    reason: 'source-changed',
  },
  'a deleted file': {
    look: ({ exists, readFile }, at) => exists(at('a.js')) && readFile(at('a.js')),
    harmless: [],
    change: tree => renameSync(tree.at('a.js'), tree.at('b.js')),
    reason: 'source-missing',
  },
  'a missing file': {
    look: ({ readFile }, at) => {
      try {
        return readFile(at('none.js'))
      } catch (error) {
        return (error as { code?: string }).code
      }
    },
    harmless: [write('other.js', ''), write('a.js', 'A')],
    change: write('none.js', 'x'),
    reason: 'source-appeared',
  },
  existence: {
    look: ({ exists }, at) => exists(at('a.js')),
    harmless: [write('a.js', 'other content'), tree => appendFileSync(tree.at('a.js'), '!')],
    change: remove('a.js'),
    reason: 'source-missing',
  },
  'the absence of a file': {
    look: ({ exists }, at) => exists(at('none.js')),
    harmless: [write('other.js', '')],
    change: tree => mkdirSync(tree.at('none.js')),
    reason: 'source-appeared',
  },
  'a listing': {
    look: ({ readDirectory }, at) => readDirectory(at('src')),
    harmless: [write('src/b.js', 'other'), write('src/deep/new.js', '')],
    change: write('src/new.js', ''),
    reason: 'source-changed',
  },
  'a listing in which a file becomes a directory': {
    look: ({ readDirectory }, at) => readDirectory(at('src')),
    harmless: [],
    change: tree => rmSync(tree.at('src/b.js')) ?? mkdirSync(tree.at('src/b.js')),
    reason: 'source-changed',
  },
  'a new match of a glob': {
    look: globs,
    harmless: [write('src/b.js', 'x'), write('src/.b.js.swp', ''), write('src/b.js~', ''), write('src/x.css', '')],
    change: write('src/new.js', ''),
    reason: 'source-changed',
  },
  'a new match of a glob in a new directory': {
    look: globs,
    harmless: [tree => void tree.write({ 'src/deep/skip/x.js': '', '.hidden/x.js': '' })],
    change: write('src/one/two/new.js', ''),
    reason: 'source-changed',
  },
  'a deleted match of a glob': {
    look: globs,
    harmless: [remove('src/c.css')],
    change: remove('src/deep/d.js'),
    reason: 'source-changed',
  },
  'a match of a glob in a new base directory': {
    look: ({ glob }, at) => glob('lib/*.js', { cwd: at('.') }),
    harmless: [write('other/x.js', '')],
    change: write('lib/x.js', ''),
    reason: 'source-changed',
  },
  'an environment variable': {
    look: ({ env }) => env('WICKED_CACHE_TEST'),
    harmless: [() => vi.stubEnv('WICKED_CACHE_OTHER', '1')],
    change: () => vi.stubEnv('WICKED_CACHE_TEST', ''),
    reason: 'environment-changed',
  },
}

describe('a result depends on', () => {
  test.each(Object.entries(CASES))('%s', (_what, { look, harmless, change, reason }) => {
    const { tree, cached, ask, entries, warnings } = looking(look)
    const [first, value] = ask()
    expect(first).toBe('never-set')
    expect(ask()).toEqual(['hit', value])
    for (const each of harmless) {
      each(tree)
      expect(ask()[0]).toBe('hit')
      expect(cached.open({ project: tree.root }).get('key')).toEqual([value])
    }
    change(tree)
    expect(entries.explain('key')).toMatchObject({ isHit: false, reason })
    const [why, after] = ask()
    expect([why, after === value]).toEqual([reason, false])
    expect(ask()).toEqual(['hit', after])
    expect(warnings).toEqual([])
  })

  test('an environment variable, stored only as a digest', () => {
    vi.stubEnv('WICKED_CACHE_TEST', 'a secret of some length')
    const { cached, ask } = looking(({ env }) => env('WICKED_CACHE_TEST')?.length)
    expect([ask()[0], ask()[0]]).toEqual(['never-set', 'hit'])
    const files = filesBelow(cached.root).map(name => readFileSync(cached.at(name), 'latin1'))
    expect(files.length).toBeGreaterThanOrEqual(3)
    for (const text of files) expect(text).not.toContain('a secret')
  })

  test('the working directory, if it used a relative path', () => {
    const { tree, ask } = looking(({ readFile }) => readFile('x'), { 'one/x': '1', 'two/x': '2' })
    const asked = (name: string) => within(tree.at(name), ask)
    expect([asked('one'), asked('two'), asked('one'), asked('two')]).toEqual([
      ['never-set', '1'],
      ['moved', '2'],
      ['hit', '1'],
      ['hit', '2'],
    ])
  })

  test.each<[string, Look]>([
    ['a glob', ({ glob }) => glob('*')],
    ['a listing', ({ readDirectory }) => readDirectory('.')],
    ['existence', ({ exists }) => exists('x')],
    ['a dependency', ({ addDependency }) => addDependency('y') ?? process.cwd()],
  ])('the working directory for the relative path of %s', (_what, look) => {
    const { tree, ask } = looking(look, { 'one/x': '1', 'two/y': '2' })
    for (const name of ['one/x', 'two/y', 'one', 'two']) settle(tree.at(name))
    const asked = (name: string) => within(tree.at(name), ask)
    const [one, two] = [asked('one'), asked('two')]
    expect([one[0], two[0]]).toEqual(['never-set', 'moved'])
    expect(one[1]).not.toEqual(two[1])
    expect([asked('one'), asked('two')]).toEqual([
      ['hit', one[1]],
      ['hit', two[1]],
    ])
  })
})

describe('a glob', () => {
  test.each<[string | string[], string[]]>([
    ['*.js', ['a.js']],
    ['**/*.js', ['a.js', 'src/b.js', 'src/deep/d.js']],
    ['./src/*', ['src/b.js', 'src/c.css']],
    ['src/**', ['src/b.js', 'src/c.css', 'src/deep/d.js']],
    ['src/*/d.js', ['src/deep/d.js']],
    ['{src,lib}/*.{js,css}', ['src/b.js', 'src/c.css']],
    ['src/{deep/d,b}.js', ['src/b.js', 'src/deep/d.js']],
    [['**/*.js', '!**/b.js', '!src/deep/**'], ['a.js']],
    ['a.js', ['a.js']],
    ['none/**', []],
    ['empty/*', []],
    ['.*', ['.dot']],
    ['../outside/*.js', ['../outside/x.js']],
  ])('finds the files that match %j', (patterns, expected) => {
    const tree = new Tree({ 'outside/x.js': '' })
    const files = ['package.json', '.dot', 'a.js', 'src/b.js', 'src/c.css', 'src/deep/d.js', 'empty/', '.git/x.js']
    tree.write(Object.fromEntries(files.map(name => [`project/${name}`, ''])))
    const entries = tree.open({ project: tree.at('project') })
    const found = (cwd: string) => entries.getOrSetSync(`in ${cwd}`, ({ glob }) => glob(patterns, { cwd }))
    expect(found(tree.at('project'))).toEqual(expected)
    expect(within(tree.at('project'), () => found('.'))).toEqual(expected)
  })

  test.skipIf(process.platform === 'win32')('matches links by name and follows no link to a directory', () => {
    const { tree, ask } = looking(({ glob }, at) => glob(['*/**', '!src/**'], { cwd: at('.') }))
    tree.write({ 'links/': '' })
    symlinkSync(tree.at('src'), tree.at('links/directory'))
    symlinkSync(tree.at('a.js'), tree.at('links/file.js'))
    symlinkSync(tree.at('none'), tree.at('links/nothing'))
    expect(ask()).toEqual(['never-set', ['links/directory', 'links/file.js', 'links/nothing']])
    tree.write({ 'src/new.js': '' })
    expect(ask()[0]).toBe('hit')
  })

  test('accepts absolute patterns and returns absolute paths with slashes', () => {
    const { tree, ask } = looking(({ glob }, at) => glob(at('src/**/*.js')))
    const found = ['src/b.js', 'src/deep/d.js'].map(name => tree.at(name).replaceAll('\\', '/'))
    expect(ask()).toEqual(['never-set', found])
    tree.write({ 'src/deep/new.js': '' })
    expect(ask()[0]).toBe('source-changed')
  })
})

describe('a late dependency', () => {
  const late: Look = ({ addDependency }, at) => {
    const files = ['a.js', 'src/b.js', 'none.js'].map(at)
    addDependency([files[0] as string, pathToFileURL(files[1] as string), new URL('data:text/css,a%7B%7D')])
    addDependency(new Set(files))
    return 'value'
  }

  test('is an input if it has not changed since the computation began', () => {
    const { tree, ask, results } = looking(late)
    for (const name of ['a.js', 'src/b.js', '.']) settle(tree.at(name))
    expect([ask()[0], ask()[0]]).toEqual(['never-set', 'hit'])
    expect(results.at(-1)?.files).toEqual(['a.js', 'src/b.js', 'none.js'].map(name => tree.at(name)))
    tree.write({ 'src/b.js': 'B' })
    expect(ask()[0]).toBe('source-changed')
  })

  test.each<[string, (tree: Tree) => void]>([
    ['changes', write('a.js', 'A')],
    ['is touched', tree => utimesSync(tree.at('a.js'), 1, 1)],
    ['goes', remove('a.js')],
    ['appears', write('none.js', '')],
    ['is replaced', tree => tree.write({ tmp: 'A' }) && renameSync(tree.at('tmp'), tree.at('a.js'))],
  ])('keeps the result from being stored when it %s meanwhile', (_how, change) => {
    const { tree, entries, warnings } = looking(late)
    for (const name of ['a.js', 'src/b.js', '.']) settle(tree.at(name))
    const asked = answers()
    for (let i = 0; i < 2; i++) {
      const value = entries.getOrSetSync(
        'key',
        context => {
          // As a compiler that reads it by other means and says so in the end.
          if (i === 0) change(tree)
          return late(context, name => tree.at(name))
        },
        { onResult: asked.onResult },
      )
      expect([value, asked.last]).toEqual(['value', 'never-set'])
    }
    expect(warnings).toEqual([])
  })
})

describe('text in memory', () => {
  test('is analysed as given, whatever is on disk', async () => {
    const { tree, entries } = looking(() => 1)
    const calls: string[] = []
    const ask = (source: string, path: string | URL = tree.at('a.js')) =>
      entries.analyzeSync('text', { path, source }, context => calls.push(context.source) && context.source)
    expect([ask('one'), ask('two'), ask('one'), ask('one', pathToFileURL(tree.at('a.js')))]).toEqual([
      'one',
      'two',
      'one',
      'one',
    ])
    expect(calls).toEqual(['one', 'two'])
    const bytes = ({ bytes: each }: { bytes: Uint8Array }) => Buffer.from(each).toString()
    expect(await entries.analyze('bytes', { path: tree.at('none.js'), source: 'ä' }, bytes)).toBe('ä')
  })

  test('is distinguished from another text with the same UTF-8 bytes', () => {
    const { tree, entries } = looking(() => 1)
    const ask = (source: string) =>
      entries.analyzeSync('text', { path: tree.at('a.js'), source }, ctx => ctx.source.charCodeAt(0))
    for (const text of ['\ud800', '\ufffd', '\udfff', '\ud800']) expect(ask(text)).toBe(text.charCodeAt(0))
  })

  test('shares its analysis with a file of the same path and content', () => {
    const { tree, entries } = looking(() => 1)
    const again = () => expect.fail('computed again')
    entries.analyzeSync('text', { path: tree.at('a.js'), source: 'a' }, () => 1)
    expect(entries.analyzeSync('text', tree.at('a.js'), again)).toBe(1)
    entries.analyzeSync('text', tree.at('src/b.js'), () => 2)
    expect(entries.analyzeSync('text', { path: tree.at('src/b.js'), source: 'b' }, again)).toBe(2)
    expect(entries.analyzeSync('text', { path: tree.at('src/b.js'), source: 'other' }, () => 3)).toBe(3)
    expect(entries.analyzeSync('text', tree.at('src/b.js'), again)).toBe(2)
  })

  test.each([
    { path: 'a' },
    { source: 'a' },
    { path: 'a', source: 5 },
    { path: '', source: '' },
    { path: 'a', text: '' },
  ])('cannot be given as %j', file => {
    const { entries } = looking(() => 1)
    const call = (from: Namespace) => from.analyzeSync('text', file as never, () => 1)
    expect(() => call(entries)).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTION' }))
  })
})

test('a glob or variable name that is too long to record keeps the result from being stored', () => {
  const long = Array.from({ length: 5000 }, (_, index) => `**/${index}.none`)
  const looks: Look[] = [({ glob }, at) => glob(long, { cwd: at('src') }), ({ env }) => env('x'.repeat(70_000))]
  for (const look of looks) {
    const { ask, warnings } = looking(look)
    expect([ask()[0], ask()[0]]).toEqual(['never-set', 'never-set'])
    expect(warnings).toEqual([])
  }
})

test('a result lists all of its files, however many there are', () => {
  const names = Array.from({ length: 30 }, (_, index) => `many/${index}`)
  const look: Look = ({ readFile }, at) => names.map(name => readFile(at(name))).join('')
  const { tree, ask, results, entries } = looking(look, Object.fromEntries(names.map(name => [name, name])))
  expect([ask()[0], ask()[0]]).toEqual(['never-set', 'hit'])
  for (const { files } of results) expect(files).toEqual(names.map(name => tree.at(name)))
  expect(entries.find('key')).toMatchObject([{ files: names.map(name => tree.at(name)) }])
  writeFileSync(join(tree.root, 'many', '17'), 'other')
  expect(ask()[0]).toBe('source-changed')
})
