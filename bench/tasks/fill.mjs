// Makes a store of so many entries, in the way that the peer makes it fastest.
import { readFileSync } from 'node:fs'
import { keyAt, valueAt } from '../corpus/entries.mjs'
import { load } from './timing.mjs'

/** A flat cache is written as a whole each time, so it gets everything at once. */
const BATCH_ENTRIES = 100_000

/**
 * @param {{ peer: string, dir: string, corpus: string, count: number, kind?: 'summaries' | 'acorn' | 'babel',
 *   names?: (string | undefined)[] }} args
 */
export async function run({ peer, dir, corpus, count, kind = 'summaries', names = [undefined] }) {
  const values = JSON.parse(readFileSync(corpus, 'utf8'))[kind]
  const entryAt = (/** @type {number} */ i) =>
    kind === 'summaries' ? { key: keyAt(i), value: valueAt(values, i) } : { key: keyAt(i), value: values[i].value }
  const { open } = await load(peer)
  const start = performance.now()
  for (const name of names) {
    const store = await open(dir, name)
    for (let from = 0; from < count; from += BATCH_ENTRIES) {
      const length = Math.min(BATCH_ENTRIES, count - from)
      await store.setMany(Array.from({ length }, (_, i) => entryAt(from + i)))
    }
    await store.close()
  }
  return { ms: performance.now() - start }
}
