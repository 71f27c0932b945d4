// Four processes set as fast as they can, ten times as much as the limit allows, so that the background gc never rests.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeFiles } from '../../src/files/files.js'
import { filesBelow, openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { startModule } from '../support/children.js'
import { counting, inRounds } from '../support/torture.js'

const count = counting()
const BOUND = 4e6
const SETS = 5000

/** Of files that come and go meanwhile. */
function sizeNow(dir: string): number {
  return filesBelow(dir).reduce((sum, name) => sum + (nodeFiles.stat(join(dir, name))?.sizeBytes ?? 0), 0)
}

async function together(): Promise<void> {
  const dir = temporaryRoot()
  const children = [0, 1, 2, 3].map(id =>
    startModule(
      `const cache = library.openCacheSync({ dir: args.dir, maxSize: args.bound, onWarning })
       const entries = cache.namespace('tool')
       const valueOf = key => key + ' ' + 'x'.repeat(2000)
       for (let i = 0; i < args.sets; i++) {
         const key = args.id + ' ' + i
         if (!entries.set(key, valueOf(key))) throw new Error('not stored: ' + key)
         if (entries.get(key) !== valueOf(key)) throw new Error('lost: ' + key)
         const old = args.id + ' ' + (i >> 1)
         const value = entries.get(old)
         if (value !== undefined && value !== valueOf(old)) throw new Error('wrong: ' + old)
         if (i % 100 === 0) print(String(i))
       }
       cache.close()`,
      { dir, id, bound: BOUND, sets: SETS },
    ),
  )
  let largest = 0
  await Promise.all(
    children.map(async child => {
      child.end()
      for (let line = await child.line(); line !== undefined; line = await child.line()) {
        largest = Math.max(largest, nodeFiles.stat(dir) ? sizeNow(dir) : 0)
      }
      const { code, stderr } = await child.ended
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    }),
  )
  count('sets into a bound', children.length * SETS)
  expect(largest).toBeLessThan(2 * BOUND)
  const { cache, warnings } = openAsAnotherProcess(dir, { maxSize: BOUND })
  const entries = cache.namespace('tool')
  for (const key of entries.keys()) expect(entries.get(key)).toBe(`${key} ${'x'.repeat(2000)}`)
  expect((await cache.verify()).problems).toEqual([])
  await cache.gc()
  expect(sizeNow(dir)).toBeLessThan(BOUND)
  expect(warnings).toEqual([])
}

// A busy machine takes some minutes for a round.
const TIMEOUT_MS = (Number(process.env.TORTURE_MINUTES) || 0) * 60_000 + 300_000

test('four processes that keep setting keep a limit together, and lose only evicted entries', {
  timeout: TIMEOUT_MS,
}, async () => {
  await inRounds({ short: 1, share: 0.1 }, together)
})
