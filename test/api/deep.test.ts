// Recursion: cached calls use more of the stack than plain ones.

import { expect, test } from 'vitest'
import { Tree } from '../support/projects.js'

function opened() {
  const tree = new Tree({ 'p/package.json': '' })
  return tree.opened({ project: tree.at('p') })
}

test('hundreds of nested calls of a wrapped function give the same results as without a cache', async () => {
  const { entries, warnings } = opened()
  const sync = entries.wrapSync('sync', (depth: number): number => (depth === 0 ? 0 : 1 + sync(depth - 1)))
  expect(sync(1000)).toBe(1000)
  const async = entries.wrap(
    'async',
    async (depth: number): Promise<number> => (depth === 0 ? 0 : 1 + (await async(depth - 1))),
  )
  expect(await async(700)).toBe(700)
  const nested = (depth: number): number =>
    entries.getOrSetSync(`nested ${depth}`, () => (depth === 0 ? 0 : 1 + nested(depth - 1)))
  expect(nested(900)).toBe(900)
  expect(warnings).toEqual([])
})

test('200 nested calls are cached', () => {
  const { entries } = opened()
  let count = 0
  const wrapped = entries.wrapSync('wrapped', (depth: number): number => {
    count++
    return depth === 0 ? 0 : 1 + wrapped(depth - 1)
  })
  expect([wrapped(200), count, wrapped(200), count]).toEqual([200, 201, 200, 201])
})

test('endless recursion overflows the stack as it does without a cache, and later calls work', async () => {
  const { entries, warnings } = opened()
  const endless = (): number => 1 + endless()
  expect(() => entries.getOrSetSync('key', endless)).toThrow(RangeError)
  await expect(entries.getOrSet('key', async () => endless())).rejects.toThrow(RangeError)
  expect(entries.getOrSetSync('key', () => 2)).toBe(2)
  expect(entries.get('key')).toBe(2)
  expect(warnings).toEqual([])
})
