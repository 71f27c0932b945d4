// Checks options in one way for all calls: a mistake throws, and the message says what would be right.

import { CacheError, ifThere } from './errors.js'
import { suggest } from './suggestions.js'

const NOBODY = () => undefined

export function refuseOption(message: string, value: unknown): CacheError {
  return new CacheError('ERR_CACHE_OPTION', message, { value })
}

/**
 * Returns the options after checking that they are an object with no other properties than these.
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
    const suggestion = ifThere(NOBODY, '', () => suggest(name, known))
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
