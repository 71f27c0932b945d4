// delete and clear.

import { pathToFileURL } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { openCacheSync } from '../../src/index.js'
import { filesBelow } from '../support/caches.js'
import { cli, filled, jsonLines, temporaryDir } from './harness.js'

/** The project of the tests' working directory. */
const project = process.cwd()

describe('delete', () => {
  const versions = (cache: { namespace: ReturnType<typeof openCacheSync>['namespace'] }) => {
    for (const version of ['', '1', '2']) cache.namespace('ns', { version }).set('key', version)
  }

  test('removes all versions', async () => {
    const dir = temporaryDir()
    await filled(dir, versions)
    expect(await cli(['delete', 'ns', 'key', '--dir', dir])).toEqual({
      code: 0,
      out: `Deleted 3 entries (project ${project}); the next gc frees up to 11 B\n`,
      err: '',
    })
    expect((await cli(['list', '--dir', dir])).out).toBe('No entries\n')
  })

  test('removes one version', async () => {
    const dir = temporaryDir()
    await filled(dir, versions)
    const result = await cli(['delete', 'ns', 'key', '--plugin-version', '1', '--dir', dir, '--json'])
    expect(result).toEqual({ code: 0, out: `{"deleted":1,"project":${JSON.stringify(project)}}\n`, err: '' })
    const left = jsonLines((await cli(['list', '--dir', dir, '--json'])).out)
    expect(left.map(entry => entry.version).sort()).toEqual(['', '2'])
  })

  test.each([
    ['the project', {}, []],
    ['all checkouts', { portable: true }, []],
    ['the user', { project: false }, ['--user-wide']],
    ['the user, without --user-wide', { project: false }, []],
    ['a version', { version: '3' }, ['--plugin-version', '3']],
    ['a version that has entries', { version: '2' }, []],
  ] as const)('of a key of %s keeps a running computation from being stored', async (_whose, mine, args) => {
    const dir = temporaryDir()
    await filled(dir, cache => cache.namespace('ns', { version: '2' }).set('other', 1))
    const cache = openCacheSync({ dir })
    const entries = cache.namespace('ns', mine)
    let finish: (value: string) => void = () => undefined
    const computed = new Promise<string>(resolve => {
      finish = resolve
    })
    const value = entries.getOrSet('key', () => computed)
    const { code, err } = await cli(['delete', 'ns', 'key', '--dir', dir, ...args])
    expect([code, err]).toEqual([1, 'Nothing to delete: key in ns\n'])
    finish('computed')
    expect([await value, entries.get('key')]).toEqual(['computed', undefined])
    cache.close()
  })

  test('of an unknown key creates no namespace', async () => {
    const dir = temporaryDir()
    await filled(dir, two => two.namespace('ns').set('other', 1))
    // Where another machine may have an answer, a removal is recorded.
    vi.stubEnv('WICKED_CACHE_REMOTE', pathToFileURL(temporaryDir()).href)
    vi.stubEnv('WICKED_CACHE_REMOTE_TRUST', 'store')
    expect((await cli(['delete', 'typo', 'key', '--dir', dir])).code).toBe(1)
    vi.unstubAllEnvs()
    expect(filesBelow(dir).filter(file => file.includes('typo'))).toEqual([])
  })

  test('of an unknown key exits with 1', async () => {
    const dir = temporaryDir()
    expect(await cli(['delete', 'ns', 'key', '--dir', dir, '--json'])).toEqual({
      code: 1,
      out: '{"deleted":0}\n',
      err: 'Nothing to delete: key in ns\n',
    })
  })
})

describe('clear', () => {
  test('shows progress if it takes long, on a terminal only', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => {
      for (const name of ['one', 'two']) cache.namespace(name).set('key', name)
    })
    let nowMs = Date.now()
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
      nowMs += 400
      return nowMs
    })
    try {
      expect((await cli(['clear', 'one', '--dir', dir])).err).toBe('')
      const { out, err } = await cli(['clear', '--all', '--dir', dir], { isTerminal: true })
      expect(out).toContain('Cleared 1 entry of 2 namespaces')
      const frames = err.split('\r\u001b[K').slice(1)
      const shares = frames
        .flatMap(frame => /\] +(\d+) % (Reading|Removing) entries/.exec(frame)?.[1] ?? [])
        .map(Number)
      expect(shares.length).toBeGreaterThan(2)
      expect(shares).toEqual([...shares].sort((a, b) => a - b))
      expect(shares.at(-1)).toBeGreaterThan(50)
      // The line is empty in the end.
      expect(frames.at(-1)).toBe('')
    } finally {
      clock.mockRestore()
    }
  })

  const two = (cache: { namespace: ReturnType<typeof openCacheSync>['namespace'] }) => {
    for (const key of ['a', 'b']) cache.namespace('one').set(key, 1)
    cache.namespace('two', { version: '1' }).set('a', 1)
  }

  test('removes the entries of one namespace', async () => {
    const dir = temporaryDir()
    await filled(dir, two)
    expect(await cli(['clear', 'one', '--dir', dir])).toEqual({
      code: 0,
      out: `Cleared 2 entries of one (project ${project}); the next gc frees up to 4 B\n`,
      err: '',
    })
    expect(jsonLines((await cli(['list', '--dir', dir, '--json'])).out)).toMatchObject([{ namespace: 'two' }])
  })

  test('--all removes everything', async () => {
    const dir = temporaryDir()
    await filled(dir, two)
    expect(await cli(['clear', '--all', '--dir', dir, '--json'])).toEqual({
      code: 0,
      out: '{"cleared":3,"namespaces":{"one":2,"two":1}}\n',
      err: '',
    })
    expect((await cli(['list', '--dir', dir])).out).toBe('No entries\n')
  })

  test('of an empty namespace or cache succeeds', async () => {
    const dir = temporaryDir()
    expect(await cli(['clear', 'nope', '--dir', dir])).toEqual({
      code: 0,
      out: `Cleared 0 entries of nope (project ${project})\n`,
      err: '',
    })
    expect(await cli(['clear', '--all', '--dir', dir])).toMatchObject({ code: 0, err: '' })
    expect((await cli(['stats', '--dir', dir])).out).toContain('is empty')
  })
})
