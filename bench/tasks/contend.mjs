// One of several processes on a store: sets of its own keys, each with a get of one that it set and of one of another's.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { valueAt } from '../corpus/entries.mjs'
import { load } from './timing.mjs'

/** @param {{ peer: string, dir: string, corpus: string, id: number, processes: number, count: number }} args */
export async function run({ peer, dir, corpus, id, processes, count }) {
  const { summaries } = JSON.parse(readFileSync(corpus, 'utf8'))
  const { open, isAsync } = await load(peer)
  const store = await open(dir)
  const values = Array.from({ length: count }, (_, i) => valueAt(summaries, id * count + i))
  process.send?.('ready')
  await once(process, 'message')
  const startedAt = performance.timeOrigin + performance.now()
  for (let i = 0; i < count; i++) {
    const stored = store.set(contendedKey(id, i), values[i])
    if (isAsync) await stored
    const own = store.get(contendedKey(id, i >> 1))
    if ((isAsync ? await own : own) === undefined) throw new Error(`${peer} lost a key of its own.`)
    const other = store.get(contendedKey((id + 1) % processes, i >> 1))
    if (isAsync) await other
    // Others' sets are seen from the next turn on.
    if (i % 16 === 0) await undefined
  }
  const endedAt = performance.timeOrigin + performance.now()
  await store.close()
  return { startedAt, endedAt }
}

/** @param {number} id @param {number} i */
export const contendedKey = (id, i) => `process ${id}, entry ${i}`
