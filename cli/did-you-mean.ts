// Suggestions for names and keys that don't exist.

import type { Cache } from '../src/index.js'
import { nearest } from './nearest.js'
import type { Output } from './output.js'
import { namespaceOptionsOf, type Place } from './place.js'
import { printable, printableJson } from './printable.js'

/** The search for a similar key ends after this time. */
const SEARCH_MS = 300

const question = (name: string | undefined) => (name === undefined ? '' : `; did you mean ${printableJson(name)}?`)

/** A sentence, safe on a terminal. */
export function noNamespace(cache: Cache, name: string): string {
  const meant = nearest(name, cache.namespaces())
  return `${printable(`There is no namespace ${name} in ${cache.dir}`)}${question(meant)}`
}

/** For commands on a namespace that doesn't exist: suggests one if its name was probably mistyped. */
export async function warnOfName(cache: Cache, name: string | undefined, stderr: Output): Promise<void> {
  if (name === undefined) return
  const names = cache.namespaces()
  const isMistyped = !names.includes(name) && nearest(name, names) !== undefined
  if (isMistyped) await stderr.line(noNamespace(cache, name))
}

/** The end of the message about a missing key; '' if no key is similar. Safe on a terminal. */
export function keyHint(cache: Cache, name: string, key: string, place: Place): string {
  const namespaces = cache.namespaces()
  if (!namespaces.includes(name)) {
    const meant = nearest(name, namespaces)
    return ` There is no such namespace${meant === undefined ? '.' : question(meant)}`
  }
  const endMs = performance.now() + SEARCH_MS
  const options = { allVersions: true }
  const own = cache.namespace(name, namespaceOptionsOf(place)).keys(options)
  const userWide = cache.namespace(name, { project: false }).keys(options)
  const isLate = () => performance.now() > endMs
  const meant = nearest(key, own, isLate) ?? nearest(key, userWide, isLate)
  return meant === undefined ? '' : ` Did you mean ${printableJson(meant)}?`
}
