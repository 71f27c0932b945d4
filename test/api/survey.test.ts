import { describe, expect, test } from 'vitest'
import type { EntrySummary } from '../../src/index.js'
import { openIn, temporaryRoot } from '../support/caches.js'

describe('stats({ onEntry })', () => {
  test('passes each entry of all namespaces, projects and versions once', () => {
    const { cache } = openIn(temporaryRoot(), { clock: () => 1_767_225_600_000 })
    cache.namespace('one', { project: '/nowhere/a', version: '1' }).set('key', 'abc')
    cache.namespace('one', { project: false, version: '2' }).set('key', 'abcd', { ttl: 1000 })
    cache.namespace('two', { project: '/nowhere/b' }).getOrSetSync('computed', () => 'x'.repeat(20))
    cache.namespace('two', { project: '/nowhere/b', portable: true }).wrapSync('call', () => 'y'.repeat(30))()
    const entries: EntrySummary[] = []
    cache.stats({ onEntry: entry => entries.push(entry) })
    const shown = entries.map(({ createdAt, usedAt, ...rest }) => rest).sort((a, b) => a.sizeBytes - b.sizeBytes)
    const common = { version: '', isPortable: false, isPastAnswer: false, mode: 'manual', computeMs: null }
    expect(shown).toMatchObject([
      { ...common, namespace: 'one', key: 'key', version: '1', project: '/nowhere/a', sizeBytes: 6 },
      { ...common, namespace: 'one', key: 'key', version: '2', project: null, mode: 'ttl', sizeBytes: 7 },
      { ...common, namespace: 'two', key: 'computed', project: '/nowhere/b', computeMs: expect.any(Number) },
      { namespace: 'two', key: 'call()', computeMs: expect.any(Number) },
    ])
    expect(new Set(entries.map(({ createdAt, usedAt }) => createdAt - usedAt))).toEqual(new Set([0]))
  })

  test('throws what the callback throws, without a warning', () => {
    const { cache, warnings } = openIn(temporaryRoot())
    cache.namespace('tool').set('key', 1)
    const fail = () => {
      throw new Error('of the caller')
    }
    expect(() => cache.stats({ onEntry: fail })).toThrow('of the caller')
    expect(warnings).toEqual([])
    expect(() => cache.stats({ onEntry: 1 as never })).toThrow('onEntry must be a function')
  })
})

describe('the bytes that namespaces share', () => {
  test('are listed for each group of namespaces, the largest first', () => {
    const { cache } = openIn(temporaryRoot())
    const values: Record<string, string[]> = {
      [`a${'x'.repeat(99)}`]: ['one', 'two'],
      [`b${'x'.repeat(299)}`]: ['one', 'two', 'three'],
      [`c${'x'.repeat(49)}`]: ['two', 'one'],
      [`d${'x'.repeat(999)}`]: ['three'],
    }
    for (const [value, names] of Object.entries(values)) {
      for (const name of names) {
        cache.namespace(name).set(value.slice(0, 1), value)
        // Again under another key: a namespace doesn't share with itself.
        cache.namespace(name).set(`${value.slice(0, 1)} again`, value)
      }
    }
    const { sharing, savedBytes, namespaces } = cache.stats()
    expect(sharing).toEqual([
      { namespaces: ['one', 'three', 'two'], bytes: 303 },
      { namespaces: ['one', 'two'], bytes: 103 + 53 },
    ])
    expect(savedBytes).toBe(103 * 3 + 303 * 5 + 53 * 3 + 1003)
    expect(namespaces.three?.savedBytes).toBe(303 * 2 - 101 + 1003)
  })

  test('are empty if nothing is shared', () => {
    const { cache } = openIn(temporaryRoot())
    cache.namespace('one').set('key', 'a')
    cache.namespace('two').set('key', 'b')
    expect(cache.stats().sharing).toEqual([])
  })
})
