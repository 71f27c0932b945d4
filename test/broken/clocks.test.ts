// Wrong clocks: of the machine, of a network share, or of the processes that filled the cache.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { FileSystemKind, Files } from '../../src/files/files.js'
import { nodeFiles } from '../../src/files/files.js'
import { openAsAnotherProcess, temporaryDirectory, temporaryRoot } from '../support/caches.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Sources on a file system with a clock of its own that counts seconds, some ms ahead of this machine's. */
function shareFiles(kind: FileSystemKind, aheadMs: number): Files {
  const shift = (path: string, stat: ReturnType<Files['stat']>) => {
    if (!stat || !path.endsWith('.js')) return stat
    const inSeconds = (ms: number) => Math.floor((ms + aheadMs) / 1000) * 1000
    return { ...stat, mtimeMs: inSeconds(stat.mtimeMs), ctimeMs: inSeconds(stat.ctimeMs) }
  }
  return {
    ...nodeFiles,
    stat: path => shift(path, nodeFiles.stat(path)),
    linkStat: path => shift(path, nodeFiles.linkStat(path)),
    fileSystem: path => ({ ...nodeFiles.fileSystem(path), kind }),
  }
}

test.each([-HOUR_MS, -5000, -2500, 5000, HOUR_MS])(
  'all edits on a share whose clock is %i ms ahead are noticed',
  aheadMs => {
    const directory = temporaryDirectory()
    const file = join(directory, 'source.js')
    writeFileSync(file, 'edit 000')
    const files = shareFiles('unknown', aheadMs)
    const ns = openAsAnotherProcess(join(directory, 'cache'), {}, { files }).cache.namespace('ns')
    let stale = 0
    for (let i = 1; i <= 100; i++) {
      ns.set('key', i, { files: [file] })
      writeFileSync(file, `edit ${String(i).padStart(3, '0')}`)
      if (ns.get('key') !== undefined) stale++
    }
    expect(stale).toBe(0)
  },
)

test.runIf(process.platform === 'linux')(
  'a file that the kernel generates on each read is stale unless its content is equal',
  () => {
    const ns = openAsAnotherProcess(temporaryRoot()).cache.namespace('ns')
    const random = '/proc/sys/kernel/random/uuid'
    ns.set('random', 1, { files: [random] })
    expect(ns.explain('random').reason).toBe('source-changed')
    ns.set('fixed', 1, { files: ['/proc/version'] })
    expect(ns.get('fixed')).toBe(1)
  },
)

test.runIf(process.platform === 'linux')(
  'a directory changes when a name changes that decodes to the same text',
  () => {
    const directory = temporaryDirectory()
    const named = (byte: number) => Buffer.concat([Buffer.from(`${directory}/d/caf`), Buffer.from([byte])])
    mkdirSync(join(directory, 'd'))
    writeFileSync(named(0xe9), '')
    const ns = openAsAnotherProcess(join(directory, 'cache')).cache.namespace('ns')
    ns.set('key', 1, { files: [join(directory, 'd')] })
    expect(ns.get('key')).toBe(1)
    renameSync(named(0xe9), named(0xe8))
    expect(ns.get('key')).toBe(undefined)
  },
)

describe('entries last used by a clock that is ahead', () => {
  const filled = () => {
    const dir = temporaryRoot()
    const nowMs = Date.now()
    for (const [name, clockMs] of [
      ['future', nowMs + 365 * DAY_MS],
      ['now', nowMs],
    ] as const) {
      const { cache } = openAsAnotherProcess(dir, { clock: () => clockMs })
      for (let i = 0; i < 200; i++) cache.namespace('ns').set(`${name} ${i}`, `${name} ${i}`)
      cache.close()
    }
    return { dir, nowMs }
  }
  const left = (dir: string) => {
    const keys = [...openAsAnotherProcess(dir).cache.namespace('ns').keys()]
    return { future: keys.filter(key => key.startsWith('future')).length, count: keys.length }
  }

  test('are evicted first when there are too many or they are past the maximum age', async () => {
    for (const bounds of [{ maxEntries: 200 }, { maxAge: DAY_MS }]) {
      const { dir, nowMs } = filled()
      await openAsAnotherProcess(dir, { clock: () => nowMs }).cache.gc(bounds)
      expect(left(dir)).toEqual({ future: 0, count: 200 })
    }
  })

  test("are kept when the gc's clock is behind by less than the maximum age", async () => {
    const { dir, nowMs } = filled()
    const behind = { clock: () => nowMs - 2 * HOUR_MS }
    await openAsAnotherProcess(dir, behind).cache.gc({ maxAge: DAY_MS })
    expect(left(dir)).toEqual({ future: 0, count: 200 })
  })

  test('are kept by the background gc too', () => {
    const dir = temporaryRoot()
    const nowMs = Date.now()
    for (const [name, clockMs] of [
      ['fresh', nowMs],
      ['behind', nowMs - 2 * HOUR_MS],
      ['old', nowMs - 3 * DAY_MS],
    ] as const) {
      const ns = openAsAnotherProcess(dir, { clock: () => clockMs }).cache.namespace('ns')
      for (let i = 0; i < 100; i++) ns.set(`${name} ${i}`, i)
    }
    const { cache } = openAsAnotherProcess(dir, { clock: () => nowMs - 2 * HOUR_MS, maxAge: DAY_MS })
    for (let i = 0; i < 3000; i++) cache.namespace('ns').set(`later ${i}`, i)
    const keys = [...cache.namespace('ns').keys()]
    const count = (name: string) => keys.filter(key => key.startsWith(name)).length
    expect([count('fresh'), count('behind'), count('old')]).toEqual([100, 100, 0])
  })

  test('are evicted first by the background gc', () => {
    const { dir, nowMs } = filled()
    let ms = nowMs
    const { cache } = openAsAnotherProcess(dir, { clock: () => ms, maxEntries: 480 })
    for (let i = 0; i < 150; i++) {
      ms++
      cache.namespace('ns').set(`now later ${i}`, i)
    }
    const { future, count } = left(dir)
    expect(future).toBeLessThan(150)
    expect(count - future).toBe(350)
  })
})

test.each([-1, Number.NaN, 0, 2 ** 32 * 1000, 2 ** 48, 8.64e15, Number.POSITIVE_INFINITY])(
  'everything works with a clock option that returns %d',
  async clockMs => {
    const { cache, warnings } = openAsAnotherProcess(temporaryRoot(), { clock: () => clockMs })
    const ns = cache.namespace('ns')
    expect([ns.set('key', 1), ns.get('key'), ns.set('short', 1, { ttl: 1000 }), ns.get('short')]).toEqual([
      true,
      1,
      true,
      1,
    ])
    expect([...ns.entries()].length).toBe(2)
    expect(await cache.gc()).toMatchObject({ keptEntries: 2 })
    expect(warnings).toEqual([])
  },
)
