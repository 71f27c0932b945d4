// The strategies: comparing sources by metadata, by content or by both.

import { statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { NamespaceOptions } from '../../src/index.js'
import { errorOf, openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'

const HOUR_MS = 3_600_000

function project() {
  const root = temporaryDirectory()
  const at = (name: string) => join(root, name)
  writeFileSync(at('a.js'), 'one')
  const open = (options: NamespaceOptions) => openAsAnotherProcess(at('cache')).cache.namespace('tool', options)
  return { at, open }
}

describe('a strategy', () => {
  function tree() {
    const { at, open } = project()
    const changeUnseen = () => {
      const { atime, mtime } = statSync(at('a.js'))
      writeFileSync(at('a.js'), 'two')
      utimesSync(at('a.js'), atime, mtime)
    }
    return { at, open, changeUnseen }
  }

  test("'metadata' treats a touched file as changed and never reads it", () => {
    const { at, open } = tree()
    const entries = open({ strategy: 'metadata' })
    entries.set('key', 1, { files: [at('a.js')] })
    expect(entries.get('key')).toBe(1)
    utimesSync(at('a.js'), 1, 1)
    expect(entries.explain('key')).toMatchObject({ isHit: false, reason: 'source-changed' })
    expect(open({ strategy: 'auto' }).get('key')).toBe(1)
  })

  test("'content' notices a change that leaves the whole stat the same", () => {
    const { at } = project()
    const stat = { ...statSync(at('a.js')) }
    // As after a change of the system's clock: all that a stat says is the same.
    const files = interceptedFiles(
      call => {
        const result = call.proceed()
        return call.name === 'stat' && call.path === at('a.js') && result
          ? { ...(result as object), mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs }
          : result
      },
      { now: () => Date.now() + HOUR_MS },
    )
    const { cache } = openAsAnotherProcess(at('cache'), {}, { files })
    const [auto, content] = (['auto', 'content'] as const).map(each => cache.namespace(each, { strategy: each }))
    for (const entries of [auto, content]) entries?.set('key', 1, { files: [at('a.js')] })
    writeFileSync(at('a.js'), 'two')
    expect([auto?.get('key'), content?.get('key')]).toEqual([1, undefined])
  })

  test("'auto' and 'content' keep the entry of a touched file", () => {
    const { at, open } = tree()
    for (const strategy of ['auto', 'content'] as const) {
      const entries = open({ strategy })
      entries.set('key', strategy, { files: [at('a.js')] })
      utimesSync(at('a.js'), 1, 1)
      expect(entries.get('key')).toBe(strategy)
    }
  })

  test('with an unknown name is rejected', () => {
    const { open } = tree()
    expect(errorOf(() => open({ strategy: 'mtime' as never })).code).toBe('ERR_CACHE_OPTION')
  })
})
