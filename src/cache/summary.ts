// Counts what this thread reads and stores, for `cache.summary()` and `$WICKED_CACHE_SUMMARY`.

import type { NamespaceSummary } from '../api/index.js'
import { LISTS_DIRECTORY } from '../base/layout.js'
import { unescapeNamespace } from '../base/namespace-name.js'
import { sharedState } from '../base/shared-state.js'
import type { Counters } from '../counters/counters.js'
import type { Counts } from '../counters/names.js'
import { noCounts } from '../counters/totals.js'
import { nodeFiles } from '../files/files.js'
import { summaryFrom } from '../namespace/stats.js'

/** The storage of one root. */
interface Counted {
  namespaces: ReadonlyMap<string, { counters: Pick<Counters, 'own'> }>
}

/** The namespaces that were used, by name. */
export function summaryOf(counted: readonly Counted[]): Record<string, NamespaceSummary> {
  const sums = new Map<string, Counts>()
  for (const [directory, { counters }] of counted.flatMap(({ namespaces }) => [...namespaces])) {
    const own = counters.own()
    if (directory === LISTS_DIRECTORY || own.length === 0) continue
    const name = unescapeNamespace(directory) ?? directory
    const sum = sums.get(name) ?? noCounts()
    for (const [counter, count] of own) sum[counter] += count
    sums.set(name, sum)
  }
  // Not by assignment, which would lose a namespace that is called `__proto__`.
  return Object.fromEntries(Array.from(sums, ([name, sum]) => [name, summaryFrom(sum)]))
}

const STDERR = 2
/** As much as a pipe takes in one piece, so that the lines of several processes don't mix: PIPE_BUF. A line is shorter. */
const MAX_WRITE_BYTES = 4096
/** Of the roots that this thread has opened, those closed since included. */
const summarized: Counted[] = []

/** Prints the counts when the thread ends. */
export function summarizeAtExit(counted: Counted): void {
  if (summarized.length === 0) sharedState().exitTasks.add(print)
  summarized.push(counted)
}

/** Writes to the descriptor directly: a worker's last output to `process.stderr` would get lost. */
function print(): void {
  const lines = Object.entries(summaryOf(summarized)).map(([name, summary]) => lineOf(name, summary))
  try {
    for (const bytes of piecesOf(lines)) nodeFiles.append(STDERR, bytes, bytes.length)
  } catch {
    // No one reads stderr.
  }
}

/** Whole lines, as many as one write takes. */
function* piecesOf(lines: readonly string[]): IterableIterator<Buffer> {
  let piece = Buffer.alloc(0)
  for (const line of lines.map(text => Buffer.from(text))) {
    if (piece.length > 0 && piece.length + line.length > MAX_WRITE_BYTES) {
      yield piece
      piece = Buffer.alloc(0)
    }
    piece = Buffer.concat([piece, line])
  }
  if (piece.length > 0) yield piece
}

function lineOf(name: string, summary: NamespaceSummary): string {
  const { hitCount, missCount, missReasons, savedMs, computedMs, setCount } = summary
  const reasons = Object.entries(missReasons).sort(([, a], [, b]) => b - a)
  const why = missCount === 0 ? '' : ` (${reasons.map(([reason, count]) => `${count} ${reason}`).join(', ')})`
  const time =
    savedMs + computedMs === 0 ? '' : `, saved ${secondsText(savedMs)} of ${secondsText(savedMs + computedMs)}`
  const [hits, misses] = [hitCount === 1 ? 'hit' : 'hits', missCount === 1 ? 'miss' : 'misses']
  const text = `wicked-cache ${name}: ${hitCount} ${hits}, ${missCount} ${misses}${why}${time}, stored ${setCount}`
  // A name may hold anything.
  return `${text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, char => `\\u{${char.codePointAt(0)?.toString(16)}}`)}\n`
}

function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 0)} s`
}
