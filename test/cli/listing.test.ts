// list, stats, gc and path: what is shown, in which form, and how much of it at a time.

import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Output } from '../../cli/output.js'
import { ProgressBar } from '../../cli/progress.js'
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

  test('has a namespace column for all, and a version column when there are versions', async () => {
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

  test('--json is one object on each line', async () => {
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

  test('of a namespace that is not there is exit code 1, of an empty cache it is not', async () => {
    const dir = temporaryDir()
    expect(await cli(['list', 'nope', '--dir', dir])).toEqual({
      code: 1,
      out: '',
      err: `There is no namespace nope in ${dir}\n`,
    })
    expect(await cli(['list', '--dir', dir])).toEqual({ code: 0, out: 'No entries\n', err: '' })
    expect(await cli(['list', '--json', '--dir', dir])).toEqual({ code: 0, out: '', err: '' })
  })

  test('only looks: it makes no directory', async () => {
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

  test('prints the rows of many entries, all in line', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => cache.namespace('ns').setMany(entries(5000)))
    const { code, out } = await cli(['list', 'ns', '--dir', dir])
    const lines = out.trimEnd().split('\n')
    expect(code).toBe(0)
    expect(lines.length).toBe(5001)
    expect(new Set(lines.slice(1).map(line => line.slice(0, 10))).size).toBe(5000)
    expect(new Set(lines.slice(1).map(line => line.indexOf('manual'))).size).toBe(1)
  })

  test.each([[[]], [['--json']]])('prints with %j before it has read all, and waits for its reader', async flags => {
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
  })

  test.each([[[]], [['--json']]])('ends quietly with %j when its reader has gone', async flags => {
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

  test('a version that appears late still shows', async () => {
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

  test('shows each namespace, the values and the total, and what deduplication saved', async () => {
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

  test('--json holds everything, and adds the hit rate', async () => {
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
    expect(out).toMatch(/^namespace .*\none .*\n\nMisses: 1 never-set\n\nproject .*\n.* 1\n$/)
  })

  test('of a namespace that is not there is exit code 1, of an empty cache it is not', async () => {
    const dir = temporaryDir()
    expect(await cli(['stats', 'nope', '--dir', dir])).toMatchObject({
      code: 1,
      out: '',
      err: `There is no namespace nope in ${dir}\n`,
    })
    expect(await cli(['stats', '--dir', dir])).toEqual({ code: 0, out: `The cache in ${dir} is empty\n`, err: '' })
  })
})

describe('gc', () => {
  test('removes expired and stale entries and what they held', async () => {
    const dir = temporaryDir()
    const source = join(dir, 'source')
    const root = join(dir, 'cache')
    writeFileSync(source, 'before')
    let nowMs = Date.now()
    const clock = () => nowMs
    await filled(
      root,
      cache => {
        const namespace = cache.namespace('ns')
        namespace.set('kept', 'k'.repeat(1000))
        namespace.set('expired', 'e'.repeat(1000), { ttl: 1000 })
        namespace.set('stale', 's'.repeat(1000), { files: [source] })
      },
      { clock },
    )
    writeFileSync(source, 'after!!')
    utimesSync(source, 1, 1)
    nowMs += 5000
    const library = libraryWith(options => ({ ...options, clock }))
    const { code, out, err } = await cli(['gc', '--dir', root], { library })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(
      /^Removed 1 expired and 1 stale entry, kept 1\nRemoved 2 unreferenced values, kept 1\nOn disk: /,
    )
    const left = jsonLines((await cli(['list', '--json', '--dir', root], { library })).out)
    expect(left.map(entry => entry.key)).toEqual(['kept'])
  })

  test('says how much stays that is of no use', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => {
      const namespace = cache.namespace('ns')
      for (let i = 0; i < 200; i++) namespace.set(`key ${i}`, `${i} ${'x'.repeat(20_000)}`)
      for (let i = 0; i < 10; i++) namespace.delete(`key ${i}`)
    })
    const { out } = await cli(['gc', '--dir', dir])
    expect(out).toMatch(
      /^Removed 0 unreferenced values, kept 190\n10 unreferenced values \(\d+.* KB\) stay in files that are /m,
    )
  })

  test('--json is the report', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => cache.namespace('ns').set('kept', 1))
    expect(JSON.parse((await cli(['gc', '--json', '--dir', dir])).out)).toMatchObject({
      expiredEntries: 0,
      staleEntries: 0,
      keptEntries: 1,
      removedBlobs: 0,
      keptBlobs: 1,
      diskBytesBefore: expect.any(Number),
      diskBytesAfter: expect.any(Number),
    })
  })
})

describe('gc with bounds', () => {
  let now = Date.now()
  const library = libraryWith(options => ({ ...options, clock: () => now }))
  const tenEntries = (cache: Cache) => {
    for (let i = 0; i < 10; i++) {
      now += 1000
      cache.namespace(i % 2 ? 'odd' : 'even', { project: false }).set(`key ${i}`, `${i}`.repeat(1000))
    }
  }
  const run = (dir: string, ...args: string[]) => cli(['gc', '--dir', dir, ...args], { library })

  test('says what went and why, and --dry-run what would, without doing it', async () => {
    const dir = temporaryDir()
    await filled(dir, tenEntries, { clock: () => now })
    now += 3_600_000
    await filled(dir, cache => cache.namespace('late', { project: false }).set('key', 1), { clock: () => now })
    const args = ['--max-age', '30m', '--max-entries', '0', '--namespace', 'odd']
    const { out } = await run(dir, '--max-entries', '4', '--dry-run')
    expect(out).toMatch(
      /^Would remove 0 expired, 7 least recently used and 0 stale entries, keep 4\nWould remove 7 unreferenced values, keep 4\nOn disk: .* before, .* after, /,
    )
    expect((await run(dir, ...args)).out).toMatch(
      /^Removed 0 expired, 5 long unused and 0 stale entries, kept 6\nRemoved 5 unreferenced values, kept 6\n/,
    )
    const report = JSON.parse((await run(dir, '--max-size', '4KB', '--json')).out)
    expect(report).toMatchObject({ isDryRun: false, evictedEntries: 3, keptEntries: 3 })
  })

  test('frees the values of namespaces that were removed, and these are not listed any more', async () => {
    const dir = temporaryDir()
    await filled(dir, tenEntries, { clock: () => now })
    await cli(['clear', 'odd', '--all-projects', '--statistics', '--dir', dir])
    expect((await run(dir)).out).toContain('\nRemoved 5 unreferenced values, kept 5\n')
    expect((await cli(['stats', '--dir', dir])).out).not.toContain('odd')
  })

  test('shows its progress on a terminal alone, and takes it away', async () => {
    const dir = temporaryDir()
    await filled(dir, tenEntries, { clock: () => now })
    const terminal = await cli(['gc', '--dir', dir], { isTerminal: true })
    // Over before anybody would look.
    expect(terminal.err).toBe('')
    const stderr = new Sink()
    stderr.isTTY = true
    let nowMs = 0
    const bar = new ProgressBar(new Output(stderr, {}), () => nowMs)
    for (const fraction of [0, 0.25, 0.5, 0.75, 1]) {
      nowMs += 200
      bar.show('Working', fraction)
    }
    await bar.clear()
    expect(stderr.text.replaceAll('\r\u001b[K', '|')).toBe(
      '|[######------------------] Working' +
        '|[############------------] Working|[##################------] Working|[########################] Working|',
    )
  })
})

describe('path', () => {
  test('prints the directory and makes none', async () => {
    const dir = join(temporaryDir(), 'new')
    expect(await cli(['path', '--dir', dir])).toEqual({ code: 0, out: `${dir}\n`, err: '' })
    expect(await cli(['path', '--dir', dir, '--json'])).toMatchObject({ code: 0, out: `${JSON.stringify({ dir })}\n` })
    expect((await cli(['path', '--dir', 'relative'])).out).toBe(`${resolve('relative')}\n`)
    expect((await cli(['path'])).out).toBe(`${defaultDir({})}\n`)
    expect((await cli(['path'], { env: { WICKED_CACHE_DIR: 'relative' } })).out).toBe(`${resolve('relative')}\n`)
  })

  test('is exact for a script and harmless on a terminal', async () => {
    const dir = resolve('esc\u001b[31m')
    expect((await cli(['path', '--dir', dir])).out).toBe(`${dir}\n`)
    expect((await cli(['path', '--dir', dir], { isTerminal: true })).out).toContain('esc\\u001b[31m')
  })
})
