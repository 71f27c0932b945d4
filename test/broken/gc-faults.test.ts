// Every file call of a gc fails, once or permanently. The gc may stop with the disk's error. No value of an entry is lost,
// even with concurrent sets, and the next gc finishes the work.

import { describe, expect, test } from 'vitest'
import { errnoOf } from '../../src/base/errors.js'
import { CacheError } from '../../src/index.js'
import { type Fault, FaultyDisk } from '../support/files.js'
import type { MemoryDisk } from '../support/memory-disk.js'
import { ACKNOWLEDGED, count, FAULTS, filled, open, verify } from './sweep.js'

/** The lock of a gc that could not give it back counts for a quarter of a minute. */
const LATER_MS = 60_000

/** The small store with garbage in it: replaced, deleted and cleared entries, and a namespace that is empty. */
function withGarbage(): MemoryDisk {
  const disk = filled.clone()
  const cache = open(disk.files)
  const entries = cache.namespace('tool')
  for (let i = 0; i < 40; i++) {
    entries.set('object', { garbage: i })
    entries.set(`garbage ${i}`, 'x'.repeat(i), i % 2 ? { ttl: 1 } : {})
    entries.delete(`garbage ${i}`)
  }
  entries.set('object', ACKNOWLEDGED.object)
  cache.namespace('emptied').set('key', 1)
  cache.removeNamespace('emptied')
  cache.close()
  return disk
}

/** What a gc that met a fault may end with. */
function expectHonest(error: unknown, where: string): void {
  const isSaid = errnoOf(error) !== undefined || (error instanceof CacheError && error.code === 'ERR_CACHE_IO')
  if (!isSaid) throw new Error(`${where}: it ended with something else`, { cause: error })
}

async function sweepGc(kind: Omit<Fault, 'at'>): Promise<number> {
  const garbage = withGarbage()
  for (let at = 1; ; at++) {
    const where = `gc, ${kind.code} ${kind.span} at call ${at}`
    const memory = garbage.clone()
    const disk = new FaultyDisk(memory)
    const cache = open(disk.files)
    const other = open(memory.files)
    disk.fail({ ...kind, at })
    let isFirst = true
    // One that sets while the gc is at it, on a disk that works for it.
    const onProgress = () => {
      if (isFirst) other.namespace('other').set('meanwhile', at)
      isFirst = false
    }
    await cache.gc({ onProgress }).catch(error => expectHonest(error, where))
    const { hasFailed } = disk
    verify(other, {}, `${where}, seen by another process`)
    disk.heal()
    verify(cache, {}, `${where}, seen after it`)
    memory.passMs(LATER_MS)
    const last = open(memory.files)
    const report = await last.gc()
    verify(last, {}, `${where}, seen after another gc`)
    if (!isFirst) expect(last.namespace('other').get('meanwhile'), where).toBe(at)
    expect(report, where).toMatchObject({ keptEntries: Object.keys(ACKNOWLEDGED).length + (isFirst ? 1 : 2) })
    const { problems, notes } = await last.verify()
    // Where the fault cut its record short, the history has that until its file is full.
    const torn = disk.cutShort?.includes('history') ? [{ file: 'v2/history/_.0', kind: 'torn' }] : []
    expect({ problems, notes }, where).toMatchObject({ problems: [], notes: torn })
    for (const each of [cache, other, last]) each.close()
    count('faults of a gc')
    if (!hasFailed) return at - 1
  }
}

describe('gc', () => {
  test.each(FAULTS)('withstands $code, $span', async kind => {
    expect(await sweepGc(kind)).toBeGreaterThan(100)
  })
})
