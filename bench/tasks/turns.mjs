// Gets of which each has an event-loop turn to itself, less what the turn costs: a server answers requests so.
import { setImmediate } from 'node:timers/promises'
import { keyAt } from '../corpus/entries.mjs'
import { load, scattered, timeEach } from './timing.mjs'

/** @param {{ peer: string, dir: string, count: number, budgetMs: number }} args */
export async function run({ peer, dir, count, budgetMs }) {
  const { open } = await load(peer)
  const store = await open(dir)
  const keys = scattered(count, count).map(keyAt)
  const turn = () => setImmediate()
  const get = async (/** @type {number} */ i) => {
    await store.get(keys[i % keys.length])
    await setImmediate()
  }
  await timeEach(true, 3000, get, budgetMs)
  await timeEach(true, 3000, turn, budgetMs)
  const us = await timeEach(true, Number.POSITIVE_INFINITY, get, budgetMs)
  return { us: us - (await timeEach(true, Number.POSITIVE_INFINITY, turn, budgetMs)) }
}
