// The parts of our own calls, as far as they can be had apart: `has` looks up and judges but reads no value, JSON alone
// parses or writes the same value.
import { readFileSync } from 'node:fs'
import { openCacheSync } from '../../dist/index.js'
import { keyAt, valueAt } from '../corpus/entries.mjs'
import { timeEach } from './timing.mjs'

/** @param {{ dir: string, corpus: string, kind: 'summaries' | 'acorn' | 'babel', count: number, budgetMs: number }} args */
export async function run({ dir, corpus, kind, count, budgetMs }) {
  const loaded = JSON.parse(readFileSync(corpus, 'utf8'))[kind]
  const values = Array.from({ length: count }, (_, i) => (kind === 'summaries' ? valueAt(loaded, i) : loaded[i].value))
  const cache = openCacheSync({ dir })
  const entries = cache.namespace('parts')
  entries.setMany(values.map((value, i) => ({ key: keyAt(i), value })))
  const texts = values.map(value => JSON.stringify(value))
  const keys = values.map((_, i) => keyAt(i))
  const time = async (/** @type {(i: number) => unknown} */ call) => {
    await timeEach(false, Number.POSITIVE_INFINITY, i => call(i % count), budgetMs)
    return timeEach(false, Number.POSITIVE_INFINITY, i => call(i % count), budgetMs)
  }
  const get = await time(i => entries.get(keys[i] ?? ''))
  const look = await time(i => entries.has(keys[i] ?? ''))
  const decoding = await time(i => JSON.parse(texts[i] ?? ''))
  const set = await time(i => entries.set(keys[i] ?? '', values[i]))
  const encoding = await time(i => JSON.stringify(values[i]))
  cache.close()
  return { get, look, decoding, set, encoding }
}
