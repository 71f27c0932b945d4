// Results that depend on another cache, a switched link or a renamed directory.

import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { ComputeContext, Namespace } from '../../src/index.js'
import { openAsAnotherProcess } from '../support/caches.js'
import { answers, Tree } from '../support/projects.js'

function opened(files: Record<string, string> = {}) {
  const tree = new Tree({ 'p/package.json': '', ...files })
  const project = tree.at('p')
  return { tree, project, entries: tree.open({ project }) }
}

describe('a computation that reads a cache in another directory', () => {
  test.each<[string, (other: Namespace) => unknown]>([
    ['get', other => other.get('key') ?? 'none'],
    ['has', other => other.has('key')],
    ['getOrSetSync', other => other.getOrSetSync('key', () => 'computed')],
  ])('sees values set there later (%s)', (_how, ask) => {
    const { tree, project, entries } = opened()
    const other = openAsAnotherProcess(tree.at('other')).cache.namespace('tool', { project })
    const outer = () => entries.getOrSetSync('outer', () => ask(other))
    const before = outer()
    other.set('key', 'set')
    expect(outer()).toEqual(ask(other))
    expect(outer()).not.toEqual(before)
  })

  test('is cached if that result depends on files only', () => {
    const { tree, project, entries } = opened({ 'p/f': '1' })
    const other = openAsAnotherProcess(tree.at('other')).cache.namespace('tool', { project })
    const { onResult, results } = answers()
    const ask = () =>
      entries.getOrSetSync('outer', () => other.analyzeSync('a', tree.at('p/f'), ({ source }) => source), { onResult })
    expect([ask(), ask()]).toEqual(['1', '1'])
    tree.write({ 'p/f': '2' })
    expect(ask()).toBe('2')
    expect(results.map(({ isHit }) => isHit)).toEqual([false, true, false])
  })
})

test.each<[string, (tree: Tree) => void]>([
  [
    'its directory is replaced',
    tree => {
      renameSync(tree.at('p/d/one'), tree.at('p/d/zero'))
      renameSync(tree.at('p/d/two'), tree.at('p/d/one'))
    },
  ],
  [
    'a link on its way is switched',
    tree => {
      rmSync(tree.at('p/d/link'))
      symlinkSync('two', tree.at('p/d/link'))
    },
  ],
  ['the tree around it is removed', tree => rmSync(tree.at('p/d'), { recursive: true })],
])('a late dependency is not trusted when meanwhile %s', async (_what, change) => {
  const { tree, entries } = opened({ 'p/d/one/f': 'one', 'p/d/two/f': 'two' })
  symlinkSync('one', tree.at('p/d/link'))
  // Of what changed so shortly before a computation, none can say that it was not later.
  await expect.poll(() => Date.now() - startOf(tree)).toBeGreaterThan(50)
  const path = tree.at(`p/d/${_what.includes('link') ? 'link' : 'one'}/f`)
  const read = () => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return 'gone'
    }
  }
  const ask = (meanwhile: () => void) =>
    entries.getOrSetSync('key', ({ addDependency }: ComputeContext) => {
      const text = read()
      meanwhile()
      addDependency(path)
      return text
    })
  expect(ask(() => change(tree))).toBe('one')
  expect(ask(() => undefined)).toBe(read())
})

const starts = new WeakMap<Tree, number>()
function startOf(tree: Tree): number {
  const known = starts.get(tree) ?? Date.now()
  starts.set(tree, known)
  return known
}

test('a project given as a link is the directory that the link points to now', () => {
  const { tree } = opened({ 'r1/package.json': '', 'r1/f': 'r1', 'r2/package.json': '', 'r2/f': 'r2' })
  symlinkSync('r1', tree.at('current'))
  const entries = tree.open({ project: tree.at('current') })
  const ask = () => entries.getOrSetSync('key', ({ readFile }) => readFile(tree.at('current/f')))
  expect([ask(), entries.project]).toEqual(['r1', tree.at('r1')])
  rmSync(tree.at('current'))
  symlinkSync('r2', tree.at('current'))
  expect([ask(), entries.project]).toEqual(['r2', tree.at('r2')])
})

describe('a result that contains a path is bound to its checkout:', () => {
  test.each<[string, string, (path: string) => string]>([
    [
      'one above the project, in the same monorepo',
      'packages/app',
      path => path.replace('/packages/app', '/node_modules/x'),
    ],
    ['the URL of a directory with a hash', 'a#b', path => pathToFileURL(path).href],
    ['the URL of a directory with a question mark', 'a?b', path => pathToFileURL(path).href],
  ])('%s', (_what, name, resultOf) => {
    const tree = new Tree()
    const ask = (checkout: string) => {
      const project = tree.at(`${checkout}/${name}`)
      mkdirSync(project, { recursive: true })
      tree.write({ [`${checkout}/package.json`]: '', [`${checkout}/${name}/package.json`]: '' })
      tree.write({ [`${checkout}/${name}/f`]: 'text' })
      return tree.open({ project }).analyzeSync('a', `${project}/f`, () => resultOf(project))
    }
    expect([ask('one'), ask('two')]).toEqual([resultOf(tree.at(`one/${name}`)), resultOf(tree.at(`two/${name}`))])
  })
})

test("with classInstances: 'plain', arguments and inputs with private state are kept apart", () => {
  const { tree, project } = opened()
  class Secret {
    readonly #value: number
    constructor(value: number) {
      this.#value = value
    }
    get(): number {
      return this.#value
    }
  }
  const { entries, warnings } = tree.opened({ project, classInstances: 'plain' })
  const wrapped = entries.wrapSync('wrapped', (secret: Secret) => secret.get())
  expect([wrapped(new Secret(1)), wrapped(new Secret(2))]).toEqual([1, 2])
  expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_VALUE'])
  const inputs = { secret: new Secret(1) }
  expect(() => entries.getOrSetSync('key', () => 1, { inputs })).toThrow(/is an instance of Secret/)
})
