// Checks of the fields that steps and computations have in common.

import { parseComparison } from './compare.js'
import { type Check, count, flag, list, named, pattern, refuse, text, word, yes } from './schema.js'

export const errorCode = pattern(/^ERR_CACHE_[A-Z_]+$/, 'an error code like ERR_CACHE_KEY')
export const duration = pattern(/^-?\d+ (ms|s|min|h|days)$/, 'a duration like "90 s" (ms, s, min, h, days)')
export const counterName = pattern(/^[a-z]+$/, 'a name of small letters')
/** Names a value or a number that later steps compare with. */
export const memoryName = pattern(/^[a-z][a-z ]*$/, 'a name of small letters and spaces')

// None at all would be a step that expects nothing.
export const oneOrMore: Check<number> = (value, at) => count(value, at) || refuse(at, 'must be 1 or more')

export const quantity: Check<number | string> = (value, at) => {
  if (typeof value === 'number' || (typeof value === 'string' && parseComparison(value))) return value
  return refuse(at, `must be a number or a comparison like ">= 1" or "= 2 * one copy", not ${JSON.stringify(value)}`)
}

export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, at) => (value === null ? null : check(value, at))
}

/** A path below the scenario's tree, with `/` between its parts; `.` is the tree itself. */
export const path: Check<string> = (value, at) => {
  const checked = text(value, at)
  const isInside = checked !== '' && !checked.startsWith('/') && !checked.split('/').includes('..')
  return isInside ? checked : refuse(at, `must be a path inside the tree, not "${checked}"`)
}

/** A path as a plugin names it: one that begins with `./` is from the working directory. */
export const place: Check<string> = (value, at) => {
  if (value === '/dev/null') return value
  const checked = text(value, at)
  return checked.startsWith('./') ? checked : path(checked, at)
}

/** A lifetime as callers write it: ms, or a text such as `12h`. */
const ttl: Check<number | string> = (value, at) => (typeof value === 'number' ? value : text(value, at))

export const lifetime = { ttl, files: list(place, 0) }

/** Which namespace, and whose keys. */
export const namespaceFields = {
  version: text,
  project: path,
  userWide: yes,
  portable: yes,
  strategy: word('auto', 'metadata', 'content'),
}

export const note = { note: text }
export const inCache = { ...note, handle: text, mode: word('readonly', 'refresh', 'off'), warns: errorCode, cwd: path }
export const inNamespace = { ...inCache, ...namespaceFields }

const namespaceStats = {
  entryCount: quantity,
  pastAnswerCount: quantity,
  hitCount: quantity,
  missCount: quantity,
  missReasons: named(quantity),
  setCount: quantity,
  totalSize: quantity,
  oldestEntryAgeMs: orNull(quantity),
  diskBytes: quantity,
  savedMs: quantity,
  computedMs: quantity,
}

export const statistics = {
  namespace: { ...namespaceStats, projects: named(quantity) },
  cache: namespaceStats,
}

export const expectedFields = {
  version: text,
  origin: word('set', 'getOrSet', 'analyze', 'wrap'),
  project: orNull(path),
  isPortable: flag,
  mode: word('manual', 'ttl', 'file'),
  valid: flag,
  sizeBytes: quantity,
  ageMs: quantity,
  expiresInMs: quantity,
  files: list(path, 0),
}
