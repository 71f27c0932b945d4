// Says why a value can't be stored and where in it the reason is. The path is built while the error passes up the walk, so
// storable values pay nothing for it.

import { CacheError, isStackOverflow } from '../base/errors.js'

/** A property name, an array index, or the n-th key or value of a Map or Set. */
export type Segment = string | number | readonly ['keys' | 'values', number]

const SHOWN_SEGMENTS = 24

/** Internal. Callers of `encode` get a `CacheError` instead. */
export class Refusal extends Error {
  readonly value: unknown
  /** The path, innermost container first. */
  readonly holders: object[] = []
  readonly segments: Segment[] = []

  constructor(reason: string, value: unknown, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause })
    this.value = value
  }
}

/** Adds a step to the path: the error was thrown in `holder` at `segment`. */
export function refusalIn(error: unknown, holder: object, segment: Segment): Refusal {
  const refusal = error instanceof Refusal ? error : new Refusal(reasonOf(error), holder, error)
  refusal.holders.push(holder)
  refusal.segments.push(segment)
  return refusal
}

/** The public error for anything that the walk throws. */
export function refusedError(error: unknown, root: unknown): CacheError {
  const refusal = error instanceof Refusal ? error : new Refusal(reasonOf(error), root, error)
  const holders = refusal.holders.toReversed()
  const segments = refusal.segments.toReversed()
  const { cause } = refusal
  const repeat = firstRepeat(holders)
  if (repeat) {
    const [first, again] = repeat
    const cycle = `${pathOf(segments.slice(0, again))} refers back to ${pathOf(segments.slice(0, first))}`
    return valueError(`${cycle}, and only a cyclic namespace stores cycles`, holders[again], cause)
  }
  return valueError(`${pathOf(segments)} ${refusal.message}`, refusal.value, cause)
}

/** The public error for anything thrown while writing a value that passed the walk. */
export function unwrittenError(error: unknown, root: unknown): CacheError {
  if (isStackOverflow(error)) return valueError(`$ ${reasonOf(error)}`, root, error)
  const message = `The value cannot be stored: ${error instanceof Error ? error.message : String(error)}.`
  return new CacheError('ERR_CACHE_VALUE_TOO_LARGE', message, { value: root, cause: error })
}

function valueError(why: string, value: unknown, cause: unknown): CacheError {
  const details = cause === undefined ? { value } : { value, cause }
  return new CacheError('ERR_CACHE_VALUE', `The value cannot be stored: ${why}.`, details)
}

/** A path such as `$.body[3]["a b"].keys()[0]`. The middle of a long one is left out. */
export function pathOf(segments: readonly Segment[]): string {
  const rendered = segments.map(segment => {
    if (typeof segment === 'number') return `[${segment}]`
    if (typeof segment !== 'string') return `.${segment[0]}()[${segment[1]}]`
    return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(segment) ? `.${segment}` : `[${JSON.stringify(segment)}]`
  })
  if (rendered.length > SHOWN_SEGMENTS) {
    const half = SHOWN_SEGMENTS / 2
    rendered.splice(half, rendered.length - SHOWN_SEGMENTS, `…(${rendered.length - SHOWN_SEGMENTS} more)…`)
  }
  return `$${rendered.join('')}`
}

export function reasonOf(error: unknown): string {
  if (isStackOverflow(error)) return 'is nested too deeply, or too large, for the memory that is left'
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`
}

function firstRepeat(holders: readonly object[]): [number, number] | undefined {
  const seen = new Map<object, number>()
  for (const [index, holder] of holders.entries()) {
    const first = seen.get(holder)
    if (first !== undefined) return [first, index]
    seen.set(holder, index)
  }
  return undefined
}
