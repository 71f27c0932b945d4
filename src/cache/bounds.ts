// The bounds that an open cache keeps: its own, else those of the environment, of `config.json`, or the default.

import { boundsOfConfiguration, boundsOfEnvironment, type CacheBounds, DEFAULT_BOUNDS } from '../policy/bounds.js'
import type { Bounds } from '../policy/limits.js'
import { readConfiguration } from './configuration.js'
import type { OpenCache } from './open-cache.js'

/** The limits in force. Invalid settings are reported and ignored. */
export function boundsOf({ storage, ownBounds, namespaceBounds, report }: OpenCache): CacheBounds {
  const { environment, layout } = storage
  const attempt = <T>(fallback: T, work: () => T): T => {
    try {
      return work()
    } catch (error) {
      report(error)
      return fallback
    }
  }
  const configured = attempt<CacheBounds>({ whole: {}, namespaces: new Map() }, () =>
    boundsOfConfiguration(readConfiguration(environment.files, layout.config) ?? '{}'),
  )
  const surrounding = attempt({}, () => boundsOfEnvironment(process.env))
  const namespaces = new Map(configured.namespaces)
  for (const [name, own] of namespaceBounds) namespaces.set(name, { ...namespaces.get(name), ...own })
  return { whole: { ...DEFAULT_BOUNDS, ...configured.whole, ...surrounding, ...ownBounds }, namespaces }
}

/** The limits of one gc: the cache's, or with `only` that namespace's, overridden by those given. */
export function boundsFor(cache: OpenCache, only: string | undefined, given: Bounds): CacheBounds {
  const { whole, namespaces } = boundsOf(cache)
  if (only === undefined) return { whole: { ...whole, ...given }, namespaces }
  return { whole: {}, namespaces: new Map([[only, { ...namespaces.get(only), ...given }]]) }
}

/** One value must not take the place of all others. */
export function maxValueBytes(cache: OpenCache): number {
  return (boundsOf(cache).whole.maxSizeBytes ?? Number.POSITIVE_INFINITY) / 2
}
