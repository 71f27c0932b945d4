// Keys belong to a project, however the project is found.

import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { errorOf, openAsAnotherProcess } from '../support/caches.js'
import { answers, Tree, within } from '../support/projects.js'

afterEach(() => vi.unstubAllEnvs())

describe('the project of a handle', () => {
  test.each<[string, Record<string, string>, string, string]>([
    ['the directory with a package.json', { 'a/package.json': '', 'a/src/deep/': '' }, 'a/src/deep', 'a'],
    ['the directory with a .git directory', { 'a/.git/HEAD': '', 'a/src/': '' }, 'a/src', 'a'],
    [
      'a worktree, whose .git is a file',
      { 'a/.git/': '', 'w/.git': 'gitdir: ../a/.git/worktrees/w', 'w/x/': '' },
      'w/x',
      'w',
    ],
    [
      'the nearest one of a monorepo',
      { 'a/.git/': '', 'a/package.json': '', 'a/pkgs/b/package.json': '' },
      'a/pkgs/b',
      'a/pkgs/b',
    ],
    ['the monorepo, between its packages', { 'a/.git/': '', 'a/pkgs/b/package.json': '' }, 'a/pkgs', 'a'],
    ['the working directory, if there is no marker', { 'a/b/c/': '' }, 'a/b/c', 'a/b/c'],
  ])('is %s', (_what, files, cwd, project) => {
    const tree = new Tree(files)
    const entries = tree.open()
    within(tree.at(cwd), () => {
      expect(entries.project).toBe(tree.at(project))
      entries.set('key', 1)
    })
    expect(tree.open({ project: tree.at(project) }).get('key')).toBe(1)
  })

  test('follows the working directory', () => {
    const tree = new Tree({ 'a/package.json': '', 'b/package.json': '', 'b/src/': '' })
    const entries = tree.open()
    const inA = <T>(fn: () => T) => within(tree.at('a'), fn)
    const inB = <T>(fn: () => T) => within(tree.at('b/src'), fn)
    inA(() => entries.set('key', 'a'))
    expect(inB(() => [entries.get('key'), entries.has('key'), entries.delete('key')])).toEqual([
      undefined,
      false,
      false,
    ])
    inB(() => entries.set('key', 'b'))
    for (let i = 0; i < 3; i++)
      expect([inA(() => entries.get('key')), inB(() => entries.get('key'))]).toEqual(['a', 'b'])
  })

  test('is the given one, wherever it is used', () => {
    const tree = new Tree({ 'a/package.json': '', 'a/src/': '', 'b/package.json': '' })
    const named = [tree.at('a'), pathToFileURL(tree.at('a')), `${tree.at('a')}/`, join(tree.at('b'), '..', 'a')]
    named.push(relative(process.cwd(), tree.at('a')))
    const handles = named.map(project => tree.open({ project }))
    for (const entries of handles) expect(within(tree.at('b'), () => entries.project)).toBe(tree.at('a'))
    handles[0]?.set('key', 1)
    for (const entries of handles) expect(entries.get('key')).toBe(1)
    expect(tree.open({ project: tree.at('a/src') }).get('key')).toBe(undefined)
  })

  test('can be a directory that does not exist', () => {
    const tree = new Tree()
    const entries = tree.open({ project: tree.at('none') })
    expect(entries.set('key', 1)).toBe(true)
    expect([entries.get('key'), entries.project]).toEqual([1, tree.at('none')])
  })

  test('is null for user-wide keys', () => {
    const tree = new Tree({ 'a/package.json': '', 'b/package.json': '' })
    const user = tree.open({ project: false })
    expect(user.project).toBe(null)
    within(tree.at('a'), () => user.set('key', 'user'))
    expect(within(tree.at('b'), () => user.get('key'))).toBe('user')
    expect(tree.open({ project: tree.at('a') }).get('key')).toBe(undefined)
    within('/', () => expect(user.get('key')).toBe('user'))
  })

  test('differs for a handle from in(), which keeps namespace, version and options', () => {
    const tree = new Tree({ 'a/': '', 'b/': '' })
    const a = tree.open({ project: tree.at('a'), version: '2', cyclic: true })
    const [b, user] = [a.in(tree.at('b')), a.in(false)]
    expect([b.project, user.project, b.name, b.version]).toEqual([tree.at('b'), null, 'tool', '2'])
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect([a.set('key', 'a'), b.set('key', cycle), user.set('key', 'user')]).toEqual([true, true, true])
    expect([a.get('key'), b.get('key'), user.get('key'), b.in(pathToFileURL(tree.at('a'))).get('key')]).toEqual([
      'a',
      cycle,
      'user',
      'a',
    ])
  })

  test.each([[''], ['a\0b'], [5], [null], [true], [{}], [new URL('https://example.org')]])('cannot be %j', project => {
    const tree = new Tree()
    expect(errorOf(() => tree.open({ project: project as string })).code).toBe('ERR_CACHE_OPTION')
    expect(errorOf(() => tree.open().in(project as string)).code).toBe('ERR_CACHE_OPTION')
  })

  test('is identified by its real path', () => {
    const tree = new Tree({ 'real/package.json': '', 'real/src/': '' })
    symlinkSync('real', tree.at('link'))
    tree.open({ project: tree.at('link') }).set('key', 1)
    const found = [tree.open({ project: tree.at('real') }), tree.open({ project: tree.at('link') })]
    for (const entries of found) expect([entries.get('key'), entries.project]).toEqual([1, tree.at('real')])
    const entries = tree.open()
    expect(within(tree.at('link/src'), () => entries.get('key'))).toBe(1)
  })
})

describe('in a shared directory', () => {
  const VARIABLES = ['HOME', 'TMPDIR'] as const

  test.each(VARIABLES)('(%s) without a marker nothing is stored, with one warning', async variable => {
    const tree = new Tree({ 'shared/': '' })
    vi.stubEnv(variable, `${tree.at('shared')}/`)
    const { entries, warnings } = tree.opened()
    const { onResult, results } = answers()
    const calls: number[] = []
    const compute = () => calls.push(1)
    await within(tree.at('shared'), async () => {
      expect([entries.project, entries.set('key', 1), entries.get('key'), entries.has('key')]).toEqual([
        null,
        false,
        undefined,
        false,
      ])
      expect(entries.setMany([{ key: 'key', value: 1 }])).toBe(0)
      expect(entries.getOrSetSync('key', compute, { onResult })).toBe(1)
      const later = entries.getOrSet('key', compute, { onResult })
      expect(entries.wrapSync('wrapped', compute, { onResult })()).toBe(3)
      expect([entries.delete('key'), entries.clear(), [...entries.keys()]]).toEqual([false, 0, []])
      expect(entries.explain('key')).toMatchObject({ isHit: false, reason: 'no-project', project: null })
      await later
    })
    expect(calls.length).toBe(3)
    expect(results.map(({ isHit, reason }) => [isHit, reason])).toEqual(Array(3).fill([false, 'no-project']))
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_PROJECT'])
    expect(warnings[0]?.message).toContain('project: false')
    expect(tree.open({ project: false }).find('key')).toEqual([])
  })

  test.each(VARIABLES)('(%s) with a marker it is the project, but not for directories below it', variable => {
    const tree = new Tree({ 'shared/package.json': '', 'shared/.git/': '', 'shared/below/': '' })
    vi.stubEnv(variable, tree.at('shared'))
    const { entries, warnings } = tree.opened()
    within(tree.at('shared'), () => expect(entries.project).toBe(tree.at('shared')))
    within(tree.at('shared/below'), () => expect(entries.project).toBe(tree.at('shared/below')))
    expect(warnings).toEqual([])
  })

  test('through a symbolic link nothing is stored either', () => {
    const tree = new Tree({ 'home/': '' })
    symlinkSync('home', tree.at('link'))
    vi.stubEnv('HOME', tree.at('link'))
    const entries = tree.open()
    within(tree.at('home'), () => expect([entries.project, entries.set('key', 1)]).toEqual([null, false]))
  })

  test('the file system root is a shared directory', () => {
    expect(existsSync('/package.json') || existsSync('/.git')).toBe(false)
    const entries = new Tree().open()
    within('/', () => expect([entries.project, entries.set('key', 1)]).toEqual([null, false]))
  })

  test('analyses are stored, as they are identified by their files', () => {
    const tree = new Tree({ 'home/a.js': 'text' })
    vi.stubEnv('HOME', tree.at('home'))
    const { entries, warnings } = tree.opened()
    const calls: number[] = []
    within(tree.at('home'), () => {
      for (let i = 0; i < 2; i++) {
        expect(entries.analyzeSync('text', tree.at('home/a.js'), ({ source }) => calls.push(1) && source)).toBe('text')
      }
    })
    expect(calls.length).toBe(1)
    expect(warnings).toEqual([])
  })
})

test.each([
  ['undefined', undefined],
  ['a URL given as a string', 'file:///tmp/x'],
  ['a number', 1],
])('%s is rejected as a project', (_what, project) => {
  const entries = new Tree().open({ project: false })
  expect(errorOf(() => entries.in(project as string)).code).toBe('ERR_CACHE_OPTION')
})

test('in a working directory that was removed, a cache with a relative path is off', () => {
  const tree = new Tree({ 'gone/x': '' })
  within(tree.at('gone'), () => {
    tree.remove('gone')
    const { cache, warnings } = openAsAnotherProcess('cache')
    const entries = cache.namespace('tool', { project: false })
    expect(entries.getOrSetSync('key', () => 1)).toBe(1)
    expect([entries.set('key', 1), entries.get('key'), cache.mode]).toEqual([false, undefined, 'off'])
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_ROOT'])
  })
})

test('in a working directory that was removed, nothing is stored and calls that work without a cache still work', () => {
  const tree = new Tree({ 'gone/': '', file: 'text' })
  const { entries, warnings } = tree.opened()
  const user = tree.open({ project: false })
  const named = tree.open({ project: tree.at('other') })
  const before = process.cwd()
  mkdirSync(tree.at('gone'), { recursive: true })
  process.chdir(tree.at('gone'))
  rmSync(tree.at('gone'), { recursive: true })
  try {
    expect([entries.project, entries.set('key', 1), entries.get('key')]).toEqual([null, false, undefined])
    for (const value of [1, 2]) expect(entries.getOrSetSync('key', () => value)).toBe(value)
    for (const kept of [user, named]) {
      expect(kept.getOrSetSync('key', ({ readFile }) => readFile(tree.at('file')))).toBe('text')
      expect(kept.getOrSetSync('key', () => expect.fail('computed again'))).toBe('text')
      expect(kept.getOrSetSync('exists', ({ exists }) => exists('file'))).toBe(false)
      expect(kept.getOrSetSync('glob', ({ glob }) => glob('*'))).toEqual([])
      expect(kept.getOrSetSync('list', ({ readDirectory }) => readDirectory('.'))).toEqual(readdirSync('.'))
      expect(() => kept.getOrSetSync('read', ({ readFile }) => readFile('file'))).toThrow(
        expect.objectContaining({ code: 'ENOENT' }),
      )
      expect(() => kept.in('relative')).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTION' }))
    }
  } finally {
    process.chdir(before)
  }
  within(tree.root, () => expect(named.getOrSetSync('exists', ({ exists }) => exists('file'))).toBe(true))
  expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_PROJECT'])
})

test('a renamed project is a new one, and has its entries back when renamed back', () => {
  const tree = new Tree({ 'a/package.json': '', 'a/file': '1' })
  const open = () => tree.open({ project: tree.at('a') })
  open().set('key', 1, { files: [tree.at('a/file')] })
  tree.copy('a', 'b')
  tree.remove('a')
  expect(tree.open({ project: tree.at('b') }).get('key')).toBe(undefined)
  tree.copy('b', 'a')
  expect(open().get('key')).toBe(1)
  expect(realpathSync(tree.at('a'))).toBe(tree.at('a'))
})
