// Sets of new values one by one, then of the values that are there, then as many new ones at once as the batch has.
import { readFileSync } from 'node:fs'
import { keyAt, valueAt } from '../corpus/entries.mjs'
import { load, timeEach } from './timing.mjs'

/** @param {{ peer: string, dir: string, corpus: string, count: number, batch: number, budgetMs: number }} args */
export async function run({ peer, dir, corpus, count, batch, budgetMs }) {
  const { summaries } = JSON.parse(readFileSync(corpus, 'utf8'))
  const { open, isAsync } = await load(peer)
  const store = await open(`${dir}/single`)
  const entries = Array.from({ length: Math.max(count + 1, batch) }, (_, i) => ({
    key: keyAt(i),
    value: valueAt(summaries, i),
  }))
  const set = (/** @type {number} */ i) => store.set(entries[i]?.key, entries[i]?.value)
  // Directories and tables are made by the first one.
  await set(count)
  const single = await timeEach(isAsync, count, set, budgetMs)
  const again = await timeEach(isAsync, count, set, budgetMs)
  await store.close()
  const other = await open(`${dir}/batch`)
  const start = performance.now()
  await other.setMany(entries.slice(0, batch))
  const batched = ((performance.now() - start) * 1000) / batch
  await other.close()
  return { single, again, batched }
}
