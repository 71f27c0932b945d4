// How set rejects values that can't be stored. test/encoding/ covers what exactly can be stored.

import { expect, test } from 'vitest'
import { errorOf, openIn, temporaryRoot } from '../support/caches.js'

class Point {
  x = 1
}
const cycle: Record<string, unknown> = { name: 'loop' }
cycle.self = { back: cycle }
const deep = () => {
  let value: unknown = 1
  for (let level = 0; level < 2000; level++) value = [value]
  return value
}

const REFUSED: [string, unknown, string][] = [
  ['a function', { body: [1, { visit: () => 1 }] }, '$.body[1].visit'],
  ['a symbol', [Symbol('s')], '$[0]'],
  ['an instance of a class', { 'a b': new Point() }, '$["a b"]'],
  ['a cycle', { tree: cycle }, '$.tree.self.back'],
  ['a Promise', { later: Promise.resolve(1) }, '$.later'],
  ['a WeakMap', { weak: new WeakMap() }, '$.weak'],
  ['a URL', { at: new URL('https://example.org') }, '$.at'],
  ['a hole in an array', { list: Object.assign([1], { 2: 3 }) }, '$.list[1]'],
  [
    'an accessor that throws',
    Object.defineProperty({}, 'bad', { enumerable: true, get: () => expect.fail('read') }),
    '$.bad',
  ],
  ['a bad value in a Map', new Map([['key', () => 1]]), '$.values()[0]'],
  ['a bad key in a Map', new Map([[() => 1, 'value']]), '$.keys()[0]'],
  ['a bad member of a Set', new Set([1, () => 1]), '$.values()[1]'],
  ['undefined', undefined, '$'],
]

test.each(REFUSED)('%s is rejected with its path, and the old entry stays', (_what, value, path) => {
  const entries = openIn(temporaryRoot()).cache.namespace('tool')
  entries.set('key', 'old')
  const error = errorOf(() => entries.set('key', value))
  expect(error.code).toBe('ERR_CACHE_VALUE')
  expect(error.message).toContain(`${path} `)
  expect(entries.get('key')).toBe('old')
  expect(entries.stats()).toMatchObject({ entryCount: 1, setCount: 1 })
})

test('too deep nesting is rejected, and the old entry stays', () => {
  const entries = openIn(temporaryRoot()).cache.namespace('tool')
  entries.set('key', 'old')
  expect(errorOf(() => entries.set('key', deep())).code).toBe('ERR_CACHE_VALUE')
  expect(entries.get('key')).toBe('old')
})

test('a rejected value creates no entry', () => {
  const entries = openIn(temporaryRoot()).cache.namespace('tool')
  expect(errorOf(() => entries.set('key', () => 1)).code).toBe('ERR_CACHE_VALUE')
  expect([entries.has('key'), [...entries.keys()]]).toEqual([false, []])
})

test('a cyclic namespace keeps cycles and shared references', () => {
  const dir = temporaryRoot()
  openIn(dir).cache.namespace('tool', { cyclic: true }).set('key', { tree: cycle, again: cycle })
  const { cache } = openIn(dir)
  const { tree, again } = cache.namespace('tool').get('key') as { tree: { self: { back: unknown } }; again: unknown }
  expect(again).toBe(tree)
  expect(tree.self.back).toBe(tree)
})

test("classInstances: 'plain' stores class instances as plain objects", () => {
  const entries = openIn(temporaryRoot()).cache.namespace('tool', { classInstances: 'plain' })
  entries.set('key', { point: new Point() })
  expect(entries.get('key')).toStrictEqual({ point: { x: 1 } })
})

test('values that JSON would lose are returned unchanged', () => {
  const entries = openIn(temporaryRoot()).cache.namespace('tool')
  const value = {
    date: new Date(1234.5),
    pattern: /a+/gi,
    map: new Map<unknown, unknown>([[1, new Set(['a'])]]),
    bytes: new Uint8Array([1, 2]),
    big: -(2n ** 80n),
    zero: -0,
    not: Number.NaN,
    lone: '\ud800',
    error: new TypeError('message'),
    nothing: undefined,
    ['__proto__']: 1,
  }
  entries.set('key', value)
  const back = entries.get<typeof value>('key')
  expect(back).toStrictEqual(value)
  expect(Object.is(back?.zero, -0)).toBe(true)
  expect(Object.hasOwn(back as object, '__proto__')).toBe(Object.hasOwn(value, '__proto__'))
})

test('an accessor that uses the cache while its value is being stored is safe', () => {
  const entries = openIn(temporaryRoot()).cache.namespace('tool')
  entries.set('inner', 'old')
  const value = {
    get a() {
      return entries.get('inner')
    },
    get b() {
      entries.delete('inner')
      return 'b'
    },
  }
  expect(entries.set('outer', value)).toBe(true)
  expect(entries.get('inner')).toBe(undefined)
  expect(entries.get('outer')).toMatchObject({ b: 'b' })
})

test('a get with little stack left is a miss, without a warning about damage', () => {
  const { cache, warnings } = openIn(temporaryRoot())
  const entries = cache.namespace('tool')
  let nested: unknown = 'core'
  for (let level = 0; level < 250; level++) nested = [nested]
  entries.set('nested', nested)
  const getAt = (depth: number): string => {
    if (depth > 0) return `${getAt(depth - 1)}`
    return entries.get('nested') === undefined ? 'miss' : 'hit'
  }
  const given = new Set<string>()
  for (let depth = 20_000; depth > 0 && !given.has('hit'); depth -= 5) {
    try {
      given.add(getAt(depth))
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError)
    }
  }
  expect([...given].sort()).toEqual(['hit', 'miss'])
  expect(warnings).toEqual([])
  expect(entries.get('nested')).toEqual(nested)
})
