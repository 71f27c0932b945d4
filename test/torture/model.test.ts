// Random operations by two processes on one root give the same results as a plain map in memory. A get that hits in the map
// must hit in the cache, unless the set of its entry was killed.

import fc from 'fast-check'
import { test } from 'vitest'
import { temporaryDirectory } from '../support/caches.js'
import { counting, inRounds } from '../support/torture.js'
import { memoryDisk, realDisk, type TestDisk } from './disks.js'
import { type Operation, operations } from './operations.js'
import { Player } from './player.js'

const count = counting()

async function play(list: readonly Operation[], disk: TestDisk): Promise<void> {
  const player = new Player(disk, 1)
  for (const [at, operation] of list.entries()) {
    try {
      await player.do(operation)
    } catch (error) {
      throw new Error(`${operation.do}, the operation at ${at}: ${(error as Error).message}`, { cause: error })
    }
    count('operations of the model')
  }
  player.close()
  player.lookReadOnly()
  count('kills of the model', player.kills)
}

test('random operations on a disk in memory match the model', async () => {
  await inRounds({ short: 1, share: 0.25 }, seed =>
    fc.assert(
      fc.asyncProperty(operations, list => play(list, memoryDisk())),
      { seed, numRuns: 200 },
    ),
  )
})

test('random operations on the real disk match the model', async () => {
  await inRounds({ short: 1, share: 0.1 }, seed =>
    fc.assert(
      fc.asyncProperty(operations, list => play(list, realDisk(temporaryDirectory()))),
      { seed, numRuns: 15 },
    ),
  )
})
