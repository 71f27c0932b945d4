// A small store in which keys were replaced, deleted and cleared. Its manifests are cut at every length and altered at every
// byte. Replaced values never come back.

import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CacheHandle } from '../../src/cache/cache.js'
import type { Cache } from '../../src/index.js'

/** By chance a process looks after the store at its first set, which makes another file: not this one. */
const open = (dir: string): Cache => new CacheHandle({ dir, onWarning: () => undefined }, { random: () => 0.5 })

describe('a store whose entries were replaced, deleted and cleared', () => {
  const LATEST: Record<string, unknown> = { replaced: 'second', deleted: undefined, last: 'last' }
  const CLEARED: Record<string, unknown> = { before: undefined, after: 'after' }
  const NAMESPACES = [
    ['one', LATEST],
    ['two', CLEARED],
    ['three', CLEARED],
  ] as const
  const EARLIER: Record<string, unknown> = { replaced: 'first', deleted: 'removed later', before: 'cleared later' }
  // A clear of all projects leaves its bucket's successor.
  const manifests = ['one/manifest/_.0', 'two/manifest/_.1', 'three/manifest/_.0'].map(path =>
    join('v2', 'namespaces', ...path.split('/')),
  )
  let directory: string
  let template: string
  let work: string

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
    template = join(directory, 'template')
    work = join(directory, 'work')
    const cache = open(template)
    const entries = cache.namespace('one')
    entries.set('replaced', 'first')
    entries.set('deleted', 'removed later')
    entries.set('replaced', 'second')
    entries.delete('deleted')
    entries.set('last', 'last')
    for (const allProjects of [true, false]) {
      const cleared = cache.namespace(allProjects ? 'two' : 'three')
      cleared.set('before', 'cleared later')
      cleared.clear({ allProjects })
      cleared.set('after', 'after')
      cleared.set('before', 'cleared later')
      cleared.delete('before')
    }
    cache.close()
  })
  afterAll(() => rmSync(directory, { recursive: true }))
  beforeEach(() => cpSync(template, work, { recursive: true }))
  afterEach(() => rmSync(work, { recursive: true, force: true }))

  function outdated(): string[] {
    const cache = open(work)
    const wrong: string[] = []
    for (const [name, values] of NAMESPACES) {
      for (const [key, value] of Object.entries(values)) {
        const actual = cache.namespace(name).get(key)
        if (actual === undefined || actual === value) continue
        expect(actual).toBe(EARLIER[key])
        wrong.push(`${key} = ${String(actual)}`)
      }
    }
    cache.close()
    return wrong
  }

  test.each(manifests)('never returns an outdated value when a byte of %s is altered', file => {
    const bytes = readFileSync(join(template, file))
    const wrong = new Map<string, number[]>()
    for (let at = 0; at < bytes.length; at++) {
      const altered = Buffer.from(bytes)
      altered[at] = (altered[at] as number) ^ 0xff
      writeFileSync(join(work, file), altered)
      for (const each of outdated()) wrong.set(each, [...(wrong.get(each) ?? []), at])
    }
    expect(Object.fromEntries(wrong)).toEqual({})
  })

  // Cut off, a log is byte for byte the log of an earlier moment: its values may be those of then, and nothing else.
  test.each(manifests)('returns values of one earlier moment when %s is cut', file => {
    const { length } = readFileSync(join(template, file))
    for (let cut = 0; cut < length; cut++) {
      cpSync(join(template, file), join(work, file))
      truncateSync(join(work, file), cut)
      outdated()
    }
  })

  test('keeps its values when a file is moved away and back between two opens', () => {
    for (const file of manifests) {
      renameSync(join(work, file), join(work, `${file}.away`))
      expect(outdated()).toEqual([])
      rmSync(join(work, file), { force: true })
      renameSync(join(work, `${file}.away`), join(work, file))
    }
    const cache = open(work)
    expect(cache.namespace('one').get('replaced')).toBe('second')
    cache.close()
  })
})
