// getOrSet and getOrSetSync: one computation per key, stored with its sources as they were when it read them.

import { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ComputeContext, GetOrSetOptions, Namespace } from '../../src/index.js'
import { errorOf, openAsAnotherProcess, openIn, settle, temporaryDirectory } from '../support/caches.js'
import { interceptedFiles, systemError } from '../support/files.js'

function project(files: Record<string, string> = {}) {
  const root = temporaryDirectory()
  const at = (name: string) => join(root, name)
  for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content)
  const open = () => openAsAnotherProcess(at('cache')).cache.namespace('tool')
  return { at, open, entries: open() }
}

/** A function that counts its calls. */
function counted<T>(compute: (context: ComputeContext) => T) {
  const calls = { count: 0 }
  const call = (context: ComputeContext) => {
    calls.count++
    return compute(context)
  }
  return { call, calls }
}

function gate<T>() {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<T>((...both) => {
    ;[resolve, reject] = both
  })
  return { promise, resolve, reject }
}

/** Both forms, as one that gives a promise. */
const FORMS = [
  [
    'getOrSet',
    async (entries: Namespace, key: string, compute: (context: ComputeContext) => unknown, options?: GetOrSetOptions) =>
      entries.getOrSet(key, compute, options),
  ],
  [
    'getOrSetSync',
    async (entries: Namespace, key: string, compute: (context: ComputeContext) => unknown, options?: GetOrSetOptions) =>
      entries.getOrSetSync(key, compute, options),
  ],
] as const

describe.each(FORMS)('%s', (_form, getOrSet) => {
  test('does not store a result whose source could not be read', async () => {
    const { at } = project({ config: 'red' })
    let isBroken = true
    const files = interceptedFiles(call => {
      if (isBroken && call.path === at('config')) throw systemError('EACCES', call)
      return call.proceed()
    })
    const entries = openAsAnotherProcess(at('cache'), {}, { files }).cache.namespace('tool')
    const colour = (context: ComputeContext) => {
      try {
        return context.readFile(at('config'))
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'green' : 'none'
      }
    }
    expect(await getOrSet(entries, 'key', colour)).toBe('green')
    isBroken = false
    expect(await getOrSet(entries, 'key', colour)).toBe('red')
  })

  test('computes once and finds the value, in other processes too', async () => {
    const { entries, open } = project()
    const { call, calls } = counted(() => ({ a: [1] }))
    expect(await getOrSet(entries, 'key', call)).toEqual({ a: [1] })
    expect(await getOrSet(entries, 'key', call)).toEqual({ a: [1] })
    expect(await getOrSet(open(), 'key', call)).toEqual({ a: [1] })
    expect(calls.count).toBe(1)
    expect(entries.get('key')).toEqual({ a: [1] })
    expect([...entries.entries()]).toMatchObject([{ key: 'key', mode: 'manual', files: [] }])
  })

  test('counts a miss for each computation and a hit for each cached value', async () => {
    const { entries } = project()
    for (let i = 0; i < 3; i++) await getOrSet(entries, 'key', () => 1)
    expect(entries.stats()).toMatchObject({ hitCount: 2, missCount: 1, setCount: 1, missReasons: { 'never-set': 1 } })
  })

  test('records every file that was read as a source', async () => {
    const { entries, at } = project({ 'a.json': 'a', 'b.json': 'b' })
    const { call, calls } = counted(context => context.readFile(at('a.json')) + context.readBytes(at('b.json')).length)
    expect(await getOrSet(entries, 'key', call)).toBe('a1')
    expect(entries.find('key')).toMatchObject([{ mode: 'file', files: [at('a.json'), at('b.json')] }])
    writeFileSync(at('b.json'), 'bb')
    expect(await getOrSet(entries, 'key', call)).toBe('a2')
    writeFileSync(at('a.json'), 'A')
    expect(await getOrSet(entries, 'key', call)).toBe('A2')
    expect(calls.count).toBe(3)
  })

  test.each<[string, (context: ComputeContext, path: string) => void, (path: string) => void]>([
    [
      'a file added as a dependency',
      (context, path) => context.addDependency(join(path, 'a')),
      path => writeFileSync(join(path, 'a'), '2'),
    ],
    [
      'a directory added as a dependency',
      (context, path) => context.addDependency(path),
      path => writeFileSync(join(path, 'b'), ''),
    ],
    [
      'a directory that gained a file',
      (context, path) => context.readDirectory(path),
      path => writeFileSync(join(path, 'b'), ''),
    ],
    ['a directory that lost a file', (context, path) => context.readDirectory(path), path => rmSync(join(path, 'a'))],
    [
      'a directory that appeared',
      (context, path) => context.addDependency(join(path, 'd')),
      path => mkdirSync(join(path, 'd')),
    ],
    [
      'a missing file that appeared',
      (context, path) => context.exists(join(path, 'b')),
      path => writeFileSync(join(path, 'b'), ''),
    ],
    [
      'a file that was deleted',
      (context, path) => context.addDependency(join(path, 'a')),
      path => rmSync(join(path, 'a')),
    ],
  ])('computes again after a change of %s', async (_what, name, change) => {
    const { entries, at } = project()
    mkdirSync(at('tree'))
    writeFileSync(at('tree/a'), '1')
    settle(at('tree/a'))
    const { call, calls } = counted((context): number => {
      name(context, at('tree'))
      return calls.count
    })
    expect(await getOrSet(entries, 'key', call)).toBe(1)
    expect(await getOrSet(entries, 'key', call)).toBe(1)
    change(at('tree'))
    expect(await getOrSet(entries, 'key', call)).toBe(2)
  })

  test('records a missing file as a source when reading it throws', async () => {
    const { entries, at } = project()
    const { call, calls } = counted(context => {
      try {
        return context.readFile(at('config'))
      } catch (error) {
        return (error as NodeJS.ErrnoException).code
      }
    })
    expect(await getOrSet(entries, 'key', call)).toBe('ENOENT')
    expect(await getOrSet(entries, 'key', call)).toBe('ENOENT')
    expect(calls.count).toBe(1)
    writeFileSync(at('config'), 'x')
    expect(await getOrSet(entries, 'key', call)).toBe('x')
  })

  test('accepts ttl and files as options', async () => {
    const { entries, at } = project({ a: '1' })
    expect(await getOrSet(entries, 'ttl', () => 1, { ttl: 1000 })).toBe(1)
    expect(await getOrSet(entries, 'files', () => 1, { files: [at('a')] })).toBe(1)
    expect(entries.find('ttl')).toMatchObject([{ mode: 'ttl' }])
    expect(entries.find('files')).toMatchObject([{ mode: 'file', files: [at('a')] }])
    await expect(getOrSet(entries, 'other', () => 1, { ttl: -1 })).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    await expect(getOrSet(entries, 'other', 5 as never)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    await expect(getOrSet(entries, '', () => 1)).rejects.toMatchObject({ code: 'ERR_CACHE_KEY' })
    expect(entries.has('other')).toBe(false)
  })

  test.each<[string, (path: string) => void]>([
    ['to another size', path => writeFileSync(path, 'longer')],
    ['to the same size', path => writeFileSync(path, '2')],
    [
      'to the same size and mtime, within one clock tick',
      path => {
        const { atime, mtime } = statSync(path)
        writeFileSync(path, '2')
        utimesSync(path, atime, mtime)
      },
    ],
    [
      'by a rename over it',
      path => {
        writeFileSync(`${path}.new`, '2')
        renameSync(`${path}.new`, path)
      },
    ],
    ['by deletion', path => rmSync(path)],
  ])('returns the result but does not store it when a source changed %s meanwhile', async (_how, change) => {
    const { entries, at } = project({ a: '1' })
    const result = await getOrSet(entries, 'key', context => {
      const text = context.readFile(at('a'))
      change(at('a'))
      return text
    })
    expect(result).toBe('1')
    expect(entries.get('key')).toBe(undefined)
  })

  test('does not store a result that saw a source in two states, even if the first state is back', async () => {
    const { entries, at } = project({ a: '1' })
    const result = await getOrSet(entries, 'key', context => {
      const before = context.readFile(at('a'))
      writeFileSync(at('a'), '2')
      const after = context.readFile(at('a'))
      writeFileSync(at('a'), '1')
      return before + after
    })
    expect(result).toBe('12')
    expect(entries.explain('key')).toMatchObject({ isHit: false, reason: 'never-set' })
  })

  test('stores nothing and passes the error on when the computation throws', async () => {
    const { entries } = project()
    const error = new Error('broken')
    const compute = () => {
      throw error
    }
    await expect(getOrSet(entries, 'key', compute)).rejects.toBe(error)
    expect(entries.has('key')).toBe(false)
    expect(await getOrSet(entries, 'key', () => 1)).toBe(1)
  })

  test('returns undefined without storing it', async () => {
    const { entries } = project()
    const { call, calls } = counted(() => undefined)
    expect(await getOrSet(entries, 'key', call)).toBe(undefined)
    expect(await getOrSet(entries, 'key', call)).toBe(undefined)
    expect([calls.count, entries.has('key')]).toEqual([2, false])
  })

  test('returns an unstorable result as it is, with one warning per namespace', async () => {
    const { at } = project()
    const { cache, warnings } = openAsAnotherProcess(at('cache'))
    const entries = cache.namespace('tool')
    const result = { f: () => 1 }
    for (let i = 0; i < 2; i++) expect(await getOrSet(entries, 'key', () => result)).toBe(result)
    expect(entries.has('key')).toBe(false)
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_VALUE'])
    await getOrSet(cache.namespace('other'), 'key', () => result)
    expect(warnings.map(({ message }) => /namespace "(\w+)"/.exec(message)?.[1])).toEqual(['tool', 'other'])
  })

  test('rejects dependencies added after the computation has ended', async () => {
    const { entries, at } = project()
    let kept: ComputeContext | undefined
    await getOrSet(entries, 'key', context => {
      kept = context
      return 1
    })
    expect(errorOf(() => kept?.addDependency(at('a'))).code).toBe('ERR_CACHE_CLOSED')
  })

  test('rejects invalid paths', async () => {
    const { entries } = project({ a: '1' })
    const calls: ((context: ComputeContext, path: string) => unknown)[] = [
      (context, path) => context.readFile(path),
      (context, path) => context.readBytes(path),
      (context, path) => context.exists(path),
      (context, path) => context.readDirectory(path),
      (context, path) => context.addDependency(path),
      (context, path) => context.glob('*', { cwd: path }),
    ]
    for (const path of ['', 5, null, {}, new URL('https://example.org/a')]) {
      // For a look, an empty path is that of nothing.
      for (const call of path === '' ? calls.slice(-2) : calls) {
        const asked = getOrSet(entries, 'key', context => call(context, path as string))
        await expect(asked).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
      }
    }
    for (const patterns of ['', [''], 5, [5]]) {
      const asked = getOrSet(entries, 'key', context => context.glob(patterns as string[]))
      await expect(asked).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    }
    for (const name of [5, undefined] as unknown[]) {
      const asked = getOrSet(entries, 'key', context => context.env(name as string))
      await expect(asked).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    }
  })

  test('computes each time when the disk fails', async () => {
    const { at } = project({ a: '1' })
    const files = interceptedFiles(call => {
      if (call.path.startsWith(at('cache'))) throw systemError('EIO', call)
      return call.proceed()
    })
    const { cache, warnings } = openAsAnotherProcess(at('cache'), {}, { files })
    const { call, calls } = counted(() => 1)
    for (let i = 0; i < 2; i++) expect(await getOrSet(cache.namespace('tool'), 'key', call)).toBe(1)
    expect(calls.count).toBe(2)
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_ROOT'])
  })
})

test("getOrSetSync rejects a promise, even with classInstances: 'plain'", () => {
  const { at } = project()
  const entries = openIn(at('cache')).cache.namespace('tool', { classInstances: 'plain' })
  expect(errorOf(() => entries.getOrSetSync('key', () => Promise.resolve(1))).code).toBe('ERR_CACHE_OPTION')
  expect(entries.has('key')).toBe(false)
})

describe('concurrent callers of one key', () => {
  /** A computation that ends when it is told to. */
  function heldBack<T>() {
    const { promise, resolve, reject } = gate<T>()
    return { ...counted(() => promise), resolve, reject }
  }

  test('share one computation and get separate copies', async () => {
    const { at } = project()
    const one = openIn(at('cache')).cache.namespace('tool')
    const other = openIn(at('cache')).cache.namespace('tool')
    const { call, calls, resolve } = heldBack<{ list: number[] }>()
    const results = [one, other, one].map(entries => entries.getOrSet('key', call))
    resolve({ list: [1] })
    const [first, second, third] = await Promise.all(results)
    expect(calls.count).toBe(1)
    first?.list.push(2)
    expect([second, third]).toEqual([{ list: [1] }, { list: [1] }])
    expect(one.stats()).toMatchObject({ hitCount: 2, missCount: 1 })
  })

  test('all get a value that is already stored', async () => {
    const { entries } = project()
    entries.set('key', [1])
    const results = [1, 2, 3].map(() => entries.getOrSet('key', () => [2]))
    expect(await Promise.all(results)).toEqual([[1], [1], [1]])
  })

  test('get a value that another process has just set', () => {
    const { entries, open } = project()
    expect(entries.get('key')).toBe(undefined)
    open().set('key', 1)
    expect(entries.getOrSetSync('key', () => 2)).toBe(1)
  })

  test('all get the error, and the next call computes again', async () => {
    const { entries } = project()
    const { call, calls, reject } = heldBack()
    const results = Promise.allSettled([entries.getOrSet('key', call), entries.getOrSet('key', call)])
    const error = new Error('broken')
    reject(error)
    expect(await results).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ])
    expect(calls.count).toBe(1)
    expect(await entries.getOrSet('key', () => 2)).toBe(2)
  })

  test('do not share across versions and namespaces', async () => {
    const { at } = project()
    const { cache } = openIn(at('cache'))
    const spaces = [cache.namespace('tool'), cache.namespace('tool', { version: '2' }), cache.namespace('other')]
    const results = spaces.map((entries, index) => entries.getOrSet('key', async () => index))
    expect(await Promise.all(results)).toEqual([0, 1, 2])
  })

  test('compute again if a source changed before they called', async () => {
    const { entries, at } = project({ a: '1' })
    const { promise, resolve } = gate<void>()
    const { call, calls } = counted(async context => {
      const text = context.readFile(at('a'))
      if (calls.count === 1) await promise
      return text
    })
    const first = entries.getOrSet('key', call)
    writeFileSync(at('a'), '2')
    const second = entries.getOrSet('key', call)
    resolve()
    expect(await Promise.all([first, second])).toEqual(['1', '2'])
    expect(calls.count).toBe(2)
    expect(entries.get('key')).toBe('2')
  })

  test('can call for another key within a computation', async () => {
    const { entries } = project()
    const inner = () => entries.getOrSet('inner', async () => 1)
    const outer = () => entries.getOrSet('outer', async () => (await inner()) + 1)
    expect(await Promise.all([outer(), inner(), outer()])).toEqual([2, 1, 2])
  })

  test('can call getOrSetSync within a computation of the same key', async () => {
    const { entries } = project()
    const result = await entries.getOrSet('key', async () => entries.getOrSetSync('key', () => 1))
    expect(result).toBe(1)
  })
})
