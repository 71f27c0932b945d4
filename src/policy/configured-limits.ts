// Limits of the cache and of its namespaces that don't come from options: from the environment, from the root's `config.json`,
// and the default.

import { CacheError } from '../base/errors.js'
import { parseDuration, parseSize } from '../base/units.js'
import type { ParsedLimits } from './limits.js'

export interface CacheLimits {
  whole: ParsedLimits
  /** By name. They apply in addition to those of the whole cache. */
  namespaces: ReadonlyMap<string, ParsedLimits>
}

/**
 * Room for half a million results of 4 KB, enough for several large projects. A cache that no one looks after must not fill the
 * disk, and its values can be computed again.
 */
export const DEFAULT_LIMITS: ParsedLimits = { maxSizeBytes: 2 * 2 ** 30 }

interface LimitForm {
  limit: keyof ParsedLimits
  /** In `config.json`. */
  name: string
  variable: string
  parse(text: string): number | undefined
  form: string
}

const parseCount = (text: string) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined)
const FORMS: readonly LimitForm[] = [
  {
    limit: 'maxSizeBytes',
    name: 'maxSize',
    variable: 'WICKED_CACHE_MAX_SIZE',
    parse: parseSize,
    form: 'a size, for example 2GB',
  },
  {
    limit: 'maxAgeMs',
    name: 'maxAge',
    variable: 'WICKED_CACHE_MAX_AGE',
    parse: parseDuration,
    form: 'a duration, for example 30d',
  },
  {
    limit: 'maxEntries',
    name: 'maxEntries',
    variable: 'WICKED_CACHE_MAX_ENTRIES',
    parse: parseCount,
    form: 'a whole number',
  },
]

/** All three limits; `Infinity` stands for none. */
export function requiredLimits({ maxSizeBytes, maxAgeMs, maxEntries }: ParsedLimits = {}): Required<ParsedLimits> {
  const none = Number.POSITIVE_INFINITY
  return { maxSizeBytes: maxSizeBytes ?? none, maxAgeMs: maxAgeMs ?? none, maxEntries: maxEntries ?? none }
}

/** @throws CacheError `ERR_CACHE_CONFIG` that names the variable */
export function limitsOfEnvironment(env: NodeJS.ProcessEnv): ParsedLimits {
  const limits: ParsedLimits = {}
  for (const form of FORMS) {
    const text = env[form.variable]
    if (text) limits[form.limit] = parseSetting(form, form.variable, text)
  }
  return limits
}

/** Parses the text of a configuration file. @throws CacheError `ERR_CACHE_CONFIG` */
export function parseConfiguration(text: string): unknown {
  try {
    // Some editors begin a file with a byte order mark.
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // Neither the text nor the cause, which quotes it, is part of the error: it may contain the remote tier's password.
    throw new CacheError('ERR_CACHE_CONFIG', 'config.json is not JSON.')
  }
}

/**
 * The limits in a configuration file: `{ "maxSize": "2GB", "maxAge": "30d", "maxEntries": 100000, "namespaces": { "name":
 * { the same } } }`, all of it optional; "none" lifts a limit.
 *
 * @throws CacheError `ERR_CACHE_CONFIG` that says what is wrong
 */
export function limitsOfConfiguration(text: string): CacheLimits {
  // The remote tier reads its own part.
  const { namespaces = {}, remote: _, ...own } = expectObject('config.json', parseConfiguration(text))
  const named = Object.entries(expectObject('"namespaces" in config.json', namespaces))
  return {
    whole: limitsIn('config.json', own),
    namespaces: new Map(named.map(([name, value]) => [name, limitsIn(`"${name}" in config.json`, value)])),
  }
}

function limitsIn(where: string, value: unknown): ParsedLimits {
  const limits: ParsedLimits = {}
  for (const [name, content] of Object.entries(expectObject(where, value))) {
    const form = FORMS.find(each => each.name === name)
    if (!form) throw new CacheError('ERR_CACHE_CONFIG', `${where} has the unknown "${name}".`, { value: content })
    limits[form.limit] = parseSetting(form, `"${name}" in config.json`, content)
  }
  return limits
}

function parseSetting({ parse, form }: LimitForm, where: string, value: unknown): number {
  const limit = value === 'none' ? Number.POSITIVE_INFINITY : parse(String(value))
  if (limit !== undefined) return limit
  throw new CacheError('ERR_CACHE_CONFIG', `${where} must be ${form}, or none.`, { value })
}

function expectObject(where: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new CacheError('ERR_CACHE_CONFIG', `${where} must be an object.`, { value })
}
