// Results that are shared by all checkouts: analyses, and entries of portable namespaces.

import { readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { AnalyzeContext, ComputeContext, Namespace } from '../../src/index.js'
import { answers, checkouts, Tree, within } from '../support/projects.js'

/** What `getOrSet` of `key` gives for `compute`, and how it was answered. */
function asker(key: string, compute: (context: ComputeContext, directory: string) => unknown) {
  return (entries: Namespace) => {
    const { onResult, results } = answers()
    const value = entries.getOrSetSync(key, context => compute(context, entries.project as string), { onResult })
    return [value, results[0]?.isHit]
  }
}

const slashed = (path: string) => path.replaceAll('\\', '/')

const config = asker('config', ({ readFile }, directory) => readFile(join(directory, 'config')))

describe('an analysis', () => {
  const shout = ({ source }: AnalyzeContext) => source.toUpperCase()

  test('is found in another checkout, with the files of that checkout', async () => {
    const { tree, one, two } = checkouts()
    const { onResult, results } = answers()
    expect(one.analyzeSync('shout', tree.at('one/src/a.js'), shout, { onResult })).toBe('A')
    expect(two.analyzeSync('shout', tree.at('two/src/a.js'), shout, { onResult })).toBe('A')
    expect(await two.analyze('shout', tree.at('two/src/a.js'), shout, { onResult })).toBe('A')
    expect(results.map(({ isHit, files }) => [isHit, files])).toEqual([
      [false, [tree.at('one/src/a.js')]],
      [true, [tree.at('two/src/a.js')]],
      [true, [tree.at('two/src/a.js')]],
    ])
  })

  test('is found in a worktree and after the project has moved', () => {
    const { tree, cache, one } = checkouts({ '.git/HEAD': '', 'src/a.js': 'a' })
    one.analyzeSync('shout', tree.at('one/src/a.js'), shout)
    tree.write({ 'work/.git': 'gitdir: ../one/.git/worktrees/work', 'work/src/a.js': 'a' })
    tree.copy('one', 'moved')
    tree.remove('one')
    const again = () => expect.fail('computed again')
    for (const name of ['work', 'moved']) {
      const entries = cache.namespace('tool')
      within(tree.at(`${name}/src`), () => {
        expect(entries.analyzeSync('shout', 'a.js', again)).toBe('A')
        expect(entries.explain({ name: 'shout', file: 'a.js' })).toMatchObject({ isHit: true })
      })
    }
  })

  test('keeps a result for each of two different checkouts, even if they alternate', () => {
    const { tree, one, two } = checkouts()
    tree.write({ 'two/src/a.js': 'b' })
    const calls: string[] = []
    const compute = ({ source }: AnalyzeContext) => calls.push(source) && source.toUpperCase()
    for (let i = 0; i < 3; i++) {
      expect(one.analyzeSync('shout', tree.at('one/src/a.js'), compute)).toBe('A')
      expect(two.analyzeSync('shout', tree.at('two/src/a.js'), compute)).toBe('B')
    }
    expect(calls).toEqual(['a', 'b'])
  })

  test.each<[string, (context: AnalyzeContext) => unknown, (name: string) => unknown]>([
    ['uses its path is bound to its checkout', ({ path }) => path, name => `${name}/src/a.js`],
    ['uses its relative path is shared', ({ relativePath }) => relativePath, () => 'src/a.js'],
  ])('that %s', (_what, compute, expected) => {
    const { tree, one, two, warnings } = checkouts()
    const spaces = { one, two }
    const hits = [1, 2].flatMap(() =>
      (['one', 'two'] as const).map(name => {
        const { onResult, results } = answers()
        const value = spaces[name].analyzeSync('path', tree.at(`${name}/src/a.js`), compute, { onResult })
        expect(typeof value === 'string' && slashed(value).replace(`${slashed(tree.root)}/`, '')).toBe(expected(name))
        return results[0]?.isHit
      }),
    )
    expect(hits).toEqual([false, expected('one') === expected('two'), true, true])
    expect(warnings).toEqual([])
  })

  test("that gets its project's path from a closure is bound to its checkout, without a warning", () => {
    const { tree, one, two, warnings } = checkouts()
    const value = (entries: Namespace, name: string) => {
      const file = tree.at(`${name}/src/a.js`)
      return entries.analyzeSync('closure', file, ({ source }) => ({ source, file }))
    }
    for (let i = 0; i < 2; i++) {
      expect(value(one, 'one')).toEqual({ source: 'a', file: tree.at('one/src/a.js') })
      expect(value(two, 'two')).toEqual({ source: 'a', file: tree.at('two/src/a.js') })
    }
    expect(warnings).toEqual([])
  })

  test.each([false, true])('that uses the absolute path is bound to its checkout (anywhere: %s)', anywhere => {
    const { tree, one, two } = checkouts()
    const depth = ({ path }: AnalyzeContext) => slashed(path).includes('/one/')
    const at = (name: string) => tree.at(`${name}/src/a.js`)
    for (let i = 0; i < 2; i++) {
      expect(one.analyzeSync('depth', at('one'), depth, { anywhere })).toBe(true)
      expect(two.analyzeSync('depth', at('two'), depth, { anywhere })).toBe(false)
    }
  })

  test('of a file outside the project is identified by its full path', () => {
    const { tree, one, two } = checkouts()
    tree.write({ 'lib/x.js': 'x' })
    const { onResult, results } = answers()
    for (const entries of [one, two]) {
      const look = ({ relativePath, source }: AnalyzeContext) => [relativePath, source]
      expect(entries.analyzeSync('look', tree.at('lib/x.js'), look, { onResult })).toEqual([tree.at('lib/x.js'), 'x'])
    }
    expect(results[0]?.isHit).toBe(false)
  })
})

describe('a result of getOrSet', () => {
  test('is shared by all checkouts if the namespace is portable, and stays in its own if not', () => {
    const { of } = checkouts()
    const own = asker('own', ({ readFile }, directory) => readFile(join(directory, 'config')))
    expect([own(of('one', false)), own(of('two', false)), own(of('one', false))]).toEqual([
      ['1', false],
      ['1', false],
      ['1', true],
    ])
    expect([config(of('one')), config(of('two'))]).toEqual([
      ['1', false],
      ['1', true],
    ])
  })

  test('is not used in a checkout where an input differs', () => {
    const { tree, one, two } = checkouts()
    tree.write({ 'two/config': '2' })
    for (const isHit of [false, true]) {
      expect([config(one), config(two)]).toEqual([
        ['1', isHit],
        ['2', isHit],
      ])
    }
  })

  test('that read no file inside the project is not shared', () => {
    const { tree, one, two, warnings } = checkouts()
    tree.write({ outside: 'text' })
    const questions = [
      asker('nothing', (_context, directory) => relative(tree.root, directory)),
      asker('environment', ({ env }, directory) => [env('WICKED_CACHE_NONE'), relative(tree.root, directory)]),
      asker('outside', ({ readFile }, directory) => readFile(tree.at('outside')) + relative(tree.root, directory)),
    ]
    for (const ask of questions) {
      const [[first, isFirstHit], [second, isSecondHit]] = [ask(one), ask(two)] as [unknown[], unknown[]]
      expect([isFirstHit, isSecondHit]).toEqual([false, false])
      expect(JSON.stringify(first)).toContain('one')
      expect(JSON.stringify(second)).toContain('two')
      expect([ask(one), ask(two)]).toEqual([
        [first, true],
        [second, true],
      ])
    }
    expect(warnings).toEqual([])
  })

  test.each<[string, (directory: string) => unknown]>([
    ['as it is', directory => ({ files: [`${directory}/src/a.js`] })],
    ['at its end', directory => directory],
    ['as a URL', directory => pathToFileURL(join(directory, 'src', 'a.js')).href],
    ['in bytes', directory => Buffer.from(`at ${directory}:`)],
    ['in a long text', directory => 'x'.repeat(5000) + directory],
    ['in one of many objects', directory => Array.from({ length: 300 }, (_, i) => ({ file: `${directory}/${i}` }))],
  ])("that contains its project's path %s is bound to it, with one warning", (_how, made) => {
    const { one, two, warnings } = checkouts()
    const ask = asker('config', ({ readFile }, directory) => {
      readFile(join(directory, 'config'))
      return made(directory)
    })
    for (const isHit of [false, true]) {
      for (const entries of [one, two]) expect(ask(entries)).toEqual([made(entries.project as string), isHit])
    }
    expect(warnings).toMatchObject([{ code: 'ERR_CACHE_PORTABLE' }])
    expect(warnings[0]?.message).toContain(one.project)
  })

  test.each<[string, (text: string) => unknown]>([
    ['as it is', text => text],
    ['within JSON', text => JSON.stringify({ text })],
    ['in a long text', text => text + 'x'.repeat(5000)],
    ['beside a date', text => [text, new Date(1)]],
  ])('that contains a path with JSON escapes %s is bound to its project', (_how, made) => {
    const tree = new Tree()
    const { cache, warnings } = tree.opened()
    const of = (name: string) => cache.namespace('tool', { project: tree.at(name), portable: true })
    const names = process.platform === 'win32' ? ['one', 'two'] : ['"on\\e"', '"tw\\o"']
    for (const name of names) tree.write({ [`${name}/package.json`]: '{}', [`${name}/config`]: '1' })
    const ask = asker('config', ({ readFile }, directory) => {
      readFile(join(directory, 'config'))
      return made(`at ${directory}: `)
    })
    for (const name of names) expect(ask(of(name))).toEqual([made(`at ${tree.at(name)}: `), false])
    expect(warnings).toMatchObject([{ code: 'ERR_CACHE_PORTABLE' }])
  })

  test('that contains the path of a directory whose name only starts the same is shared', () => {
    const { one, two, warnings } = checkouts()
    const ask = asker('config', ({ readFile }, directory) => [
      readFile(join(directory, 'config')),
      `${one.project}-more`,
    ])
    expect([ask(one)[1], ask(two)[1]]).toEqual([false, true])
    expect(warnings).toEqual([])
  })

  test('is used in a project opened through a symbolic link', () => {
    const { tree, cache, one } = checkouts()
    symlinkSync('two', tree.at('link'))
    config(one)
    const linked = cache.namespace('tool', { project: tree.at('link'), portable: true })
    const throughLink = asker('config', ({ readFile }) => readFile(tree.at('link/config')))
    expect([config(linked), throughLink(linked)]).toEqual([
      ['1', true],
      ['1', true],
    ])
  })

  test('with a relative path is used only from the same directory within a checkout', () => {
    const { tree, one, two } = checkouts({ 'package.json': '{}', 'src/x': '1', 'lib/x': '2' })
    const ask = asker('relative', ({ readFile }) => readFile('x'))
    const at = (name: string, entries: Namespace) => within(tree.at(name), () => ask(entries))
    expect([
      at('one/src', one),
      at('two/src', two),
      at('two/lib', two),
      at('one/lib', one),
      at('one/src', one),
    ]).toEqual([
      ['1', false],
      ['1', true],
      ['2', false],
      ['2', true],
      ['1', true],
    ])
  })

  test("that reads its project through the project's directory name is bound to its checkout", () => {
    const { tree, one, two } = checkouts({ 'package.json': '{}', 'src/x': '1', config: '' })
    const ask = asker('renamed', ({ readFile }) => readFile('../../one/src/x'))
    const at = (name: string, entries: Namespace) => within(tree.at(name), () => ask(entries))
    expect([at('one/src', one), at('one/src', one)]).toEqual([
      ['1', false],
      ['1', true],
    ])
    tree.write({ 'one/src/x': 'other' })
    expect(at('two/src', two)).toEqual(['other', false])
  })

  test('of a wrapped function is shared too', () => {
    const { tree, one, two } = checkouts()
    const calls: string[] = []
    const read = (name: string) => calls.push(name) && 'read'
    const spaces = { one, two }
    for (const name of ['one', 'two'] as const) {
      expect(spaces[name].wrapSync('read', read, { files: [tree.at(`${name}/config`)] })('x')).toBe('read')
    }
    expect(calls.length).toBe(1)
  })
})

describe('the files of a result', () => {
  const reading = (file: string) =>
    asker('read', ({ readFile }, directory) => readFile(join(directory, 'own')) + readFile(join(directory, file)))

  test('are recorded relative to the project, up to the outermost marker above it', () => {
    const { tree, of } = checkouts({
      '.git/HEAD': '',
      'packages/a/package.json': '{}',
      'packages/a/own': 'own ',
      'packages/b/x': '1',
      'node_modules/dep/x': '1',
    })
    for (const file of ['../b/x', '../../node_modules/dep/x', '../../none']) {
      const ask = asker(`read ${file}`, ({ readFile, exists }, directory) => {
        return (
          readFile(join(directory, 'own')) +
          exists(join(directory, file)) +
          (file.endsWith('x') ? readFile(join(directory, file)) : '')
        )
      })
      expect([ask(of('one/packages/a'))[1], ask(of('two/packages/a'))[1]]).toEqual([false, true])
    }
    tree.write({ 'two/packages/b/x': '2', 'two/none': '' })
    const ask = reading('../b/x')
    expect([ask(of('one/packages/a')), ask(of('two/packages/a'))]).toEqual([
      ['own 1', false],
      ['own 2', false],
    ])
  })

  test('bind the result to its checkout if one lies above every marker', () => {
    const { tree, of } = checkouts({ 'pkg/package.json': '{}', 'pkg/own': 'own ', shared: '1' })
    tree.write({ 'two/shared': '2' })
    const ask = reading('../shared')
    for (const isHit of [false, true]) {
      expect([ask(of('one/pkg')), ask(of('two/pkg'))]).toEqual([
        ['own 1', isHit],
        ['own 2', isHit],
      ])
    }
    const analyze = (name: string) =>
      of(`${name}/pkg`).analyzeSync('with', tree.at(`${name}/pkg/own`), ({ source, readFile }) => {
        return source + readFile(tree.at(`${name}/shared`))
      })
    for (let i = 0; i < 2; i++) expect([analyze('one'), analyze('two')]).toEqual(['own 1', 'own 2'])
  })

  test('above every marker do not bind the result if they were missing', () => {
    const { tree, of } = checkouts({ 'pkg/package.json': '{}', 'pkg/own': 'own ' })
    tree.write({ 'two/rc': '2' })
    const search = (name: string) =>
      of(`${name}/pkg`).analyzeSync('search', tree.at(`${name}/pkg/own`), ({ exists, readFile }) => {
        for (let dir = tree.at(`${name}/pkg`); dir !== tree.root; dir = dirname(dir)) {
          if (exists(join(dir, 'rc'))) return readFile(join(dir, 'rc'))
        }
        return 'none'
      })
    for (let i = 0; i < 2; i++) expect([search('one'), search('two')]).toEqual(['none', '2'])
  })
})

describe('set, delete and clear', () => {
  test('a set in one checkout overrides and voids the portable result', () => {
    const { one, two } = checkouts()
    config(one)
    expect(one.set('config', 'set')).toBe(true)
    expect([one.get('config'), one.has('config'), config(one)]).toEqual(['set', true, ['set', true]])
    expect(config(two)).toEqual(['1', false])
    expect(config(one)).toEqual(['set', true])
    one.delete('config')
    expect(config(one)).toEqual(['1', false])
  })

  test.each(['delete', 'invalidate', 'clear'] as const)('%s voids the results of all checkouts', name => {
    const { tree, one, two } = checkouts()
    tree.write({ 'two/config': '2' })
    for (const entries of [one, two]) config(entries)
    if (name === 'clear') one.clear()
    else one[name]('config')
    expect([config(one), config(two)]).toEqual([
      ['1', false],
      ['2', false],
    ])
  })

  test('get returns a result of another checkout only if it is valid here', () => {
    const { tree, one, two } = checkouts()
    config(one)
    expect([one.get('config'), two.get('config'), two.has('config')]).toEqual(['1', '1', true])
    tree.write({ 'two/config': '2' })
    expect([one.get('config'), two.get('config'), two.has('config')]).toEqual(['1', undefined, false])
    expect(two.explain('config')).toMatchObject({ isHit: false, reason: 'source-changed', file: tree.at('two/config') })
    expect(readFileSync(tree.at('one/config'), 'utf8')).toBe('1')
  })
})

test('a listing says of an answer whether it is valid here, or in the checkout that stored it', () => {
  const { tree, one, two } = checkouts({ 'package.json': '{}', config: 'c', 'deep/file': '' })
  const compute = ({ readFile }: ComputeContext) => readFile('config').toString()
  within(tree.at('one'), () => one.getOrSetSync('config', compute))
  const listed = (entries: Namespace) => [...entries.entries()].map(({ valid, files }) => [valid, files])
  within(tree.at('one'), () => expect(listed(one)).toEqual([[true, [tree.at('one/config')]]]))
  within(tree.at('two'), () => {
    expect(listed(two)).toEqual([[true, [tree.at('two/config')]]])
    tree.write({ 'two/config': 'other' })
    expect(listed(two)).toEqual([[true, [tree.at('one/config')]]])
    tree.write({ 'one/config': 'another' })
    expect(listed(two)).toEqual([[false, [tree.at('two/config')]]])
  })
})
