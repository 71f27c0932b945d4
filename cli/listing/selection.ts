// Selects and sorts the entries of a listing.

import type { Cache, EntryInfo } from '../../src/index.js'
import { type OptionValues, UsageError } from '../command.js'
import { nearest } from '../nearest.js'
import { namespaceOptionsOf } from '../place.js'
import { parseCount } from '../quantity.js'
import { Largest } from './largest.js'

export type Listed = EntryInfo & { namespace: string }

/** The sort keys, largest first. */
const ORDERS = {
  size: entry => entry.sizeBytes,
  age: entry => entry.ageMs,
  // The time that one hit saves. The number of hits of an entry isn't known.
  saved: entry => entry.computeMs ?? 0,
} satisfies Record<string, (entry: Listed) => number>

export const ORDER_NAMES = Object.keys(ORDERS) as (keyof typeof ORDERS)[]
export const MODES = ['manual', 'ttl', 'file'] as const satisfies EntryInfo['mode'][]

export interface Selection {
  order: ((entry: Listed) => number) | undefined
  limit: number
  /** Whether the entry is selected. */
  isWanted(entry: Listed): boolean
  /** Whether all entries are selected. */
  isWhole: boolean
}

/** @throws UsageError */
export function selectionOf({ sort, limit, prefix, mode }: OptionValues): Selection {
  const order = sort === undefined ? undefined : ORDERS[oneOf('sort', sort, ORDER_NAMES)]
  const wanted = mode === undefined ? undefined : oneOf('mode', mode, MODES)
  const count = limit === undefined ? Number.POSITIVE_INFINITY : parseCount('limit', limit)
  if (count === 0) throw new UsageError(`--limit: "${limit}" must be more than zero`)
  return {
    order,
    limit: count,
    isWhole: wanted === undefined && prefix === undefined,
    isWanted: entry =>
      (wanted === undefined || entry.mode === wanted) && (prefix === undefined || entry.key.startsWith(prefix)),
  }
}

function oneOf<Name extends string>(option: string, given: string, names: readonly Name[]): Name {
  const found = names.find(name => name === given)
  if (found !== undefined) return found
  const meant = nearest(given, names)
  const hint = meant === undefined ? `give ${names.join(', ')}` : `did you mean ${meant}?`
  throw new UsageError(`--${option}: "${given}" is none of them; ${hint}`)
}

/**
 * The entries of the requested place: those of the project and the portable ones, then the user-wide ones. `onProgress` gets
 * the share that was read.
 */
export function* entriesOf(
  cache: Cache,
  names: readonly string[],
  options: OptionValues,
  onProgress: (fraction: number) => void = () => undefined,
): Generator<Listed> {
  const isAll = options['all-projects'] === true
  const place = namespaceOptionsOf(options)
  const isTwice = !isAll && !('project' in place)
  const passCount = names.length * (isTwice ? 2 : 1)
  let doneCount = 0
  const listOptions = {
    allVersions: true,
    allProjects: isAll,
    onProgress: (fraction: number) => onProgress((doneCount + fraction) / passCount),
  }
  for (const namespace of names) {
    for (const entry of cache.namespace(namespace, place).entries(listOptions)) yield { namespace, ...entry }
    doneCount++
    if (!isTwice) continue
    for (const entry of cache.namespace(namespace, { project: false }).entries(listOptions)) {
      if (!entry.isPortable) yield { namespace, ...entry }
    }
    doneCount++
  }
}

/** The selected entries. A sorted selection keeps at most `limit` in memory. */
export function* selected(entries: Iterable<Listed>, { order, limit, isWanted }: Selection): Generator<Listed> {
  if (order === undefined) {
    let count = 0
    for (const entry of entries) {
      if (!isWanted(entry)) continue
      yield entry
      if (++count >= limit) return
    }
    return
  }
  const largest = new Largest<Listed>(limit)
  for (const entry of entries) if (isWanted(entry)) largest.add(order(entry), entry)
  yield* largest.sorted()
}
