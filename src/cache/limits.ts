// The limits of an open cache: from its options, else from the environment, from `config.json`, or the default.

import {
  type CacheLimits,
  DEFAULT_LIMITS,
  limitsOfConfiguration,
  limitsOfEnvironment,
} from '../policy/configured-limits.js'
import type { ParsedLimits } from '../policy/limits.js'
import { readConfiguration } from './configuration.js'
import type { OpenCache } from './open-cache.js'

/** The limits in force. Invalid settings are reported and ignored. */
export function limitsOf({ storage, ownLimits, namespaceLimits, report }: OpenCache): CacheLimits {
  const { environment, layout } = storage
  const attempt = <T>(fallback: T, work: () => T): T => {
    try {
      return work()
    } catch (error) {
      report(error)
      return fallback
    }
  }
  const configured = attempt<CacheLimits>({ whole: {}, namespaces: new Map() }, () =>
    limitsOfConfiguration(readConfiguration(environment.files, layout.config) ?? '{}'),
  )
  const surrounding = attempt({}, () => limitsOfEnvironment(process.env))
  const namespaces = new Map(configured.namespaces)
  for (const [name, own] of namespaceLimits) namespaces.set(name, { ...namespaces.get(name), ...own })
  return { whole: { ...DEFAULT_LIMITS, ...configured.whole, ...surrounding, ...ownLimits }, namespaces }
}

/** The limits of one gc: the cache's, or with `only` that namespace's, overridden by those given. */
export function limitsOfGc(cache: OpenCache, only: string | undefined, given: ParsedLimits): CacheLimits {
  const { whole, namespaces } = limitsOf(cache)
  if (only === undefined) return { whole: { ...whole, ...given }, namespaces }
  return { whole: {}, namespaces: new Map([[only, { ...namespaces.get(only), ...given }]]) }
}

/** The largest value that may be stored. One value must not evict all others. */
export function maxValueBytes(cache: OpenCache): number {
  return (limitsOf(cache).whole.maxSizeBytes ?? Number.POSITIVE_INFINITY) / 2
}
