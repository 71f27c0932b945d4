import { Tag } from 'cbor-x'
import { describe, expect, test } from 'vitest'
import { decodeValue } from '../../src/encoding/decode.js'
import { cyclic, hex, lenient, nested, Point, refusal, strict, there } from './codecs.js'

/** Before the first encode: afterwards cbor-x's own tags cannot be made any more. */
const tag = new Tag(1, 2)

class Sub extends Map {}
class SubError extends Error {}
class List extends Array {}
class Walks {
  *[Symbol.iterator]() {
    yield 1
  }
}
class Serial {
  toJSON() {
    return 1
  }
}
const loop: Record<string, unknown> = { a: { b: [] } }
;(loop as { a: { b: unknown[] } }).a.b.push({ up: loop })

const REFUSED: [name: string, value: unknown, message: string, codecs?: 'strict only'][] = [
  ['undefined', undefined, '$ is undefined'],
  ['a function', { body: [0, 1, 2, { loc: () => 1 }] }, '$.body[3].loc is a function'],
  ['a symbol', ['a', Symbol('s')], '$[1] is a symbol'],
  ['a symbol as a key', { a: { [Symbol('s')]: 1 } }, '$.a has a symbol as a key', 'strict only'],
  ['a key of a Map', { m: new Map([[1, 1], [() => 1, 1] as never]) }, '$.m.keys()[1] is a function'],
  ['a value of a Map', new Map([['a', { b: Symbol('s') }]]), '$.values()[0].b is a symbol'],
  ['a member of a Set', { 'a b': new Set([1, () => 1]) }, '$["a b"].values()[1] is a function'],
  ['below an odd key', { __proto: 1, '\ud800': [() => 1] }, '$["\\ud800"][0] is a function'],
  ['inside an error', Object.assign(new Error('m'), { fix: () => 1 }), '$.fix is a function'],
  ['a hole', { a: Object.assign([1], { 2: 3 }) }, '$.a[1] is a hole in a sparse array'],
  ['a very long hole', Object.assign([], { length: 2 ** 32 - 1 }), '$[0] is a hole in a sparse array'],
  ['a match', { m: /a/.exec('a') }, '$.m is an array with named properties'],
  ['a promise', [Promise.resolve(1)], '$[0] is an instance of Promise'],
  ['a WeakMap', [new WeakMap()], '$[0] is an instance of WeakMap'],
  ['a URL', { u: new URL('http://a') }, '$.u is an instance of URL'],
  ['an iterator', [[1].values()], '$[0] is an instance of'],
  ['a boxed string', [Object('a')], '$[0] is an instance of String'],
  ['a SharedArrayBuffer', [new SharedArrayBuffer(1)], '$[0] is an instance of SharedArrayBuffer'],
  ['a subclass of a builtin', [new Sub()], '$[0] is an instance of Sub'],
  ['a subclass of Error', [new SubError()], '$[0] is an instance of SubError'],
  ['a subclass of Array', [new List()], '$[0] is an instance of List'],
  ['a class with an iterator', [new Walks()], '$[0] is an instance of Walks'],
  ['a class with toJSON', [new Serial()], '$[0] is an instance of Serial'],
  ['an object that pretends to be a Map', { a: Object.create(Map.prototype) }, '$.a cannot be read'],
  ['an object that pretends to be an Error', [Object.create(Error.prototype)], '$[0] is an instance of Error'],
  ['a Map with properties', [Object.assign(new Map(), { a: 1 })], '$[0] is an instance of Map with added properties'],
  ['a class instance', [new Point()], '$[0] is an instance of Point', 'strict only'],
  ['a tag of cbor-x', [tag], '$[0] is an instance of Tag', 'strict only'],
  ['a revoked proxy', { a: revoked() }, '$.a cannot be read'],
]

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('rejected values, with their paths', () => {
  test.each(REFUSED)('%s', (_, value, message, only) => {
    for (const codec of only ? [strict] : [strict, lenient, cyclic]) {
      const error = refusal(value, codec)
      expect(error.message).toContain(`The value cannot be stored: ${message}`)
      expect(error.code).toBe('ERR_CACHE_VALUE')
    }
  })

  test('the error has the offending value and the cause', () => {
    const offender = () => 1
    expect(refusal({ a: [offender] }).value).toBe(offender)
    const cause = new Error('no')
    expect(
      refusal({
        get a() {
          throw cause
        },
      }).cause,
    ).toBe(cause)
  })

  test('an accessor that throws', () => {
    const value = {
      a: {
        get b() {
          throw new Error('no')
        },
      },
    }
    expect(refusal(value).message).toContain('$.a.b cannot be read: no')
    expect(refusal(value, cyclic).message).toContain('$.a cannot be read: no')
  })

  test('a cycle, unless the namespace is cyclic', () => {
    const message = '$.a.b[0].up refers back to $, and only a cyclic namespace stores cycles.'
    expect(refusal(loop).message).toContain(message)
    expect(refusal(loop, lenient).message).toContain(message)
    const error = new Error('m')
    error.cause = [error]
    expect(refusal({ x: error }).message).toContain('$.x.cause[0] refers back to $.x,')
  })

  test('in a cyclic value, the path of a value below a shared reference', () => {
    const shared = { list: [{ bad: () => 1 }] }
    const value = { m: new Map([[1, { first: shared }]]), again: shared }
    expect(refusal(value, cyclic).message).toContain('.bad is a function')
    expect(refusal({ one: { two: loop, x: [() => 1] } }, cyclic).message).toContain('$.one.x[0] is a function')
    expect(refusal({ a: loop, b: { c: shared, d: [shared] } }, cyclic).message).toContain('$.b.c.list[0].bad is')
  })
})

describe('depth', () => {
  const wraps: Record<string, (value: unknown, level: number) => unknown> = {
    arrays: value => [value],
    objects: value => ({ a: value }),
    'objects of many shapes': (value, level) => ({ [`k${level}`]: value }),
    maps: value => new Map([[1, value]]),
  }
  test.each(Object.entries(wraps))(
    '%s within 1,000 levels are decoded unchanged, deeper ones are rejected',
    (_, wrap) => {
      const bytes = there(nested(990, wrap))
      expect(hex(there(decodeValue(bytes)))).toBe(hex(bytes))
      expect(refusal(nested(1001, wrap)).message).toContain('is nested deeper than 1000 levels')
    },
  )

  test('a million levels are rejected by every codec', () => {
    const value = nested(1_000_000, item => ({ next: item }))
    for (const codec of [strict, lenient, cyclic])
      expect(refusal(value, codec).message).toMatch(/\$(\.next)+…\(976 more\)…(\.next)+ is nested deeper/)
  })

  /** Calls `visit` at many depths of the stack, down to its end. */
  function downTheStack(visit: () => void, level = 0): void {
    try {
      downTheStack(visit, level + 1)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
    if (level % 7 === 0) visit()
  }

  test('with little stack left, an encode throws the same error and the next one works', () => {
    const value = nested(900, item => ({ a: item, b: 'x'.repeat(100) }))
    const sound = { list: [1, 70_000, 'text', 2 ** 40, new Date(5), 3n], more: 'é'.repeat(5000) }
    const expected = hex(there(sound))
    let errors = 0
    downTheStack(() => {
      try {
        strict.encode(value)
      } catch (error) {
        // With no room left for even an error, the engine's own goes through.
        if (error instanceof RangeError) return
        expect(error).toMatchObject({ code: 'ERR_CACHE_VALUE' })
        errors++
      }
    })
    expect(errors).toBeGreaterThan(0)
    expect(hex(there(sound))).toBe(expected)
  })

  test('with little stack left, a decode throws and the next one works', () => {
    const bytes = there(nested(900, item => ({ a: item })))
    const small = there({ a: [1, { b: 2 }] })
    let errors = 0
    downTheStack(() => {
      try {
        decodeValue(bytes)
      } catch (error) {
        if (error instanceof RangeError) return
        expect(error).toMatchObject({ code: 'ERR_CACHE_CORRUPT' })
        errors++
      }
    })
    expect(errors).toBeGreaterThan(0)
    expect(decodeValue(small)).toEqual({ a: [1, { b: 2 }] })
  })
})
