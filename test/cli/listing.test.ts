// list, stats and path: what they print and in which form, and streaming of long listings.

import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Cache, defaultDir, openCache } from '../../src/index.js'
import { cli, filled, jsonLines, libraryWith, library as plain, Sink, temporaryDir } from './harness.js'

const entries = (count: number, prefix = 'key') =>
  Array.from({ length: count }, (_, index) => ({ key: `${prefix}-${String(index).padStart(6, '0')}`, value: index }))

describe('list', () => {
  test('shows aligned columns', async () => {
    const dir = temporaryDir()
    let nowMs = 1_000_000_000
    const clock = () => nowMs
    await filled(dir, cache => cache.namespace('ns').set('a key', 'x'.repeat(2000)), { clock })
    nowMs += 3_600_000
    await filled(dir, cache => cache.namespace('ns').set('b', 1, { ttl: 1000 }), { clock })
    nowMs += 5000
    const library = libraryWith(options => ({ ...options, clock }))
    const [header, ...rows] = (await cli(['list', 'ns', '--dir', dir], { library })).out.trimEnd().split('\n')
    expect(header).toMatch(/^key {4}mode {4}valid +size +age$/)
    expect(rows.sort()).toEqual([
      expect.stringMatching(/^a key {2}manual {2}yes {4}2\.0 KB +1h$/),
      expect.stringMatching(/^b {6}ttl {5}no {8}\d+ B +5s$/),
    ])
    expect(new Set([header, ...rows].map(line => line?.length)).size).toBe(1)
  })

  test('has a namespace column for all namespaces, and a version column if there are versions', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => {
      cache.namespace('one').set('a', 1)
      cache.namespace('two', { version: '1.0' }).set('b', 1)
    })
    const all = (await cli(['list', '--dir', dir])).out
    expect(all).toMatch(/^namespace {2}key {2}mode .* {2}version\n/)
    expect(all).toMatch(/^one .*s$/m)
    expect(all).toMatch(/^two .* {2}1\.0$/m)
    expect((await cli(['list', 'one', '--dir', dir])).out).toMatch(/^key {2}mode {4}valid +size {2}age\n/)
  })

  test('--json prints one object per line', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => {
      cache.namespace('one').set('new\nline', 1, { ttl: 60_000 })
      cache.namespace('two', { version: '1.0' }).set('b', 1)
    })
    const { out } = await cli(['list', '--json', '--dir', dir])
    expect(jsonLines(out)).toMatchObject([
      {
        namespace: 'one',
        key: 'new\nline',
        version: '',
        mode: 'ttl',
        valid: true,
        expiresAt: expect.any(Number),
        files: [],
      },
      {
        namespace: 'two',
        key: 'b',
        version: '1.0',
        mode: 'manual',
        sizeBytes: expect.any(Number),
        ageMs: expect.any(Number),
      },
    ])
  })

  test('exits with 1 for an unknown namespace, and with 0 for an empty cache', async () => {
    const dir = temporaryDir()
    expect(await cli(['list', 'nope', '--dir', dir])).toEqual({
      code: 1,
      out: '',
      err: `There is no namespace nope in ${dir}\n`,
    })
    expect(await cli(['list', '--dir', dir])).toEqual({ code: 0, out: 'No entries\n', err: '' })
    expect(await cli(['list', '--json', '--dir', dir])).toEqual({ code: 0, out: '', err: '' })
  })

  test('opens the cache read-only and creates no directory', async () => {
    const dir = temporaryDir()
    await cli(['list', '--dir', dir])
    await cli(['stats', '--dir', dir])
    expect(readdirSync(dir)).toEqual([])
    const opened: (string | undefined)[] = []
    const library = libraryWith(options => {
      opened.push(options.mode)
      return options
    })
    await cli(['list', '--dir', dir], { library })
    await cli(['stats', '--dir', dir], { library })
    expect(opened).toEqual(['readonly', 'readonly'])
  })

  test('prints many entries in aligned rows', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => cache.namespace('ns').setMany(entries(5000)))
    const { code, out } = await cli(['list', 'ns', '--dir', dir])
    const lines = out.trimEnd().split('\n')
    expect(code).toBe(0)
    expect(lines.length).toBe(5001)
    expect(new Set(lines.slice(1).map(line => line.slice(0, 10))).size).toBe(5000)
    expect(new Set(lines.slice(1).map(line => line.indexOf('manual'))).size).toBe(1)
  })

  test.each([[[]], [['--json']]])(
    'with %j starts to print before it has read everything, and waits for a slow reader',
    async flags => {
      const dir = temporaryDir()
      await filled(dir, cache => cache.namespace('ns').setMany(entries(5000)))
      let readCount = 0
      const library = {
        ...plain,
        openCache: async (options: Parameters<typeof openCache>[0]) =>
          counting(await openCache(options), () => readCount++),
      }
      const readCounts: number[] = []
      class SlowSink extends Sink {
        override _write(chunk: Buffer, encoding: string, done: (error?: Error | null) => void): void {
          // A turn later: had the listing gone on without waiting, it would have read more by then.
          setImmediate(() => {
            readCounts.push(readCount)
            super._write(chunk, encoding, done)
          })
        }
      }
      const { code, out } = await cli(['list', 'ns', '--dir', dir, ...flags], { library, stdout: new SlowSink() })
      expect(code).toBe(0)
      expect(out.trimEnd().split('\n').length).toBeGreaterThanOrEqual(5000)
      expect(readCounts[0]).toBeLessThan(1000)
      expect(readCounts.length).toBeGreaterThan(10)
    },
  )

  test.each([[[]], [['--json']]])('with %j ends quietly when the pipe is closed', async flags => {
    const dir = temporaryDir()
    await filled(dir, cache => cache.namespace('ns').setMany(entries(5000)))
    let writeCount = 0
    class Leaving extends Sink {
      override _write(chunk: Buffer, encoding: string, done: (error?: Error | null) => void): void {
        writeCount++
        if (writeCount === 1) super._write(chunk, encoding, done)
        else done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      }
    }
    const { code, err } = await cli(['list', 'ns', '--dir', dir, ...flags], { stdout: new Leaving() })
    expect({ code, err, writeCount }).toEqual({ code: 0, err: '', writeCount: 2 })
  })

  test('shows a version that appears only late in the listing', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => {
      cache.namespace('a').setMany(entries(1000))
      cache.namespace('b', { version: 'late' }).set('key', 1)
    })
    expect((await cli(['list', '--dir', dir])).out).toMatch(/^b {10}key .* late$/m)
  })
})

/** The cache, with every entry that a listing reads counted. */
function counting(cache: Cache, count: () => void): Cache {
  const namespace: Cache['namespace'] = (name, options) => {
    const inner = cache.namespace(name, options)
    return new Proxy(inner, {
      get(target, property) {
        const member = Reflect.get(target, property, target)
        if (property !== 'entries') return typeof member === 'function' ? member.bind(target) : member
        return function* (...args: Parameters<typeof inner.entries>) {
          for (const entry of target.entries(...args)) {
            count()
            yield entry
          }
        }
      },
    })
  }
  return new Proxy(cache, {
    get(target, property) {
      if (property === 'namespace') return namespace
      const member = Reflect.get(target, property, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

describe('stats', () => {
  const fill = (cache: Cache) => {
    for (const name of ['one', 'two']) cache.namespace(name).set('key', 'x'.repeat(10_000))
    cache.namespace('one').get('key')
    cache.namespace('one').get('key')
    cache.namespace('one').get('nope')
  }

  test('shows each namespace, values, total and savings by deduplication', async () => {
    const dir = temporaryDir()
    await filled(dir, fill)
    const { code, out } = await cli(['stats', '--dir', dir])
    const lines = out.split('\n')
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^namespace +entries +hits +misses +hit rate +size +on disk +oldest$/)
    expect(lines[1]).toMatch(/^one +1 +2 +1 +66\.7 % +9\.8 KB +[\d.]+ K?B +0s$/)
    expect(lines[2]).toMatch(/^two +1 +0 +0 +- +9\.8 KB +[\d.]+ K?B +0s$/)
    expect(lines[3]).toMatch(/^\(values\) +[\d.]+ KB$/)
    expect(lines[4]).toMatch(/^total +2 +2 +1 +66\.7 % +19\.6 KB +[\d.]+ KB +0s$/)
    expect(lines[6]).toBe('Deduplication saved 9.8 KB of 19.6 KB (50.0 %)')
    expect(lines[7]).toBe('Misses: 1 never-set')
    const ends = [0, 1, 2, 4].map(index => lines[index]?.length)
    expect(new Set(ends).size).toBe(1)
  })

  test('--json prints all statistics and the hit rate', async () => {
    const dir = temporaryDir()
    await filled(dir, fill)
    const stats = JSON.parse((await cli(['stats', '--json', '--dir', dir])).out)
    expect(stats).toMatchObject({
      dir,
      entryCount: 2,
      hitCount: 2,
      missCount: 1,
      hitRate: 2 / 3,
      missReasons: { 'never-set': 1 },
      namespaces: { one: { entryCount: 1, hitCount: 2, hitRate: 2 / 3 }, two: { entryCount: 1, hitRate: null } },
    })
    expect(stats.savedBytes).toBe(stats.totalSize - stats.uniqueSize)
    const one = JSON.parse((await cli(['stats', 'one', '--json', '--dir', dir])).out)
    expect(one).toMatchObject({ dir, namespace: 'one', entryCount: 1, hitRate: 2 / 3 })
  })

  test('shows one namespace', async () => {
    const dir = temporaryDir()
    await filled(dir, fill)
    const { out } = await cli(['stats', 'one', '--dir', dir])
    expect(out).toMatch(/^namespace .*\none .*\n\nMisses: 1 never-set\n\nproject .*hit rate\n.* 1 +2 +1 +66\.7 %\n$/)
  })

  test('starts with the saved time if something was computed', async () => {
    const dir = temporaryDir()
    let seconds = 0
    const clock = vi.spyOn(process, 'uptime').mockImplementation(() => seconds)
    onTestFinished(() => clock.mockRestore())
    await filled(dir, cache => {
      cache.namespace('unused').set('key', 1)
      for (const name of ['one', 'two']) {
        const call = () =>
          cache.namespace(name).getOrSetSync('key', () => {
            seconds += 30
            return 1
          })
        for (let count = 0; count < 15; count++) call()
      }
    })
    expect((await cli(['stats', '--dir', dir])).out).toMatch(/^Saved 14 min of 15 in 2 namespaces\n\nnamespace /)
    expect((await cli(['stats', 'one', '--dir', dir])).out).toMatch(/^Saved 7 min of 7\.5\n\nnamespace /)
  })

  test('exits with 1 for an unknown namespace, and with 0 for an empty cache', async () => {
    const dir = temporaryDir()
    expect(await cli(['stats', 'nope', '--dir', dir])).toMatchObject({
      code: 1,
      out: '',
      err: `There is no namespace nope in ${dir}\n`,
    })
    expect(await cli(['stats', '--dir', dir])).toEqual({ code: 0, out: `The cache in ${dir} is empty\n`, err: '' })
  })
})

describe('path', () => {
  test('prints the directory and does not create it', async () => {
    const dir = join(temporaryDir(), 'new')
    expect(await cli(['path', '--dir', dir])).toEqual({ code: 0, out: `${dir}\n`, err: '' })
    expect(await cli(['path', '--dir', dir, '--json'])).toMatchObject({ code: 0, out: `${JSON.stringify({ dir })}\n` })
    expect((await cli(['path', '--dir', 'relative'])).out).toBe(`${resolve('relative')}\n`)
    expect((await cli(['path'])).out).toBe(`${defaultDir({})}\n`)
    expect((await cli(['path'], { env: { WICKED_CACHE_DIR: 'relative' } })).out).toBe(`${resolve('relative')}\n`)
  })

  test('prints the exact path to scripts and an escaped one to terminals', async () => {
    const dir = resolve('esc\u001b[31m')
    expect((await cli(['path', '--dir', dir])).out).toBe(`${dir}\n`)
    expect((await cli(['path', '--dir', dir], { isTerminal: true })).out).toContain('esc\\u001b[31m')
  })
})
