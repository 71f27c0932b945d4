// The parts of our own calls, as far as they can be had apart: `has` looks up and judges but reads no value, cbor-x alone
// decodes or encodes the same value.
import { readFileSync } from 'node:fs'
import { decode, Encoder } from 'cbor-x'
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
  const encoder = new Encoder()
  const messages = values.map(value => Buffer.from(encoder.encode(value)))
  const keys = values.map((_, i) => keyAt(i))
  const time = async (/** @type {(i: number) => unknown} */ call) => {
    await timeEach(false, Number.POSITIVE_INFINITY, i => call(i % count), budgetMs)
    return timeEach(false, Number.POSITIVE_INFINITY, i => call(i % count), budgetMs)
  }
  const get = await time(i => entries.get(keys[i] ?? ''))
  const look = await time(i => entries.has(keys[i] ?? ''))
  const decoding = await time(i => decode(/** @type {Buffer} */ (messages[i])))
  const set = await time(i => entries.set(keys[i] ?? '', values[i]))
  const encoding = await time(i => encoder.encode(values[i]))
  cache.close()
  return { get, look, decoding, set, encoding }
}
