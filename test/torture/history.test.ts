// The checker of histories must find every contradiction.

import { expect, test } from 'vitest'
import { type Act, contradiction } from './history.js'

const ns = (at: number) => BigInt(at)
const write = (process: string, value: string | undefined, start: number, end?: number): Act => ({
  kind: 'write',
  process,
  value,
  startNs: ns(start),
  endNs: end === undefined ? undefined : ns(end),
})
const read = (process: string, value: string | undefined, turn: number, start = turn, end = start + 1): Act => ({
  kind: 'read',
  process,
  value,
  turnNs: ns(turn),
  startNs: ns(start),
  endNs: ns(end),
})

const computed = (process: string, value: string, start: number, end: number): Act =>
  ({ ...write(process, value, start, end), isComputed: true }) as Act
const emptyDelete = (start: number, end: number): Act => ({ kind: 'empty delete', startNs: ns(start), endNs: ns(end) })

test.each<[string, Act[]]>([
  [
    'a miss of a computed value while another process deleted the key and found nothing',
    [computed('a', '1', 0, 4), emptyDelete(1, 2), read('b', undefined, 6)],
  ],
  ['a read of a value that was set', [write('a', '1', 0, 1), read('b', '1', 2)]],
  ['a miss before anything was set', [read('b', undefined, 0), write('a', '1', 2, 3)]],
  ['either of two sets at the same time', [write('a', '1', 0, 5), write('b', '2', 1, 4), read('c', '1', 6)]],
  [
    'an old value in a tick that began before the set',
    [write('a', '1', 0, 1), write('a', '2', 5, 6), read('b', '1', 4, 7)],
  ],
  ['a killed set that happened', [write('a', '1', 0, 1), write('a', '2', 2), read('b', '2', 9)]],
  ['a killed set that did not happen', [write('a', '1', 0, 1), write('a', '2', 2), read('b', '1', 9)]],
  ['a miss during a set, whatever was there', [write('a', '1', 0, 1), write('b', '2', 2, 9), read('c', undefined, 4)]],
  ['a miss after a delete', [write('a', '1', 0, 1), write('b', undefined, 2, 3), read('c', undefined, 4)]],
  [
    'a value that was set twice',
    [write('a', '1', 0, 1), write('a', '2', 2, 3), write('a', '1', 4, 5), read('b', '1', 6)],
  ],
])('%s is possible', (_what, acts) => {
  expect(contradiction(acts)).toBeUndefined()
})

test.each<[string, Act[]]>([
  ['a miss of a computed value without a delete', [computed('a', '1', 0, 4), read('b', undefined, 6)]],
  [
    'a miss of a value computed before a delete that found nothing',
    [computed('a', '1', 0, 4), emptyDelete(5, 6), read('b', undefined, 8)],
  ],
  [
    'a miss of a value set during a delete that found nothing',
    [write('a', '1', 0, 4), emptyDelete(1, 2), read('b', undefined, 6)],
  ],
  ['a value that was never set', [write('a', '1', 0, 1), read('b', '2', 2)]],
  ['a value from the future', [read('b', '1', 0, 0, 1), write('a', '1', 2, 3)]],
  ['a lost set', [write('a', '1', 0, 1), read('b', undefined, 2)]],
  [
    'a miss during a set that another one followed',
    [write('a', '1', 0, 5), write('b', '2', 6, 7), read('c', undefined, 8)],
  ],
  ['an old value', [write('a', '1', 0, 1), write('a', '2', 2, 3), read('b', '1', 4)]],
  ['an old value instead of an own one', [write('a', '1', 0, 1), write('b', '2', 5, 6), read('b', '1', 4, 7)]],
  ['a deleted value', [write('a', '1', 0, 1), write('a', undefined, 2, 3), read('b', '1', 4)]],
  [
    'a value that comes back',
    [write('a', '1', 0, 9), write('b', '2', 0, 9), ...[1, 2, 1].map((v, at) => read('c', `${v}`, 10 + 2 * at))],
  ],
  [
    'two processes that saw two sets in different orders',
    [
      write('a', '1', 0, 9),
      write('b', '2', 0, 9),
      ...['1', '2'].map((value, at) => read('c', value, 1 + 2 * at)),
      ...['2', '1'].map((value, at) => read('d', value, 1 + 2 * at)),
    ],
  ],
  [
    'a shared value that was replaced',
    [write('a', '1', 0, 1), write('b', '1', 0, 1), write('a', '2', 2, 3), read('c', '1', 4)],
  ],
])('%s is impossible', (_what, acts) => {
  expect(contradiction(acts)).toBeDefined()
})
