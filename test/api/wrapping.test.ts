// Wrapped functions: results are found by name, arguments, source text and declared inputs.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorOf, openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'

function project(files: Record<string, string> = {}) {
  const root = temporaryDirectory()
  const at = (name: string) => join(root, name)
  for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content)
  const open = () => {
    const { cache, warnings } = openAsAnotherProcess(at('cache'))
    return { entries: cache.namespace('tool'), warnings }
  }
  return { at, open, ...open() }
}

describe('a wrapped function', () => {
  test('is called once for equal arguments', async () => {
    const { entries, open } = project()
    const calls: unknown[][] = []
    function join(...args: unknown[]) {
      calls.push(args)
      return args.length
    }
    const wrapped = entries.wrap('join', join)
    const inOther = open().entries.wrapSync('join', join)
    expect(await wrapped('a', 1)).toBe(2)
    expect(await wrapped('a', 1)).toBe(2)
    expect(inOther('a', 1)).toBe(2)
    expect(calls).toEqual([['a', 1]])
  })

  test('has a separate result for each list of arguments', () => {
    const { entries } = project()
    const values = [
      [],
      [undefined],
      [null],
      ['null'],
      [0],
      [-0],
      ['0'],
      [Number.NaN],
      [[]],
      [{}],
      [{ a: 1 }],
      ['a', 'b'],
      ['a,b'],
      ['a","b'],
    ]
    const more = [...values, ['x'.repeat(300)], ['x'.repeat(301)], [{ text: 'x'.repeat(300) }], [new Map([[1, 2]])]]
    const calls: unknown[] = []
    const wrapped = entries.wrapSync('record', function record(...args: unknown[]) {
      return calls.push(args)
    })
    const results = more.map(args => wrapped(...args))
    expect(results).toEqual(more.map((_, index) => index + 1))
    expect(more.map(args => wrapped(...args))).toEqual(results)
  })

  test('is identified by its name, source text and inputs, and apart from ordinary keys', () => {
    const { entries } = project()
    const twice = (x: number) => 2 * x
    const thrice = (x: number) => 3 * x
    const wrapped = [
      entries.wrapSync('twice', twice),
      entries.wrapSync('twice', thrice),
      entries.wrapSync('other', twice),
      entries.wrapSync('twice', twice, { inputs: { factor: 2 } }),
    ]
    const results = () => wrapped.map(call => call(2))
    expect(results()).toEqual([4, 6, 4, 4])
    expect([...entries.keys()]).toEqual([])
    expect([...entries.entries()].map(({ key, origin }) => [key, origin]).sort()).toEqual([
      ['other(2)', 'wrap'],
      ['twice(2)', 'wrap'],
    ])
    expect(entries.stats()).toMatchObject({ setCount: 4, entryCount: 2, pastAnswerCount: 2 })
    expect(results()).toEqual([4, 6, 4, 4])
    expect(entries.stats()).toMatchObject({ setCount: 4, hitCount: 4 })
    entries.clear()
    expect(entries.stats()).toMatchObject({ entryCount: 0, pastAnswerCount: 0 })
  })

  test('is distinguished by inputs that describe its closure', () => {
    const { entries } = project()
    const multiplier = (factor: number) => (x: number) => factor * x
    const wrapped = [2, 3].map(factor => entries.wrapSync('times', multiplier(factor), { inputs: { factor } }))
    for (let i = 0; i < 2; i++) expect(wrapped.map(call => call(5))).toEqual([10, 15])
  })

  test('gets the `this` of its caller', async () => {
    const { entries } = project()
    function name(this: { name: string }) {
      return this.name
    }
    const sync = { name: 'sync', call: entries.wrapSync('one', name) as () => string }
    const later = { name: 'later', call: entries.wrap('two', name) as () => Promise<string> }
    expect([sync.call(), await later.call()]).toEqual(['sync', 'later'])
  })

  test('uses the files and the ttl of its options', () => {
    const { entries, at } = project({ a: '1' })
    const calls: string[] = []
    function read(path: string) {
      calls.push(path)
      return readFileSync(path, 'utf8')
    }
    const wrapped = entries.wrapSync('read', read, { files: path => [path], ttl: '1m' })
    for (const content of ['1', '22', '1']) {
      writeFileSync(at('a'), content)
      for (let i = 0; i < 2; i++) expect(wrapped(at('a'))).toBe(content)
    }
    expect(calls.length).toBe(2)
    expect([...entries.entries()]).toMatchObject([
      { key: `read("${at('a')}")`, mode: 'file', files: [at('a')], expiresAt: expect.any(Number) },
    ])
    const declared = entries.wrapSync('declared', () => readFileSync(at('a'), 'utf8'), { files: [at('a')] })
    expect(declared()).toBe('1')
    writeFileSync(at('a'), '2')
    expect(declared()).toBe('2')
  })

  test('is called each time with unstorable arguments, with one warning', async () => {
    const { entries, warnings } = project()
    const calls: unknown[] = []
    const wrapped = entries.wrapSync('call', (fn: () => number) => calls.push(1) && fn())
    expect([wrapped(() => 1), wrapped(() => 2)]).toEqual([1, 2])
    const later = entries.wrap('later', async (fn: () => number) => calls.push(1) && fn())
    expect(await Promise.all([later(() => 3), later(() => 4)])).toEqual([3, 4])
    expect(calls.length).toBe(4)
    expect([...entries.entries()]).toEqual([])
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_VALUE'])
  })

  test('can call itself with other arguments', async () => {
    const { entries, open } = project()
    const calls: number[] = []
    const factorialIn = (space: typeof entries) => {
      const factorial: (n: number) => number = space.wrapSync('factorial', (n: number): number => {
        calls.push(n)
        return n < 2 ? 1 : n * factorial(n - 1)
      })
      return factorial
    }
    expect(factorialIn(entries)(5)).toBe(120)
    expect(factorialIn(open().entries)(4)).toBe(24)
    expect(calls).toEqual([5, 4, 3, 2, 1])
  })

  test('rejects a missing name, a missing function and unknown options', () => {
    const { entries } = project()
    const fn = () => 1
    const mistakes = [
      () => entries.wrap('', fn),
      () => entries.wrap('a\0b', fn),
      () => entries.wrap(fn as never, fn),
      () => entries.wrap('name', 'text' as never),
      () => entries.wrap('name', fn, { key: fn } as never),
      () => entries.wrap('name', fn, { ttl: 'soon' }),
      () => entries.wrap('name', fn, { onResult: 5 as never }),
    ]
    for (const mistake of mistakes) expect(errorOf(mistake).code).toBe('ERR_CACHE_OPTION')
  })
})
