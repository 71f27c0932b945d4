// Resident memory after so many scattered gets.
import { keyAt } from '../corpus/entries.mjs'
import { load, scattered } from './timing.mjs'

/** @param {{ peer: string, dir: string, count: number, gets: number }} args */
export async function run({ peer, dir, count, gets }) {
  const { open } = await load(peer)
  const store = await open(dir)
  await store.get('none')
  for (const i of scattered(gets, count)) {
    if ((await store.get(keyAt(i))) === undefined) throw new Error(`${peer} missed.`)
  }
  return { megabytes: process.memoryUsage().rss / 1048576 }
}
