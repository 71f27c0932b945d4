// Which results match a call: declared inputs and files must be equal, and the smaller ttl of stored entry and call applies.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Namespace } from '../../src/index.js'
import { openAsAnotherProcess } from '../support/caches.js'
import { answers, Tree } from '../support/projects.js'

function project() {
  const tree = new Tree({ 'package.json': '{}', one: '1', two: '2' })
  const clock = { nowMs: 1_800_000_000_000 }
  const { cache } = openAsAnotherProcess(tree.at('cache'), { clock: () => clock.nowMs })
  return { tree, clock, entries: cache.namespace('tool', { project: tree.root }) }
}

const FORMS: [
  string,
  (entries: Namespace, options: { inputs?: unknown; files?: string[] }, value: string) => unknown,
][] = [
  ['getOrSet', (entries, options, value) => entries.getOrSet('key', () => value, options)],
  ['getOrSetSync', (entries, options, value) => entries.getOrSetSync('key', () => value, options)],
  ['wrap', (entries, options, value) => entries.wrap('key', () => value, options as object)()],
  ['wrapSync', (entries, options, value) => entries.wrapSync('key', () => value, options as object)()],
  ['analyze', (entries, { inputs }, value) => entries.analyze('key', 'one', () => value, { inputs })],
  ['analyzeSync', (entries, { inputs }, value) => entries.analyzeSync('key', 'one', () => value, { inputs })],
]

describe.each(FORMS)('%s', (_form, ask) => {
  const inTree = async (inputs: readonly unknown[]) => {
    const { tree, entries } = project()
    const before = process.cwd()
    process.chdir(tree.root)
    try {
      const first = []
      const again = []
      for (const [i, each] of inputs.entries()) first.push(await ask(entries, { inputs: each }, `answer ${i}`))
      for (const each of inputs) again.push(await ask(entries, { inputs: each }, 'computed again'))
      return { first, again }
    } finally {
      process.chdir(before)
    }
  }

  test('keeps one result for each value of the declared inputs', async () => {
    const inputs = [
      undefined,
      null,
      0,
      '',
      1,
      1n,
      { a: 1 },
      { a: 2 },
      { a: 1, b: undefined },
      [1, 2],
      ['1', '2'],
      new Date(0),
    ]
    const { first, again } = await inTree(inputs)
    expect(first).toEqual(inputs.map((_, i) => `answer ${i}`))
    expect(again).toEqual(first)
  })

  test('has one result for equal inputs', async () => {
    const { first } = await inTree([
      { a: [1], b: 'x' },
      { a: [1], b: 'x' },
    ])
    expect(first).toEqual(['answer 0', 'answer 0'])
  })
})

test.each(FORMS.filter(([form]) => !form.startsWith('analyze')))(
  '%s keeps one result for each list of declared files',
  async (_form, ask) => {
    const { tree, entries } = project()
    const names = [['one'], ['two'], ['one', 'two'], ['two', 'one'], [], ['onetwo'], ['one3 two']]
    const lists = names.map(each => each.map(name => tree.at(name)))
    const first = []
    for (const [i, files] of lists.entries()) first.push(await ask(entries, { files }, `answer ${i}`))
    expect(first).toEqual(lists.map((_, i) => `answer ${i}`))
    const again = []
    for (const files of lists) again.push(await ask(entries, { files }, 'computed again'))
    expect(again).toEqual(first)
    tree.write({ two: 'changed' })
    const changed = []
    for (const files of lists) changed.push(await ask(entries, { files }, 'computed again'))
    const expected = first.map((answer, i) => (names[i]?.includes('two') ? 'computed again' : answer))
    expect(changed).toEqual(expected)
  },
)

test('a miss because of other inputs is reported as question-changed', () => {
  const { entries } = project()
  entries.getOrSetSync('key', () => 1, { inputs: 1 })
  const { onResult, results } = answers()
  entries.getOrSetSync('key', () => 2, { inputs: 2, onResult })
  expect(results).toMatchObject([{ isHit: false, reason: 'question-changed' }])
  expect(entries.stats().missReasons).toMatchObject({ 'question-changed': 1 })
})

test.each([
  ['asked', '1h', 1_000],
  ['stored', 1_000, '1h'],
  ['of the call, if the entry has none', undefined, 1_000],
  ['of the entry, if the call has none', 1_000, undefined],
])('the smaller ttl applies: the one %s', (_which, stored, asked) => {
  const { clock, entries } = project()
  const ask = (ttl: number | string | undefined, value: string) =>
    entries.getOrSetSync('key', () => value, ttl === undefined ? {} : { ttl })
  ask(stored, 'old')
  clock.nowMs += 999
  expect(ask(asked, 'new')).toBe('old')
  clock.nowMs += 1
  expect(ask(asked, 'new')).toBe('new')
})

test('a result expires no later than the results it was computed from', () => {
  const { tree, clock, entries } = project()
  const inner = () => entries.getOrSetSync('inner', () => clock.nowMs, { ttl: 1_000 })
  const outer = () => entries.getOrSetSync('outer', () => inner(), { ttl: '1h' })
  const outermost = () => entries.analyzeSync('outermost', join(tree.root, 'one'), () => outer())
  const first = clock.nowMs
  expect([outermost(), outer()]).toEqual([first, first])
  clock.nowMs += 999
  expect([outermost(), outer()]).toEqual([first, first])
  clock.nowMs += 1
  expect([outermost(), outer()]).toEqual([clock.nowMs, clock.nowMs])
})
