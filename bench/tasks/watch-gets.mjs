// Gets entries that stay, one a turn, until it is told to stop: what a plugin sees while another process collects.
import { keyAt } from '../corpus/entries.mjs'
import { load, scattered } from './timing.mjs'

/** @param {{ peer: string, dir: string, count: number }} args */
export async function run({ peer, dir, count }) {
  const { open } = await load(peer)
  const store = await open(dir)
  const keys = scattered(20_000, count / 2).map(i => keyAt(2 * i + 1))
  let isRunning = true
  process.once('message', () => {
    isRunning = false
  })
  process.send?.('ready')
  let gets = 0
  let misses = 0
  let longestMs = 0
  while (isRunning) {
    const start = performance.now()
    if ((await store.get(keys[gets++ % keys.length])) === undefined) misses++
    longestMs = Math.max(longestMs, performance.now() - start)
    await new Promise(setImmediate)
  }
  await store.close()
  return { gets, misses, longestMs }
}
