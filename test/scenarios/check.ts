// What a step gave against what the scenario expects of it.

import { relative, sep } from 'node:path'
import type { CacheStats, Explanation, GcReport, NamespaceStats } from '../../src/index.js'
import { differenceOf, type Memory, setDifferences, show, subsetDifferences } from './compare.js'
import type { ActorStep, CacheStep, CacheStepOf, ExpectedAnswer, WorldStep } from './format.js'
import type { Asked, Found, Listed, Outcome } from './outcome.js'
import type { CliOutcome } from './processes.js'
import { isTreeStep } from './tree.js'
import type { World } from './world.js'

/** Differences in words, none when all is as expected. Keeps what the step asks to remember. */
export function differencesIn(step: ActorStep, outcome: Outcome, memory: Memory, world: World): string[] {
  if (outcome.problem !== undefined) return [outcome.problem]
  if (isTreeStep(step) || step.step === 'another process') return []
  return [...differencesInOutcome(step, outcome, memory, world), ...differencesInWarnings(step, outcome)]
}

function differencesInOutcome(step: CacheStep, outcome: Outcome, memory: Memory, world: World): string[] {
  const expected = 'expect' in step ? step.expect : undefined
  const expectedCode = expected && 'error' in expected ? expected.error : undefined
  if (outcome.error) {
    const { code, message } = outcome.error
    if (code === expectedCode) return []
    return [`expected ${expectedCode ? `the error ${expectedCode}` : 'no error'}, got the error ${code}: ${message}`]
  }
  if (expectedCode) return [`expected the error ${expectedCode}, got none but ${show(outcome.result)}`]
  return differencesInResult(step, outcome, memory, world)
}

/** The cache warns once for each code: that may have been in an earlier step. */
function differencesInWarnings({ warns }: CacheStep, { warnings, warnedBefore }: Outcome): string[] {
  const isThere = warns === undefined || [...warnedBefore, ...warnings.map(({ code }) => code)].includes(warns)
  return [
    ...(isThere ? [] : [`expected the warning ${warns}, got none`]),
    ...warnings
      .filter(({ code }) => code !== warns)
      .map(({ code, message }) => `the cache warned: ${message} (${code})`),
  ]
}

function differencesInResult(step: CacheStep, outcome: Outcome, memory: Memory, world: World): string[] {
  const { result } = outcome
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
      return 'entries' in step.expect
        ? differencesInEntries(step.expect.entries, result as Listed[], memory, world)
        : []
    case 'keys':
      return 'keys' in step.expect ? setDifferences(step.expect.keys, result as string[]) : []
    case 'ask':
      return differencesInAnswer(step.expect, step.for, result as Asked, outcome.computed, world)
    case 'ask at once':
      return step.expect.answers.flatMap((answer, at) =>
        differencesInAnswer(answer, step.for[at] ?? '', (result as Asked[])[at] ?? {}, outcome.computed, world).map(
          line => `${step.for[at]}: ${line}`,
        ),
      )
    case 'explain':
      return differencesInExplanation(step, result as Explanation, memory, world)
    case 'namespaces':
      return setDifferences(step.expect.names, result as string[])
    case 'stats':
    case 'stats of all': {
      const stats = result as NamespaceStats | CacheStats
      remember(step.remember, stats, memory)
      const actual = 'projects' in stats ? { ...stats, projects: projectsIn(stats.projects, world) } : stats
      const differences = 'stats' in step.expect ? subsetDifferences(step.expect.stats, actual, memory) : []
      return [...differences, ...sumsThatDiffer(stats)]
    }
    case 'gc':
      return 'report' in step.expect ? subsetDifferences(step.expect.report, result as GcReport, memory) : []
    case 'close':
      return []
  }
}

function projectsIn(projects: Record<string, number>, world: World): Record<string, number> {
  return Object.fromEntries(Object.entries(projects).map(([dir, count]) => [inTree(world, dir), count]))
}

function inTree({ tree }: World, path: string): string {
  const place = relative(tree, path).split(sep).join('/')
  return place === '' ? '.' : place.startsWith('../') ? path : place
}

function differencesInAnswer(
  expect: ExpectedAnswer,
  name: string,
  asked: Asked,
  computed: readonly string[],
  world: World,
): string[] {
  const { value, valueOneOf, fails, reason, files } = expect
  const differences: string[] = []
  const got = asked.fails === undefined ? `the value ${show(asked.value)}` : `the failure ${show(asked.fails)}`
  const actual = asked.value === undefined ? undefined : world.withoutDirectories(asked.value)
  if (fails !== undefined) {
    if (asked.fails !== fails) differences.push(`expected the failure ${show(fails)}, got ${got}`)
  } else if (valueOneOf ? !valueOneOf.includes(actual as string) : actual !== value) {
    differences.push(`expected ${valueOneOf ? `one of ${show(valueOneOf)}` : `the value ${show(value)}`}, got ${got}`)
  }
  const { computed: expected } = expect
  const names = typeof expected === 'boolean' ? (expected ? [name] : []) : (expected as string[] | undefined)
  if (names && JSON.stringify(names) !== JSON.stringify(computed)) {
    differences.push(`computed: expected ${show(names)}, got ${show(computed)}`)
  }
  if (reason !== undefined && asked.reason !== reason) {
    differences.push(`reason: expected ${show(reason)}, got ${show(asked.reason ?? 'a hit')}`)
  }
  if (files) {
    const found = (asked.files ?? []).map(file => inTree(world, file))
    differences.push(...setDifferences(files, found).map(line => `files: ${line}`))
  }
  return differences
}

function differencesInExplanation(
  { expect }: CacheStepOf<'explain'>,
  { otherProjects, file, ...rest }: Explanation,
  memory: Memory,
  world: World,
): string[] {
  const actual = {
    ...rest,
    ...(file === undefined ? {} : { file: inTree(world, file) }),
    ...(otherProjects ? { otherProjects: otherProjects.map(each => each && inTree(world, each)) } : {}),
  }
  return subsetDifferences(expect, actual, memory)
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
  world: World,
) {
  const nameOf = ({ key, version = '' }: { key: string; version?: string }) =>
    version === '' ? key : `${key} of version ${version}`
  const listed = new Map(
    actual.map(entry => [
      nameOf(entry),
      {
        ...entry,
        project: entry.project && inTree(world, entry.project),
        files: entry.files.map(file => inTree(world, file)),
      },
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
