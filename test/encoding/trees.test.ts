// Recorded and generated syntax trees are decoded unchanged, whatever a parser puts into them.

import { readFileSync } from 'node:fs'
import { parse } from '@babel/parser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeValue } from '../../src/encoding/decode.js'
import { createValueCodec } from '../../src/encoding/encode.js'
import { isSame } from './same.js'

const strict = createValueCodec({ cyclic: false, classInstances: 'refuse' })
const lenient = createValueCodec({ cyclic: false, classInstances: 'plain' })
const cyclic = createValueCodec({ cyclic: true, classInstances: 'plain' })

type Node = Record<string, unknown>

/** Gives each node its parent, as linters do. */
function withParents(root: Node): Node {
  const visit = (node: Node, parent: Node | null) => {
    for (const child of Object.values(node).flat())
      if (typeof child === 'object' && child !== null) visit(child as Node, node)
    node.parent = parent
  }
  visit(root, null)
  return root
}

const recorded = (name: string) => readFileSync(new URL(`../../fixtures/trees/${name}.json`, import.meta.url), 'utf8')

describe.each(['acorn', 'mdast'])('the recorded tree of %s', name => {
  const text = recorded(name)

  test('is decoded unchanged, and much smaller than its JSON', () => {
    for (const codec of [strict, lenient, cyclic]) {
      const bytes = Buffer.from(codec.encode(JSON.parse(text)))
      expect(bytes[0]).toBe(2)
      expect(JSON.stringify(decodeValue(bytes))).toBe(text.trim())
      expect(bytes.length).toBeLessThan(text.length / (name === 'acorn' ? 6 : 2.5))
    }
  })

  test('is decoded unchanged with parent links', () => {
    const tree = withParents(JSON.parse(text))
    const bytes = Buffer.from(cyclic.encode(tree))
    expect(bytes[0]).toBe(3)
    expect(isSame(tree, decodeValue(bytes), true)).toBe(true)
    expect(() => strict.encode(tree)).toThrow(/ refers back to \$/)
  })
})

test('a tree of @babel/parser is decoded as plain objects', () => {
  const source = readFileSync(new URL('../../src/encoding/record-reader.ts', import.meta.url), 'utf8')
  const tree = parse(source, { sourceType: 'module', plugins: ['typescript'] })
  const bytes = Buffer.from(lenient.encode(tree))
  expect(decodeValue(bytes)).toEqual(JSON.parse(JSON.stringify(tree)))
  expect(bytes.length).toBeLessThan(JSON.stringify(tree).length / 8)
})

class Token {
  type = 'token'
  value: unknown = null
}

const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    false,
    -0,
    Number.NaN,
    0.5,
    2n ** 70n,
    -1n,
    'a',
    '\ud800',
    '__proto__',
  ),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.constantFrom('x', 'é').map(unit => unit.repeat(1500)),
  fc.constantFrom(/a/, /b/g).map(regexp => Object.assign(new RegExp(regexp), { lastIndex: 3 })),
)
const keys = fc.constantFrom('type', 'start', 'end', 'loc', 'value', 'raw', 'name', 'body', 'toString', '0')
const { node } = fc.letrec(tie => ({
  node: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('node'), { maxLength: 18 }),
    fc.record({ type: fc.constantFrom('A', 'B'), start: fc.nat(300), end: fc.nat(70_000), body: tie('node') }),
    fc.record({ type: fc.constantFrom('A', 'B'), loc: tie('node'), value: leaf }, { requiredKeys: ['type'] }),
    fc.dictionary(keys, tie('node'), { maxKeys: 6 }),
  ),
}))
/** So many of these that they aren't stored as JSON. */
const tree = fc
  .array(node, { minLength: 70, maxLength: 90 })
  .map(body => ({ type: 'Root', body, rest: body.map(() => []) }))

test('generated trees are decoded unchanged, and have the same bytes in plain and cyclic namespaces', () => {
  fc.assert(
    fc.property(tree, value => {
      const bytes = Buffer.from(strict.encode(value))
      expect(bytes[0]).toBe(2)
      expect(bytes.equals(Buffer.from(cyclic.encode(value)))).toBe(true)
      return isSame(value, decodeValue(bytes)) && bytes.equals(Buffer.from(strict.encode(decodeValue(bytes))))
    }),
    { numRuns: 150 },
  )
})

test('generated trees keep their shared references', () => {
  const links = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(tree, links, (value, list) => {
      const objects: object[] = []
      const visit = (item: unknown) => {
        if (typeof item !== 'object' || item === null || item instanceof RegExp) return
        objects.push(item)
        Object.values(item).forEach(visit)
      }
      visit(value)
      for (const [from, to] of list) {
        const [source, target] = [objects[from % objects.length], objects[to % objects.length]]
        if (Array.isArray(source)) source.push(target)
        else (source as Node).parent = target
      }
      const bytes = Buffer.from(cyclic.encode(value))
      return bytes[0] === 3 && isSame(value, decodeValue(bytes), true)
    }),
    { numRuns: 150 },
  )
})

test('class instances have the bytes of equal plain objects', () => {
  const instances = Array.from({ length: 100 }, (_, i) => Object.assign(new Token(), { value: i }))
  const bytes = Buffer.from(lenient.encode(instances))
  expect(bytes[0]).toBe(2)
  expect(bytes.equals(Buffer.from(strict.encode(instances.map(each => ({ ...each })))))).toBe(true)
  expect(() => strict.encode(instances)).toThrow('$[0] is an instance of Token')
})

test('hidden properties or accessors of instances are never lost silently', () => {
  class Hidden {
    shown = 1
    constructor() {
      Object.defineProperty(this, 'original', { value: 'text' })
    }
  }
  class Private {
    #text = 'text'
    get text() {
      return this.#text
    }
  }
  class Below extends Private {}
  class Empty {}
  const many = Array.from({ length: 300 }, () => ({ shown: 1 }))
  for (const first of [[], many, new Map()]) {
    expect(() => lenient.encode([first, new Hidden()])).toThrow(
      '$[1] is an instance of Hidden with properties that are not enumerable',
    )
    for (const instance of [new Private(), new Below()])
      expect(() => lenient.encode([first, instance])).toThrow(/\$\[1\] is an instance of (Private|Below) which shows/)
    expect(decodeValue(Buffer.from(lenient.encode([first, new Empty()])))).toEqual([first, {}])
  }
})
