import { type Command, UsageError } from '../command.js'
import { formatCount, formatCountOf, formatRatio, formatTime, hitRateOf } from '../format.js'
import type { Output } from '../output.js'
import { printable } from '../printable.js'
import { type Cells, type Column, tableFor } from '../table.js'
import { linesOf } from '../trace/lines.js'
import { sumsOf, type TraceSums } from '../trace/sums.js'

const NAMESPACE: Column = { title: 'namespace', align: 'left', minWidth: 12 }
const KEY: Column = { title: 'key', align: 'left', minWidth: 16 }
const number = (title: string): Column => ({ title, align: 'right' })

function table(title: string, columns: readonly Column[], rows: readonly Cells[], stdout: Output): string[] {
  if (rows.length === 0) return []
  const { header, line } = tableFor(columns, rows, stdout)
  return ['', title, header(), ...rows.map(line)]
}

function textOf(sums: TraceSums, stdout: Output): string[] {
  const { questions, skippedLines, namespaces, reasons, slowest, mostMissed } = sums
  const skipped = skippedLines > 0 ? `, ${formatCountOf(skippedLines, 'other line', 'other lines')}` : ''
  return [
    `${formatCountOf(questions, 'question', 'questions')}${skipped}`,
    ...table(
      'By namespace:',
      [NAMESPACE, number('questions'), number('hits'), number('misses'), number('hit rate'), number('time')],
      Object.entries(namespaces).map(([name, { questions: asked, hits, misses, ms }]) => [
        printable(name),
        ...[asked, hits, misses].map(formatCount),
        formatRatio(hitRateOf(hits, misses)),
        formatTime(ms),
      ]),
      stdout,
    ),
    ...table(
      'Misses by reason:',
      [{ title: 'reason', align: 'left' }, number('misses')],
      Object.entries(reasons).map(([reason, count]) => [printable(reason), formatCount(count)]),
      stdout,
    ),
    ...table(
      'Slowest:',
      [number('time'), number('computing'), { title: 'answer', align: 'left' }, NAMESPACE, KEY],
      slowest.map(({ ms, computeMs, isHit, reason = 'miss', namespace, key }) => [
        formatTime(ms),
        isHit || computeMs === undefined ? '-' : formatTime(computeMs),
        isHit ? 'hit' : printable(reason),
        printable(namespace),
        printable(key),
      ]),
      stdout,
    ),
    ...table(
      'Most missed:',
      [number('misses'), number('time'), NAMESPACE, KEY],
      mostMissed.map(({ misses, ms, namespace, key }) => [
        formatCount(misses),
        formatTime(ms),
        printable(namespace),
        printable(key),
      ]),
      stdout,
    ),
  ]
}

async function* linesIn(file: string): AsyncGenerator<string | undefined> {
  try {
    yield* linesOf(file)
  } catch (error) {
    if ((error as { syscall?: unknown }).syscall === undefined) throw error
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`)
  }
}

export const trace: Command = {
  name: 'trace',
  summary: 'Sum up what $WICKED_CACHE_TRACE has recorded',
  details:
    'With WICKED_CACHE_TRACE=FILE in its environment, a program appends a line of JSON to the file for each question that it ' +
    'asks a cache: key, reason, inputs, times. Shown are hits and misses by namespace, misses by reason, the slowest questions ' +
    'and the keys that missed most. Times are from the question to the answer, computing included. ' +
    'Lines that are no questions are skipped and counted.',
  parameters: [{ name: 'file', describe: 'The file that WICKED_CACHE_TRACE named' }],
  options: {},
  examples: [
    ['WICKED_CACHE_TRACE=trace.jsonl npm run lint', 'Record the questions of a run'],
    ['wicked-cache trace trace.jsonl', 'Where did the time go?'],
    ['wicked-cache trace trace.jsonl --json', 'The same for a program'],
  ],

  async run([file = ''], { json }, { stdout }) {
    const sums = await sumsOf(linesIn(file))
    if (json) await stdout.json(sums)
    else await stdout.line(textOf(sums, stdout).join('\n'))
    return 0
  },
}
