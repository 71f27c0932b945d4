// The results as a page: the bars first, then a table for each question, then how it was done.

import { median, spread } from '../measure.mjs'
import { OURS, PEERS } from '../peers/list.mjs'
import { bars } from './bars.mjs'
import { figure, percent } from './text.mjs'

/**
 * @typedef {object} About
 * @property {Record<string, string>} machine
 * @property {Record<string, string>} versions by package
 * @property {readonly { name: string, why: string }[]} missing peers that do not work there
 * @property {Record<string, number>} facts
 * @property {number} minutes
 * @property {boolean} isWhole
 */

/**
 * @param {import('../measure.mjs').Results} results
 * @param {About} about
 */
export function resultsText(results, about) {
  const tables = [...new Set(results.lines.map(({ table }) => table))]
  return `${[
    '# Results',
    about.isWhole ? INTRODUCTION : `${INTRODUCTION} **A partial or quick run: smaller sizes, fewer rounds.**`,
    '## Bars',
    barsTable(results),
    ...tables.flatMap(table => [`## ${table}`, tableText(results, table)]),
    '## How it was done',
    howText(about),
  ].join('\n\n')}\n`
}

const INTRODUCTION =
  'Written by `npm run bench`. Medians, with half the distance between the quartiles as a part of them. All contenders ' +
  'took turns in one run; ratios hold elsewhere, absolute figures do not.'

/** @param {import('../measure.mjs').Results} results */
function barsTable(results) {
  const rows = bars(results).map(({ what, bar, stretch, measured, best, unit, isLeast, isMet, isStretched }) => {
    const limit = (/** @type {number | undefined} */ at) =>
      at === undefined ? '' : `at ${isLeast ? 'least' : 'most'} ${at} ${unit}`.trimEnd()
    if (Number.isNaN(measured)) return [what, limit(bar), limit(stretch), 'not measured', '']
    const range = best === undefined ? '' : `${figure(best)} to `
    const verdict = isStretched
      ? 'met, stretch too'
      : isMet
        ? 'met'
        : bar === undefined
          ? 'stretch not met'
          : '**not met**'
    return [what, limit(bar), limit(stretch), `${range}${figure(measured)} ${unit}`.trimEnd(), verdict]
  })
  return markdown(['what', 'bar', 'stretch', 'measured', ''], rows)
}

/** @param {import('../measure.mjs').Results} results @param {string} table */
export function tableText(results, table) {
  const lines = results.lines.filter(line => line.table === table)
  const columns = results.columns(table)
  const contenders = [...new Set(lines.map(({ contender }) => contender))]
  const at = (/** @type {string} */ column, /** @type {string} */ contender) =>
    lines.find(line => line.column === column && line.contender === contender)
  const rows = contenders.map(contender => [
    contender === OURS ? `**${contender}**` : contender,
    ...columns.map(column => {
      const line = at(column, contender)
      return line ? cellText(line) : ''
    }),
  ])
  const ratios = columns.map(column => ratioToBest(lines.filter(line => line.column === column)))
  if (ratios.some(ratio => ratio !== undefined)) {
    const cells = ratios.map(ratio => (ratio === undefined ? '' : `**${figure(ratio)}**`))
    rows.push(['wicked-cache to the best peer, below 1 is better', ...cells])
  }
  return markdown(['', ...columns], rows)
}

/** @param {import('../measure.mjs').Line} line */
function cellText({ samples, unit }) {
  const around = spread(samples)
  const isSpread = samples.length > 1 && Number.isFinite(around)
  return `${`${figure(median(samples))} ${unit}`.trimEnd()}${isSpread ? ` ± ${percent(around)}` : ''}`
}

/**
 * Below 1 where ours is the better one.
 *
 * @param {readonly import('../measure.mjs').Line[]} lines of one column
 */
export function ratioToBest(lines) {
  const ours = lines.find(({ contender, isPeer }) => isPeer && contender === OURS)
  const others = lines.filter(({ contender, isPeer }) => isPeer && contender !== OURS)
  if (!ours || others.length === 0) return undefined
  const values = others.map(({ samples }) => median(samples))
  const own = median(ours.samples)
  const ratio = ours.better === 'lower' ? own / Math.min(...values) : Math.max(...values) / own
  return Number.isFinite(ratio) && ratio > 0 ? ratio : undefined
}

/** @param {About} about */
function howText({ machine, versions, missing, facts, minutes }) {
  const peers = PEERS.map(({ name, packageName, how, maxEntries, why }) => [
    name,
    packageName ? `${versions[packageName] ?? ''}` : '',
    how,
    Number.isFinite(maxEntries) ? `${maxEntries > 0 ? `up to ${figure(maxEntries)} entries: ` : ''}${why}` : '',
  ])
  const sizes = ['summaryBytes', 'acornBytes', 'babelBytes'].map(name => figure(facts[name] ?? Number.NaN))
  return [
    markdown(['machine', ''], Object.entries({ ...machine, 'the run took': `${minutes} minutes` })),
    'None of the contenders syncs to disk with each set: what they have stored survives a kill of the process, not a power cut.',
    markdown(['peer', 'version', 'used with', 'bound, and why'], peers),
    ...missing.map(({ name, why }) => `Without ${name}, which does not work here: ${why}`),
    `Values are made from source files of installed packages: summaries (imports, exports, functions) with a median of ${sizes[0]} bytes as JSON, acorn trees of ${sizes[1]} and Babel trees of ${sizes[2]}. ` +
      'Entries beyond the number of files get summaries that differ in their path. A peer that answers at once is called in a plain loop, in one event-loop turn; one that returns promises is awaited. Whole processes are timed from outside, each right after a bare `node` on an empty module, and what it adds is taken from that one. CPU times of whole processes are those of several runs in a row, in pairs with as many of a bare `node`; those with a compile cache `require` a library after `enableCompileCache()`, the others `import` it. Bars of syntax trees count acorn, meriyah, typescript-estree, oxc and Babel; the worst one decides.',
  ].join('\n\n')
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function markdown(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
