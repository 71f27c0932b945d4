// Gets of entries that this process has got before, in scattered order.
import { keyAt } from '../corpus/entries.mjs'
import { load, scattered, timeEach } from './timing.mjs'

/** @param {{ peer: string, dir: string, count: number, budgetMs: number }} args */
export async function run({ peer, dir, count, budgetMs }) {
  const { open, isAsync } = await load(peer)
  const store = await open(dir)
  const keys = scattered(Math.min(count, 20_000), count).map(keyAt)
  const get = (/** @type {number} */ i) => store.get(keys[i % keys.length])
  if ((await get(0)) === undefined) throw new Error(`${peer} missed.`)
  await timeEach(isAsync, 2 * keys.length, get, 2 * budgetMs)
  return { us: await timeEach(isAsync, Number.POSITIVE_INFINITY, get, budgetMs) }
}
