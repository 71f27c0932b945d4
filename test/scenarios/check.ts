// What a step gave against what the scenario expects of it.

import { relative, sep } from 'node:path'
import type { CacheStats, GcReport, NamespaceStats } from '../../src/index.js'
import { differenceOf, type Memory, setDifferences, show, subsetDifferences } from './compare.js'
import type { CacheStep, CacheStepOf, WorldStep } from './format.js'
import type { Found, Listed, Outcome } from './perform.js'
import type { CliOutcome } from './processes.js'

/** Differences in words, none when all is as expected. Keeps what the step asks to remember. */
export function differencesIn(step: CacheStep, outcome: Outcome, memory: Memory, tree: string): string[] {
  const expected = 'expect' in step ? step.expect : undefined
  const expectedCode = expected && 'error' in expected ? expected.error : undefined
  if ('error' in outcome) {
    const { code, message } = outcome.error
    if (code === expectedCode) return []
    return [`expected ${expectedCode ? `the error ${expectedCode}` : 'no error'}, got the error ${code}: ${message}`]
  }
  if (expectedCode) return [`expected the error ${expectedCode}, got none but ${show(outcome.result)}`]
  return differencesInResult(step, outcome.result, memory, tree)
}

function differencesInResult(step: CacheStep, result: unknown, memory: Memory, tree: string): string[] {
  switch (step.step) {
    case 'set':
      return same('stored', { stored: true, ...step.expect }.stored, result)
    case 'set many':
      return same('count', { count: step.entries.length, ...step.expect }.count, result)
    case 'get':
      return differencesInGet(step, result as Found, memory)
    case 'get many':
      return differencesInGetMany(step, result as Found[])
    case 'has':
      return 'found' in step.expect ? same('found', step.expect.found, result) : []
    case 'delete':
    case 'invalidate':
      return 'removed' in step.expect ? same('removed', step.expect.removed, result) : []
    case 'clear':
      return 'count' in step.expect ? same('count', step.expect.count, result) : []
    case 'list':
    case 'find':
      return 'entries' in step.expect ? differencesInEntries(step.expect.entries, result as Listed[], memory, tree) : []
    case 'keys':
      return 'keys' in step.expect ? setDifferences(step.expect.keys, result as string[]) : []
    case 'namespaces':
      return setDifferences(step.expect.names, result as string[])
    case 'stats':
    case 'stats of all': {
      const stats = result as NamespaceStats | CacheStats
      remember(step.remember, stats, memory)
      const differences = 'stats' in step.expect ? subsetDifferences(step.expect.stats, stats, memory) : []
      return [...differences, ...sumsThatDiffer(stats)]
    }
    case 'gc':
      return 'report' in step.expect ? subsetDifferences(step.expect.report, result as GcReport, memory) : []
    case 'close':
      return []
  }
}

function same(what: string, expected: boolean | number | undefined, actual: unknown): string[] {
  return expected === actual ? [] : [`${what}: expected ${show(expected)}, got ${show(actual)}`]
}

function differencesInGet({ expect, remember: name }: CacheStepOf<'get'>, found: Found, memory: Memory): string[] {
  if (name !== undefined && 'value' in found) memory.set(name, found.value)
  if ('miss' in expect) return 'miss' in found ? [] : [`expected a miss, got the value ${show(found.value)}`]
  if ('remembered' in expect && !memory.has(expect.remembered))
    return [`no value is remembered as "${expect.remembered}"`]
  const values =
    'valueOneOf' in expect
      ? expect.valueOneOf
      : ['remembered' in expect ? memory.get(expect.remembered) : 'value' in expect ? expect.value : undefined]
  if ('miss' in found)
    return [
      `expected ${values.length > 1 ? 'one of the values' : 'the value'} ${values.map(show).join(', ')}, got a miss`,
    ]
  const differences = values.map(value => differenceOf(value, found.value))
  if (differences.includes(undefined)) return []
  return differences.length === 1
    ? [differences[0] as string]
    : [`got none of the values expected, but ${show(found.value)}`]
}

function differencesInGetMany({ expect, keys }: CacheStepOf<'get many'>, results: Found[]): string[] {
  if ('error' in expect) return []
  if (results.length !== expect.results.length)
    return [`expected ${expect.results.length} results, got ${results.length}`]
  return expect.results.flatMap((each, index) => {
    const difference = differenceOf(each, results[index])
    return difference === undefined ? [] : [`key ${show(keys[index])}: ${difference}`]
  })
}

type ExpectedEntry = Extract<CacheStepOf<'list'>['expect'], { entries: unknown }>['entries'][number]

function differencesInEntries(
  expected: readonly ExpectedEntry[],
  actual: readonly Listed[],
  memory: Memory,
  tree: string,
) {
  const nameOf = ({ key, version = '' }: { key: string; version?: string }) =>
    version === '' ? key : `${key} of version ${version}`
  const listed = new Map(
    actual.map(entry => [
      nameOf(entry),
      { ...entry, files: entry.files.map(file => relative(tree, file).split(sep).join('/')) },
    ]),
  )
  return [
    ...setDifferences(expected.map(nameOf), actual.map(nameOf)),
    ...expected.flatMap(entry => {
      const other = listed.get(nameOf(entry))
      return other ? subsetDifferences(entry, other, memory, nameOf(entry)) : []
    }),
  ]
}

function remember(names: Record<string, string> | undefined, stats: object, memory: Memory): void {
  for (const [name, field] of Object.entries(names ?? {})) memory.set(name, (stats as Record<string, unknown>)[field])
}

/** What must hold between the numbers whatever the scenario expects. */
function sumsThatDiffer(stats: NamespaceStats | CacheStats): string[] {
  const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0)
  const equal = (what: string, expected: number, actual: number) =>
    expected === actual ? [] : [`${what} is ${actual}, but its parts add up to ${expected}`]
  const differences = equal('missCount', sum(Object.values(stats.missReasons)), stats.missCount)
  if (!('namespaces' in stats)) return differences
  const all = Object.values(stats.namespaces)
  for (const field of ['entryCount', 'hitCount', 'missCount', 'setCount', 'totalSize'] as const) {
    differences.push(...equal(field, sum(all.map(each => each[field])), stats[field]))
  }
  return [...differences, ...equal('totalSize', stats.uniqueSize + stats.savedBytes, stats.totalSize)]
}

type CliExpectation = Extract<WorldStep, { step: 'run cli' }>['expect']

export function differencesInCli(expect: CliExpectation, outcome: CliOutcome, memory: Memory): string[] {
  const { exitCode, stdout, stderr } = outcome
  const without = (texts: readonly string[] = [], all: string) => texts.filter(text => !all.includes(text))
  const differences = [
    ...(expect.stdout === undefined || expect.stdout === stdout
      ? []
      : [`expected the output ${show(expect.stdout)}, got ${show(stdout)}`]),
    ...without(expect.stdoutHas, stdout).map(text => `expected ${show(text)} in the output ${show(stdout)}`),
    ...without(expect.stderrHas, stderr).map(text => `expected ${show(text)} in the messages ${show(stderr)}`),
    ...('json' in expect ? inJson(stdout, value => subsetDifferences(expect.json, value, memory, 'json')) : []),
    ...(expect.jsonLines !== undefined
      ? inJson(`[${stdout.trimEnd().replaceAll('\n', ',')}]`, lines =>
          lineDifferences(expect.jsonLines ?? [], lines as unknown[], memory),
        )
      : []),
  ]
  if (exitCode !== expect.exitCode) differences.unshift(`expected the exit code ${expect.exitCode}, got ${exitCode}`)
  if (exitCode === 0 && stderr !== '') differences.push('expected no messages beside the output')
  // What it said is the reason for most of the differences.
  return differences.length > 0 && stderr !== '' ? [...differences, `it said: ${stderr.trimEnd()}`] : differences
}

/** Lists are in no order: each expected line must be one of the printed ones, and none may be left over. */
function lineDifferences(expected: readonly unknown[], lines: readonly unknown[], memory: Memory): string[] {
  const left = [...lines]
  const missing = expected.filter(each => {
    const at = left.findIndex(line => subsetDifferences(each, line, memory).length === 0)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  return [
    ...missing.map(each => `no line is like ${show(each)}`),
    ...left.map(line => `not expected: the line ${show(line)}`),
  ]
}

function inJson(text: string, check: (value: unknown) => string[]): string[] {
  try {
    return check(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) return [`expected JSON, got the output ${show(text)}`]
    throw error
  }
}
