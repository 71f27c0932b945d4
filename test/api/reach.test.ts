// The keys that a handle can see: those of its own project, and portable ones.

import { describe, expect, test } from 'vitest'
import type { EntryInfo, ListOptions, Namespace } from '../../src/index.js'
import { errorOf } from '../support/caches.js'
import { answers, Tree } from '../support/projects.js'

/** Two projects and the user with one entry of each kind, and what is portable of both. */
function filled() {
  const tree = new Tree({ 'a/package.json': '{}', 'a/x.js': 'x', 'b/package.json': '{}', 'b/x.js': 'other' })
  const { cache } = tree.opened()
  const of = (project: string | false) =>
    cache.namespace('tool', { project: project && tree.at(project), portable: true })
  const spaces = { a: of('a'), b: of('b'), user: of(false) }
  for (const [name, entries] of Object.entries(spaces)) {
    entries.set('key', name)
    entries.set(`only ${name}`, name)
  }
  for (const name of ['a', 'b'] as const) {
    spaces[name].getOrSetSync('computed', ({ readFile }) => readFile(tree.at(`${name}/x.js`)))
    spaces[name].analyzeSync('source', tree.at(`${name}/x.js`), ({ source }) => source)
  }
  return { tree, cache, of, ...spaces }
}

const labels = (entries: Namespace, options?: ListOptions) =>
  [...entries.entries(options)].map(({ key, project }) => (project ? `${project.slice(-1)} ${key}` : key)).sort()

describe('keys and entries', () => {
  test('list the keys of the project and portable ones', () => {
    const { a, b, user } = filled()
    expect([...a.keys()].sort()).toEqual(['computed', 'key', 'only a'])
    expect([...b.keys()].sort()).toEqual(['computed', 'key', 'only b'])
    expect([...user.keys()].sort()).toEqual(['computed', 'key', 'only user'])
    expect(labels(a)).toEqual(['a key', 'a only a', 'computed', 'source x.js'])
    expect(labels(b)).toEqual(['b key', 'b only b', 'computed', 'source x.js'])
    expect(labels(user)).toEqual(['computed', 'key', 'only user', 'source x.js'])
  })

  test('list the keys of all projects with allProjects', () => {
    const { a } = filled()
    expect([...a.keys({ allProjects: true })].sort()).toEqual([
      'computed',
      'key',
      'key',
      'key',
      'only a',
      'only b',
      'only user',
    ])
    expect(labels(a, { allProjects: true })).toEqual([
      'a key',
      'a only a',
      'b key',
      'b only b',
      'computed',
      'key',
      'only user',
      'source x.js',
    ])
  })

  test('report origin, project and portability', () => {
    const { tree, a, user } = filled()
    const infoOf = (entries: Namespace, key: string) => [...entries.entries()].find(info => info.key === key)
    const about = (info: EntryInfo | undefined) => info && [info.origin, info.project, info.isPortable]
    expect(about(infoOf(a, 'key'))).toEqual(['set', tree.at('a'), false])
    expect(about(infoOf(user, 'key'))).toEqual(['set', null, false])
    expect(about(infoOf(a, 'computed'))).toEqual(['getOrSet', null, true])
    expect(about(infoOf(a, 'source x.js'))).toEqual(['analyze', null, true])
  })

  test('reject unknown options', () => {
    const { a } = filled()
    expect(errorOf(() => [...a.keys({ everyProject: true } as never)]).code).toBe('ERR_CACHE_OPTION')
    expect(errorOf(() => [...a.entries(5 as never)]).code).toBe('ERR_CACHE_OPTION')
  })
})

describe('find', () => {
  test('returns the entries of a key in all projects and versions', () => {
    const { tree, cache, a } = filled()
    cache.namespace('tool', { version: '2', project: tree.at('b') }).set('key', 'of version 2')
    const found = a.find('key').map(({ project, version }) => [project, version])
    expect(found.sort()).toEqual(
      [
        [tree.at('a'), ''],
        [tree.at('b'), ''],
        [tree.at('b'), '2'],
        [null, ''],
      ].sort(),
    )
    expect(a.find('only b').map(({ project }) => project)).toEqual([tree.at('b')])
    expect(a.find('nothing')).toEqual([])
  })
})

describe('delete and invalidate', () => {
  test.each(['delete', 'invalidate'] as const)('%s removes only the entry of the project', name => {
    const { a, b, user } = filled()
    expect([a[name]('key'), a[name]('only b')]).toEqual([true, false])
    expect([a.get('key'), b.get('key'), user.get('key')]).toEqual([undefined, 'b', 'user'])
    expect(b.get('only b')).toBe('b')
  })

  test.each(['delete', 'invalidate'] as const)('%s removes portable results for every checkout', name => {
    const { tree, a, b } = filled()
    expect(a[name]('computed')).toBe(true)
    for (const entries of [a, b]) expect(entries.get('computed')).toBe(undefined)
    const { onResult, results } = answers()
    b.getOrSetSync('computed', ({ readFile }) => readFile(tree.at('b/x.js')), { onResult })
    expect(results).toMatchObject([{ isHit: false }])
  })
})

describe('clear', () => {
  test('removes and counts the entries of the project and portable ones', () => {
    const { a, b, user } = filled()
    expect(a.clear()).toBe(4)
    expect(a.clear()).toBe(0)
    expect([labels(a), labels(b), labels(user)]).toEqual([[], ['b key', 'b only b'], ['key', 'only user']])
  })

  test('of a user-wide handle keeps the entries of projects', () => {
    const { a, user } = filled()
    expect(user.clear()).toBe(4)
    expect(labels(a)).toEqual(['a key', 'a only a'])
  })

  test('removes the entries of all projects with allProjects', () => {
    const { a, b, user } = filled()
    expect(a.clear({ allProjects: true })).toBe(8)
    for (const entries of [a, b, user]) expect(labels(entries)).toEqual([])
  })

  test('removes all versions and past results', () => {
    const { tree, cache, a } = filled()
    cache.namespace('tool', { version: '2', project: tree.at('a') }).set('key', 1)
    tree.write({ 'a/x.js': 'second' })
    const read = () => a.analyzeSync('source', tree.at('a/x.js'), ({ source }) => source)
    expect(read()).toBe('second')
    expect(a.stats().pastAnswerCount).toBeGreaterThan(0)
    expect(a.clear()).toBe(5)
    expect(a.stats().pastAnswerCount).toBe(0)
    const { onResult, results } = answers()
    tree.write({ 'a/x.js': 'x' })
    a.analyzeSync('source', tree.at('a/x.js'), ({ source }) => source, { onResult })
    expect(results).toMatchObject([{ isHit: false }])
  })

  test('rejects unknown options', () => {
    const { a } = filled()
    for (const options of [{ all: true }, { allProjects: 'yes' }, null]) {
      expect(errorOf(() => a.clear(options as never)).code).toBe('ERR_CACHE_OPTION')
    }
    expect(labels(a).length).toBe(4)
  })
})

describe('stats and explain', () => {
  test('count entries per project, without user-wide and portable ones', () => {
    const { tree, cache, a } = filled()
    const stats = { entryCount: 8, projects: { [tree.at('a')]: 2, [tree.at('b')]: 2 } }
    expect(a.stats()).toMatchObject(stats)
    expect(cache.stats().namespaces.tool).toMatchObject(stats)
  })

  test('name the other projects that have the key', () => {
    const { tree, a, b, user, cache } = filled()
    expect(a.explain('only b')).toMatchObject({
      isHit: false,
      reason: 'never-set',
      project: tree.at('a'),
      otherProjects: [tree.at('b')],
      message: expect.stringContaining(tree.at('b')),
    })
    expect(b.explain('only user')).toMatchObject({ reason: 'never-set', otherProjects: [null] })
    expect(user.explain('only a')).toMatchObject({ project: null, otherProjects: [tree.at('a')] })
    const c = cache.namespace('tool', { project: tree.at('c') })
    const { otherProjects, message } = c.explain('key')
    expect(new Set(otherProjects)).toEqual(new Set([tree.at('a'), tree.at('b'), null]))
    for (const project of otherProjects ?? []) expect(message).toContain(project ?? 'user')
    expect(c.explain('nothing')).not.toHaveProperty('otherProjects')
    expect(a.explain('key')).not.toHaveProperty('otherProjects')
  })
})
