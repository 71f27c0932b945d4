// Parses the sources once and leaves summaries and trees in a file for all other tasks.
import { writeFileSync } from 'node:fs'
import { plain, summaryOf, treeOf, typedTreeOf } from '../corpus/analysis.mjs'
import { readSource, sourcePaths, typedSourcePaths } from '../corpus/sources.mjs'

/** Nobody caches the tree of a file of two lines. */
const MIN_TREE_SOURCE = 1000

/** @param {{ file: string, summaryCount: number, treeCount: number }} args */
export function run({ file, summaryCount, treeCount }) {
  /** @type {{ path: string, text: string }[]} */
  const sources = []
  const summaries = []
  for (const path of sourcePaths()) {
    if (summaries.length === summaryCount) break
    const text = readSource(path)
    const summary = text && summaryOf(text)
    if (!summary) continue
    summaries.push(summary)
    sources.push({ path, text })
  }
  const acorn = sources
    .filter(({ text }) => text.length >= MIN_TREE_SOURCE)
    .slice(0, treeCount)
    .map(({ path, text }) => ({ path, text, value: plain(treeOf(text)) }))
  const babel = typedSourcePaths()
    .slice(0, Math.ceil(treeCount / 5))
    .map(path => {
      const text = readSource(path) ?? ''
      return { path, text, value: plain(typedTreeOf(text)) }
    })
  writeFileSync(file, JSON.stringify({ summaries, acorn, babel }))
  const jsonBytes = (/** @type {unknown[]} */ values) =>
    values.map(value => JSON.stringify(value).length).sort((a, b) => a - b)[values.length >> 1]
  return {
    summaryBytes: jsonBytes(summaries),
    acornBytes: jsonBytes(acorn.map(({ value }) => value)),
    babelBytes: jsonBytes(babel.map(({ value }) => value)),
  }
}
