// What `gc` removes, prints and rejects.

import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Output } from '../../cli/output.js'
import { ProgressBar } from '../../cli/progress.js'
import type { Cache } from '../../src/index.js'
import { cli, filled, jsonLines, libraryWith, Sink, temporaryDir } from './harness.js'

describe('gc', () => {
  test('removes expired and stale entries and their values', async () => {
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

  test('reports how much unused data it keeps', async () => {
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

  test('--json prints the report', async () => {
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

describe('gc with limits', () => {
  let now = Date.now()
  const library = libraryWith(options => ({ ...options, clock: () => now }))
  const tenEntries = (cache: Cache) => {
    for (let i = 0; i < 10; i++) {
      now += 1000
      cache.namespace(i % 2 ? 'odd' : 'even', { project: false }).set(`key ${i}`, `${i}`.repeat(1000))
    }
  }
  const run = (dir: string, ...args: string[]) => cli(['gc', '--dir', dir, ...args], { library })

  test('reports what was dropped and why; --dry-run reports it without dropping anything', async () => {
    const dir = temporaryDir()
    await filled(dir, tenEntries, { clock: () => now })
    now += 3_600_000
    await filled(dir, cache => cache.namespace('late', { project: false }).set('key', 1), { clock: () => now })
    const args = ['--max-age', '30m', '--max-entries', '0', '--namespace', 'odd']
    const { out } = await run(dir, '--max-entries', '4', '--dry-run')
    expect(out).toMatch(
      /^Would remove 0 expired, 7 worth least and 0 stale entries, keep 4\nWould remove 7 unreferenced values, keep 4\nOn disk: .* before, .* after, /,
    )
    expect((await run(dir, ...args)).out).toMatch(
      /^Removed 0 expired, 5 long unused and 0 stale entries, kept 6\nRemoved 5 unreferenced values, kept 6\n/,
    )
    const report = JSON.parse((await run(dir, '--max-size', '4KB', '--json')).out)
    expect(report).toMatchObject({ isDryRun: false, evictedEntries: 3, keptEntries: 3 })
  })

  test('frees the values of removed namespaces and stops listing these', async () => {
    const dir = temporaryDir()
    await filled(dir, tenEntries, { clock: () => now })
    await cli(['clear', 'odd', '--all-projects', '--statistics', '--dir', dir])
    expect((await run(dir)).out).toContain('\nRemoved 5 unreferenced values, kept 5\n')
    expect((await cli(['stats', '--dir', dir])).out).not.toContain('odd')
  })

  test('shows a progress bar on a terminal only, and erases it', async () => {
    const dir = temporaryDir()
    await filled(dir, tenEntries, { clock: () => now })
    const terminal = await cli(['gc', '--dir', dir], { isTerminal: true })
    // Over before anybody would look.
    expect(terminal.err).toBe('')
    const stderr = new Sink()
    stderr.isTTY = true
    let nowMs = 0
    const bar = new ProgressBar(new Output(stderr, {}), () => nowMs)
    const frames = () => stderr.text.split('\r\u001b[K').slice(1)
    for (const fraction of [0, 0.25, 0.5, 0.75, 1]) {
      nowMs += 200
      bar.show('Working', fraction)
    }
    await bar.clear()
    expect(frames()).toEqual([
      '[######------------------]  25 % Working',
      '[############------------]  50 % Working',
      '[##################------]  75 % Working',
      '[########################] 100 % Working',
      '',
    ])
  })

  test('estimates the remaining time of each step separately', async () => {
    const stderr = new Sink()
    stderr.isTTY = true
    let nowMs = 0
    const bar = new ProgressBar(new Output(stderr, {}), () => nowMs)
    const shown = (what: string, fraction: number, elapsedMs: number) => {
      nowMs += elapsedMs
      stderr.text = ''
      bar.show(what, fraction)
      return stderr.text.replace(/^.*\] +/s, '')
    }
    expect(shown('One', 0, 400)).toBe('0 % One')
    expect(shown('One', 0.1, 10_000)).toBe('10 % One, about 90 s left')
    expect(shown('One', 0.2, 10_000)).toBe('20 % One, about 80 s left')
    expect(shown('Two', 0.2, 500)).toBe('20 % Two')
    expect(shown('Two', 0.4, 200_000)).toBe('40 % Two, about 10 min left')
    expect(shown('Two', 1, 200_000)).toBe('100 % Two')
    // In the width of the terminal, and not in its last column, which some move on from.
    stderr.columns = 40
    expect(shown('Two', 0.5, 1000)).toMatch(/^50 % Two.*…$/)
    expect(stderr.text.replace('\r\u001b[K', '').length).toBe(39)
  })
})
