// How options are checked: in one way for all calls, so that a mistake is loud and says what would be right.

import { CacheError } from './errors.js'
import { parseDuration, parseSize } from './units.js'

/** Names that other caches give to options, and ours for the same. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  ttl: ['ttlms', 'ttlseconds', 'maxage', 'expires', 'expiresin', 'lifetime'],
  files: ['file', 'sources', 'source', 'dependencies', 'deps', 'filedependencies'],
  inputs: ['input', 'key', 'options', 'config', 'dependencies'],
  project: ['cwd', 'base', 'basedir', 'root', 'rootdir', 'projectdir'],
  dir: ['cachedir', 'cachedirectory', 'directory', 'root', 'path', 'cachelocation'],
  mode: ['readonly', 'enabled', 'disabled', 'refresh'],
  maxSize: ['maxsizebytes', 'sizelimit', 'limit'],
  maxAge: ['maxagems', 'ttl'],
  maxEntries: ['max', 'maxitems', 'maxcount'],
  strategy: ['files', 'hash', 'cachestrategy', 'usechecksum'],
  anywhere: ['path'],
  validate: ['schema', 'validator', 'check'],
  version: ['cacheversion', 'salt', 'cachekey'],
}

export function refuseOption(message: string, value: unknown): CacheError {
  return new CacheError('ERR_CACHE_OPTION', message, { value })
}

/**
 * The options, after it was made sure that they are an object with these names alone.
 *
 * @throws CacheError `ERR_CACHE_OPTION` that suggests the right name
 */
export function assertOptions<T extends object>(where: string, options: T | undefined, known: readonly string[]): T {
  if (options === undefined) return {} as T
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw refuseOption(`${where} takes its options as an object.`, options)
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const suggestion = suggest(name, known)
    throw refuseOption(`${where} has no option ${JSON.stringify(name)}${suggestion}`, name)
  }
  return options
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function assertFlag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw refuseOption(`${name} must be true or false.`, value)
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function assertOptionalFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw refuseOption(`${name} must be a function.`, value)
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function assertChoice<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T
  const list = choices.map(choice => `'${choice}'`).join(', ')
  throw refuseOption(`${name} must be one of ${list}.`, value)
}

/** Ms of a ttl. @throws CacheError `ERR_CACHE_OPTION` */
export function parseTtl(value: unknown): number {
  const ms = typeof value === 'string' ? parseDuration(value) : value
  if (typeof ms === 'number' && ms > 0 && Number.isFinite(ms)) return ms
  throw refuseOption("ttl must be a positive number of ms, or a duration such as '90s', '12h' or '30d'.", value)
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function parseLimit(name: 'maxSize' | 'maxAge' | 'maxEntries', value: unknown): number {
  const parse = { maxSize: parseSize, maxAge: parseDuration, maxEntries: () => undefined }[name]
  const limit = typeof value === 'string' ? parse(value) : value
  if (typeof limit === 'number' && limit >= 0) return limit
  const forms = {
    maxSize: "a number of bytes, or a size such as '500MB'",
    maxAge: "a number of ms, or a duration such as '30d'",
    maxEntries: 'a number',
  }
  throw refuseOption(`${name} must be ${forms[name]}, 0 or more.`, value)
}

function suggest(name: string, known: readonly string[]): string {
  const folded = name.toLowerCase().replace(/[^a-z]/g, '')
  const near =
    known.find(each => each.toLowerCase() === folded) ??
    known.find(each => SYNONYMS[each]?.includes(folded)) ??
    known.find(each => distance(each.toLowerCase(), folded) <= Math.max(1, Math.floor(each.length / 3)))
  if (near !== undefined) return `; did you mean ${JSON.stringify(near)}?`
  return known.length === 0 ? '.' : `; there are ${known.join(', ')}.`
}

/** Edits between two short words: https://en.wikipedia.org/wiki/Levenshtein_distance. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost))
    }
    row = next
  }
  return row[other.length] ?? 0
}
