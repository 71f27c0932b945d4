// What a person wants to know of two runs: how long they took, what hit, what is stored only once, what was found.

import { relative } from 'node:path'
import { countText, sizeText, tableText, timeText } from './text.mjs'

/** @typedef {import('./analyze.mjs').RunReport} RunReport */
/** @typedef {import('./analyze.mjs').Effort} Effort */

/**
 * @param {{ dir: string, directories: readonly string[], first: RunReport, second: RunReport, isStyled: boolean }} input
 */
export function reportText({ dir, directories, first, second, isStyled }) {
  const title = `2 plugins, ${countText(second.fileCount)} files below ${directories.map(place).join(', ')}`
  const paragraphs = [
    [isStyled ? `\u001b[1m${title}\u001b[22m` : title, `Cache: ${place(dir)}`],
    [runsTable(first, second)],
    [...(first.firstTime ? [warmText(first)] : equalText(first)), savedText(first.firstTime ?? first, second)],
    [storedTable(second), sharedText(second)],
    [foundText(second), ...leftOutTexts(second)],
  ]
  return `${paragraphs.map(lines => lines.join('\n')).join('\n\n')}\n`
}

/** @param {string} path */
function place(path) {
  const fromHere = relative(process.cwd(), path)
  return fromHere.startsWith('..') ? path : fromHere || '.'
}

/**
 * @param {RunReport} first
 * @param {RunReport} second
 */
function runsTable(first, second) {
  const { firstTime } = first
  const efforts = [...(firstTime ? [firstTime] : []), first, second]
  /** @type {(name: string, cell: (effort: Effort) => string) => string[]} */
  const row = (name, cell) => [name, ...efforts.map(cell)]
  const reasons = new Set(efforts.flatMap(({ missReasons }) => Object.keys(missReasons)))
  return tableText([
    ['', ...(firstTime ? ['first time'] : []), 'first run', 'second run'],
    row('files', ({ fileCount }) => countText(fileCount)),
    row('time', ({ ms }) => timeText(ms)),
    row('  parsing', ({ parseMs }) => timeText(parseMs)),
    row('files/s', ({ fileCount, ms }) => countText(Math.round((fileCount * 1000) / ms))),
    row('hits', ({ hitCount }) => countText(hitCount)),
    row('misses', ({ missCount }) => countText(missCount)),
    ...Array.from(reasons, reason => row(`  ${reason}`, ({ missReasons }) => countText(missReasons[reason] ?? 0))),
  ])
}

/** @param {RunReport} first */
function warmText({ missCount, missedCount, missed }) {
  if (missCount === 0) return 'The cache was already warm: the first run hit from the first file on.'
  const names = missed.map(place).join(', ') + (missedCount > missed.length ? ', …' : '')
  return `The first run parsed ${countText(missedCount)} ${plural(missedCount)}: ${names}`
}

/** @param {RunReport} first */
function equalText({ hitCount }) {
  return hitCount > 0 ? ['The hits of the first run are of files that hold the same as another one.'] : []
}

/**
 * @param {Effort} firstTime
 * @param {RunReport} second
 */
function savedText(firstTime, second) {
  // Never negative: where nothing can be stored, the second run may just as well be the slower one.
  const savedMs = Math.max(0, firstTime.ms - second.ms)
  const savedParseMs = Math.max(0, firstTime.parseMs - second.parseMs)
  const ratio = (firstTime.ms / second.ms).toFixed(1)
  return `Time saved: ${timeText(savedMs)}, ${timeText(savedParseMs)} of it parsing; ${ratio} times as fast as the first time.`
}

/** @param {RunReport} run */
function storedTable({ alone, together }) {
  return tableText([
    ['', 'values', 'size', 'stored'],
    ...[...alone, together].map(({ name, valueCount, sizeBytes, distinctBytes }) => [
      name,
      countText(valueCount),
      sizeText(sizeBytes),
      sizeText(distinctBytes),
    ]),
  ])
}

/** @param {RunReport} run */
function sharedText({ alone, together, diskBytes }) {
  const apart = alone.reduce((sum, { distinctBytes }) => sum + distinctBytes, 0)
  const saved = sizeText(together.sizeBytes - together.distinctBytes)
  const shared = sizeText(apart - together.distinctBytes)
  return [
    `Space saved: ${saved} of equal values are stored once, ${shared} of it because both plugins have them.`,
    `On disk, with all indexes: ${sizeText(diskBytes)}.`,
  ].join('\n')
}

/** @param {RunReport} run */
function foundText({ symbolCount, importCount, failures }) {
  const found = `Found: ${countText(symbolCount)} symbols, ${countText(importCount)} imports`
  if (failures.length === 0) return `${found}.`
  const count = failures.length
  return `${found}. ${countText(count)} ${plural(count)} cannot be parsed, which is cached as well:\n${listText(failures)}`
}

/** @param {RunReport} run */
function leftOutTexts({ leftOut }) {
  if (leftOut.length === 0) return []
  const count = leftOut.length
  return [`${countText(count)} ${plural(count)} could not be read, or nest too deeply:\n${listText(leftOut)}`]
}

/** @param {import('./analyze.mjs').Problem[]} problems */
function listText(problems) {
  const shown = problems.slice(0, 3).map(({ path, message }) => `  ${place(path)}: ${message}`)
  return [...shown, ...(problems.length > shown.length ? ['  …'] : [])].join('\n')
}

/** @param {number} count */
const plural = count => (count === 1 ? 'file' : 'files')
