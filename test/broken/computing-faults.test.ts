// Disk faults during getOrSet: whatever fails, the caller gets its value, and stored results are right.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AnalyzeContext, ComputeContext, Namespace } from '../../src/index.js'
import { directory, FAULTS, neighbour, type Operation, source, sweep } from './sweep.js'

const compute = () => 'computed'
const fromSources = (context: ComputeContext) => {
  context.exists(join(directory, 'missing'))
  return `of ${context.readFile(source)}`
}
const alone = (context: AnalyzeContext) => `result of ${context.source}`
const withNeighbour = (context: AnalyzeContext) => `${context.source}, ${context.readFile(neighbour)}`

/** The value, whether it was computed, and whether it is there now. */
function getOrSet(entries: Namespace, key: string, work: (context: ComputeContext) => string) {
  let isComputed = false
  const value = entries.getOrSetSync(key, context => {
    isComputed = true
    return work(context)
  })
  return [value, isComputed, entries.has(key)]
}

function analyze(entries: Namespace, work: (context: AnalyzeContext) => string) {
  let isComputed = false
  const value = entries.analyzeSync('result', source, context => {
    isComputed = true
    return work(context)
  })
  return [value, isComputed]
}

const OF_SOURCES = 'of const a = 1'
const RESULT = 'result of const a = 1'
const RESULT_WITH = 'const a = 1, const a = 1'

const OPERATIONS: Operation[] = [
  {
    name: 'getOrSet of a new key',
    run: entries => getOrSet(entries, 'new', compute),
    outcomes: [
      { gives: ['computed', true, true], holds: { new: ['computed'] } },
      { gives: ['computed', true, false], holds: { new: ['computed', undefined] } },
    ],
  },
  {
    name: 'getOrSet with sources',
    isOfStoreAlone: true,
    run: entries => getOrSet(entries, 'new', fromSources),
    outcomes: [
      { gives: [OF_SOURCES, true, true], holds: { new: [OF_SOURCES] } },
      { gives: [OF_SOURCES, true, false], holds: { new: [OF_SOURCES, undefined] } },
    ],
  },
  {
    name: 'getOrSet of a known key',
    run: entries => getOrSet(entries, 'plain', compute),
    outcomes: [
      { gives: ['text', false, true] },
      { gives: ['text', false, false] },
      { gives: ['computed', true, true], holds: { plain: ['computed', 'text'] } },
      { gives: ['computed', true, false], holds: { plain: ['computed', 'text'] } },
    ],
  },
  {
    name: 'a wrapped function',
    run: entries => entries.wrapSync('wrapped', (of: number) => ({ of }))(7),
    outcomes: [{ gives: { of: 7 } }],
  },
  {
    name: 'analyze of a new file',
    isOfStoreAlone: true,
    run: entries => analyze(entries, alone),
    outcomes: [{ gives: [RESULT, true] }],
  },
  {
    name: 'analyze with another source',
    isOfStoreAlone: true,
    run: entries => analyze(entries, withNeighbour),
    outcomes: [{ gives: [RESULT_WITH, true] }],
  },
  {
    name: 'analyze of a known file',
    isOfStoreAlone: true,
    before: entries => analyze(entries, alone),
    run: entries => analyze(entries, alone),
    outcomes: [{ gives: [RESULT, false] }, { gives: [RESULT, true] }],
  },
  {
    name: 'analyze of a known file with another source',
    isOfStoreAlone: true,
    before: entries => analyze(entries, withNeighbour),
    run: entries => analyze(entries, withNeighbour),
    outcomes: [{ gives: [RESULT_WITH, false] }, { gives: [RESULT_WITH, true] }],
  },
  {
    name: 'close',
    before: entries => analyze(entries, alone),
    run: (_entries, cache) => {
      cache.close()
      return 'closed'
    },
    outcomes: [{ gives: 'closed' }],
  },
]

describe.each(OPERATIONS)('$name', operation => {
  test.each(FAULTS)('withstands $code, $span', kind => {
    sweep(operation, kind, true)
    expect(sweep(operation, kind, false)).toBeGreaterThan(0)
  })
})
