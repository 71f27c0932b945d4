// top: rates, output and exit.

import { describe, expect, test } from 'vitest'
import { RateWindow } from '../../cli/top/rates.js'
import { openCache } from '../../src/index.js'
import { cli, filled, jsonLines, Sink, temporaryDir } from './harness.js'

const counts = (hitCount: number, missCount = 0, setCount = 0) => ({ hitCount, missCount, setCount })

describe('rates', () => {
  test('cover the last seconds, though counts are written only from time to time', () => {
    const rates = new RateWindow(10_000)
    expect(rates.ratesOf('ns')).toEqual({ hitsPerSecond: 0, missesPerSecond: 0, setsPerSecond: 0, hitRate: null })
    for (let second = 0; second <= 30; second++) {
      const hits = second < 10 ? 0 : (second - 10) * 30
      rates.add({ atMs: second * 1000, namespaces: { ns: counts(hits, hits / 3, 7) } })
    }
    expect(rates.ratesOf('ns')).toEqual({ hitsPerSecond: 30, missesPerSecond: 10, setsPerSecond: 0, hitRate: 0.75 })
  })

  test('of a new namespace start when it appears, and after a reset are not negative', () => {
    const rates = new RateWindow(10_000)
    rates.add({ atMs: 0, namespaces: { old: counts(500) } })
    rates.add({ atMs: 2000, namespaces: { old: counts(0), __proto__: counts(1), toString: counts(4) } })
    expect(rates.ratesOf('old').hitsPerSecond).toBe(0)
    expect(rates.ratesOf('toString').hitsPerSecond).toBe(2)
    expect(rates.ratesOf('constructor').hitsPerSecond).toBe(0)
  })
})

/** A cache that is used while its snapshots are written: after each of them, by one more `get`. */
async function watched(args: readonly string[], isTerminal = false, rows = 24) {
  const dir = temporaryDir()
  await filled(dir, cache => {
    for (const name of ['busy', 'quiet', 'other']) cache.namespace(name, { project: false }).set('key', name)
  })
  const plugin = await openCache({ dir })
  const namespace = plugin.namespace('busy', { project: false })
  class Reader extends Sink {
    rows = rows
    override _write(chunk: Buffer, encoding: string, done: (error?: Error | null) => void): void {
      for (let index = 0; index < 2000; index++) namespace.get('key')
      super._write(chunk, encoding, done)
    }
  }
  const stdout = new Reader()
  const result = await cli(['top', '--dir', dir, '--interval', '100ms', ...args], { stdout, isTerminal })
  await plugin.close()
  return { dir, ...result }
}

describe('top', () => {
  test('prints successive snapshots into a pipe, the busiest namespace first', async () => {
    const { code, out, err } = await watched(['--count', '3'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const snapshots = out.trimEnd().split(/\n\n(?=\d\d:)/)
    expect(snapshots.length).toBe(3)
    expect(out).not.toContain('\u001b')
    expect(snapshots[0]).toMatch(
      /^\d\d:\d\d:\d\d UTC {2}\/.*\n0 hits, 0 misses, hit rate -, 3 sets, [\d.]+ KB on disk\n\nnamespace +hits\/s /,
    )
    expect(snapshots[0]).toMatch(/\nbusy +0\.0 .* 1 +\d+ B\nother .*\nquiet /)
    expect(snapshots[2]).toMatch(/\nbusy +[\d,.]+ +0\.0 +100\.0 % .*\nother +0\.0 +0\.0 +- /)
  })

  test('--json prints one object per line', async () => {
    const { dir, out } = await watched(['--count', '2', '--json'])
    const [first, second] = jsonLines(out)
    expect(first).toMatchObject({ dir, hitCount: 0, setCount: 3, diskBytes: expect.any(Number) })
    expect(first.namespaces.busy).toMatchObject({ hitCount: 0, hitsPerSecond: 0, hitRate: null, entryCount: 1 })
    expect(second.namespaces.busy.hitCount).toBeGreaterThan(0)
    expect(second.namespaces.busy.hitsPerSecond).toBeGreaterThan(0)
    expect(Object.keys(second.namespaces)).toEqual(['busy', 'other', 'quiet'])
  })

  test('uses the alternate screen, prints at most its height, and leaves it', async () => {
    const { code, out } = await watched(['--count', '2'], true, 8)
    expect(code).toBe(0)
    expect(out.startsWith('\u001b[?1049h\u001b[?25l\u001b[H')).toBe(true)
    expect(out.endsWith('\u001b[J\u001b[?25h\u001b[?1049l')).toBe(true)
    const frames = out.split('\u001b[H').slice(1)
    expect(frames.map(frame => frame.split('\r\n').length - 1)).toEqual([7, 7])
    expect(frames[1]).toContain('and 1 more')
  })

  test('ends quietly when the pipe is closed', async () => {
    const dir = temporaryDir()
    await filled(dir, cache => void cache.namespace('ns').set('key', 1))
    class Leaving extends Sink {
      override _write(_chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      }
    }
    expect(await cli(['top', '--dir', dir], { stdout: new Leaving() })).toMatchObject({ code: 0, err: '' })
  })

  test('ends when it is stopped, during a wait too', async () => {
    const dir = temporaryDir()
    let stop: () => void = () => undefined
    const stopped = new Promise<void>(resolve => {
      stop = resolve
    })
    class Stopping extends Sink {
      override _write(chunk: Buffer, encoding: string, done: (error?: Error | null) => void): void {
        super._write(chunk, encoding, done)
        stop()
      }
    }
    const { code, out } = await cli(['top', '--dir', dir, '--interval', '10h'], { stdout: new Stopping(), stopped })
    expect({ code, snapshotCount: out.split('No namespaces').length - 1 }).toEqual({ code: 0, snapshotCount: 1 })
  })

  test.each([
    [['--interval', '0s'], 'must be at least 100ms'],
    [['--interval', '25h', '--count', '1'], 'must be at most 24h'],
    // A timer can't wait for so long: it would not wait at all.
    [['--interval', '30d', '--count', '2'], 'must be at most 24h'],
    [['--interval', 'often'], 'is not a duration'],
    [['--count', '0'], 'must be more than zero'],
    [['--count', 'abc'], 'is not a whole number'],
    [['ns'], 'One argument too many'],
  ])('rejects %j', async (args, message) => {
    expect(await cli(['top', ...args])).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) })
  })
})
