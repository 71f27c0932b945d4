// Expected against actual, with the differences in words.

import { isDeepStrictEqual } from 'node:util'

/** What steps remembered under names, for later steps to compare with. */
export type Memory = Map<string, unknown>

const COMPARISON = /^(=|<|<=|>|>=) (?:(\d+) \* )?(-?\d+|[a-z][a-z ]*)$/

export interface Comparison {
  operator: '=' | '<' | '<=' | '>' | '>='
  factor: number
  /** A number in digits, or the name of a remembered one. */
  operand: string
}

/** `">= 1"`, `"= 2 * one copy"`; undefined for any other text. */
export function parseComparison(text: string): Comparison | undefined {
  const [, operator, factor = '1', operand] = COMPARISON.exec(text) ?? []
  if (operator === undefined || operand === undefined) return undefined
  return { operator: operator as Comparison['operator'], factor: Number(factor), operand }
}

const SHOWN = 300

/** A value as a reader of the scenario would write it, cut where it is long. */
export function show(value: unknown): string {
  const shown = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
  return shown.length <= SHOWN ? shown : `${shown.slice(0, SHOWN)}… (${shown.length} characters)`
}

/** Undefined when the values are equal in type, content and prototype. */
export function differenceOf(expected: unknown, actual: unknown): string | undefined {
  if (isDeepStrictEqual(expected, actual)) return undefined
  const place = firstDifference(expected, actual, 'value')
  return `expected the value ${show(expected)}, got ${show(actual)}${place === 'value' ? '' : `; the first difference is at ${place}`}`
}

function firstDifference(expected: unknown, actual: unknown, at: string): string {
  if (typeof expected !== 'object' || typeof actual !== 'object' || !expected || !actual) return at
  for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    if (!Object.hasOwn(expected, name) || !Object.hasOwn(actual, name)) return `${at}.${name}`
    const [one, other] = [(expected as Record<string, unknown>)[name], (actual as Record<string, unknown>)[name]]
    if (!isDeepStrictEqual(one, other)) return firstDifference(one, other, `${at}.${name}`)
  }
  return at
}

/**
 * Differences from what is expected: of objects only the fields that are named count, but `{}` stands for an empty one; a
 * text expected in place of a number is a comparison.
 */
export function subsetDifferences(expected: unknown, actual: unknown, memory: Memory, at = ''): string[] {
  const where = at === '' ? '' : `${at}: `
  const differs = () => [`${where}expected ${show(expected)}, got ${show(actual)}`]
  if (typeof actual === 'number' && typeof expected === 'string') {
    const problem = comparisonProblem(expected, actual, memory)
    return problem === undefined ? [] : [`${where}${problem}`]
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return differs()
    return expected.flatMap((each, index) => subsetDifferences(each, actual[index], memory, `${at}[${index}]`))
  }
  if (typeof expected !== 'object' || expected === null) return isDeepStrictEqual(expected, actual) ? [] : differs()
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return differs()
  const names = Object.keys(expected)
  if (names.length === 0) return Object.keys(actual).length === 0 ? [] : differs()
  return names.flatMap(name => {
    const inner = at === '' ? name : `${at}.${name}`
    if (!Object.hasOwn(actual, name)) return [`${inner}: it is missing`]
    const [one, other] = [(expected as Record<string, unknown>)[name], (actual as Record<string, unknown>)[name]]
    return subsetDifferences(one, other, memory, inner)
  })
}

function comparisonProblem(expected: string, actual: number, memory: Memory): string | undefined {
  const comparison = parseComparison(expected)
  if (!comparison) return `expected the text ${show(expected)}, got the number ${actual}`
  const { operator, factor, operand } = comparison
  const base = /\d/.test(operand) ? Number(operand) : memory.get(operand)
  if (typeof base !== 'number') return `no number is remembered as "${operand}"`
  const bound = factor * base
  const holds = {
    '=': actual === bound,
    '<': actual < bound,
    '<=': actual <= bound,
    '>': actual > bound,
    '>=': actual >= bound,
  }[operator]
  return holds
    ? undefined
    : `expected ${expected}${expected.includes(String(bound)) ? '' : ` (${bound})`}, got ${actual}`
}

/** Differences between lists whose order does not matter. */
export function setDifferences(expected: readonly string[], actual: readonly string[]): string[] {
  const missing = without(expected, actual)
  const extra = without(actual, expected)
  return [
    ...(missing.length > 0 ? [`missing: ${show(missing)}`] : []),
    ...(extra.length > 0 ? [`not expected: ${show(extra)}`] : []),
  ]
}

function without(items: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return items.filter(item => {
    const at = left.indexOf(item)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}
