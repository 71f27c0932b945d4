// A key that is set or removed during its computation: earlier callers get the result, and it is not stored.

import { describe, expect, test } from 'vitest'
import type { Namespace } from '../../src/index.js'
import { openAsAnotherProcess, openIn, temporaryRoot } from '../support/caches.js'

type Change = [string, (entries: Namespace, key: string) => unknown, unknown]

/** What is done, and what a get then gives. */
const CHANGES: Change[] = [
  ['set', (entries, key) => entries.set(key, 'set'), 'set'],
  ['setMany', (entries, key) => entries.setMany([{ key, value: 'set' }]), 'set'],
  ['delete', (entries, key) => entries.delete(key), undefined],
  ['invalidate', (entries, key) => entries.invalidate(key), undefined],
  ['clear', entries => entries.clear(), undefined],
]
const HANDLES = ['the same handle', 'another handle', 'another process'] as const
const BEFORE = ['is there', 'is not there', 'was removed'] as const

const cases = CHANGES.flatMap(change => HANDLES.flatMap(by => BEFORE.map(before => [change, by, before] as const)))

describe.each(cases)('%s by %s of a key that %s', (change, by, before) => {
  const [, does, found] = change as Change
  function opened() {
    const dir = temporaryRoot()
    const entries = openIn(dir).cache.namespace('tool')
    const cache = by === 'another process' ? openAsAnotherProcess(dir).cache : openIn(dir).cache
    const other = by === 'the same handle' ? entries : cache.namespace('tool')
    if (before !== 'is not there') entries.getOrSetSync('key', () => 'old', { inputs: 'others' })
    if (before === 'was removed') entries.delete('key')
    return { entries, other }
  }
  const expectComputedAnew = async (entries: Namespace) => {
    if (found !== undefined) entries.delete('key')
    expect(await entries.getOrSet('key', () => 'anew')).toBe('anew')
  }

  test('during a synchronous computation, the result is returned and not stored', async () => {
    const { entries, other } = opened()
    const value = entries.getOrSetSync('key', () => {
      does(other, 'key')
      return 'result'
    })
    expect([value, entries.get('key')]).toEqual(['result', found])
    await expectComputedAnew(other)
  })

  test('during an asynchronous computation, earlier callers get the result and later ones do not', async () => {
    const { entries, other } = opened()
    let finish: (value: string) => void = () => undefined
    const gate = new Promise<string>(resolve => {
      finish = resolve
    })
    const early = [entries.getOrSet('key', () => gate), entries.getOrSet('key', () => 'not called')]
    does(other, 'key')
    const late = entries.getOrSet('key', () => 'late')
    finish('result')
    expect(await Promise.all(early)).toEqual(['result', 'result'])
    expect(await late).toBe(found ?? 'late')
    expect(entries.get('key')).toBe(found ?? 'late')
    if (found === undefined) other.delete('key')
    await expectComputedAnew(other)
  })
})

test.each(['getOrSet', 'getOrSetSync'] as const)(
  '%s returns what another process stores right after the lookup',
  async form => {
    const dir = temporaryRoot()
    const other = openAsAnotherProcess(dir).cache.namespace('tool')
    other.set('key', 'old')
    // Called on what the look has found, before anything is computed.
    const validate = (value: unknown) => {
      if (value === 'old') other.set('key', 'new')
      return value !== 'old'
    }
    const entries = openIn(dir).cache.namespace('tool', { validate })
    expect(await entries[form]('key', () => expect.fail('computed'))).toBe('new')
  },
)
