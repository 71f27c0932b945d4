// What a hit saves: parsing the same files again.
import { readFileSync } from 'node:fs'
import { treeOf, typedTreeOf } from '../corpus/analysis.mjs'
import { timeEach } from './timing.mjs'

/** @param {{ corpus: string, kind: 'acorn' | 'babel', budgetMs: number }} args */
export async function run({ corpus, kind, budgetMs }) {
  /** @type {{ text: string }[]} */
  const sources = JSON.parse(readFileSync(corpus, 'utf8'))[kind]
  const textAt = (/** @type {number} */ i) => sources[i % sources.length]?.text ?? ''
  const parse = (/** @type {number} */ i) => (kind === 'acorn' ? treeOf(textAt(i)) : typedTreeOf(textAt(i)))
  await timeEach(false, 2 * sources.length, parse, 2 * budgetMs)
  return { us: await timeEach(false, Number.POSITIVE_INFINITY, parse, budgetMs) }
}
