// Is an entry still valid? By its ttl first, then source by source. A source whose stat fields changed but whose content
// did not is fresh; the entry can then be amended so that the next check needs no read.

import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { checkFingerprint, takeFingerprint } from '../fingerprint/fingerprint.js'
import type { Environment } from '../log/environment.js'
import { isExpired } from '../policy/policy.js'
import type { Entry, Source } from './entry.js'

export type StaleReason = 'expired' | 'source-changed' | 'source-missing' | 'source-appeared' | 'unreadable'

export interface Verdict {
  /** Undefined: the entry is fresh. */
  reason?: StaleReason
  /** The source that made it stale, as an absolute path. */
  path?: string
  /** The entry's sources with new stat fields, where some changed without their content. */
  refreshed?: Source[]
}

const FRESH: Verdict = {}

/** `base` resolves relative sources; without one, nothing can be said for an entry that has such. */
export function judge(environment: Environment, entry: Entry, nowMs: number, base: string | undefined): Verdict {
  if (entry.ttlMs !== undefined && isExpired(entry.createdAt, entry.ttlMs, nowMs)) return { reason: 'expired' }
  if (!entry.sources) return FRESH
  let refreshed: Source[] | undefined
  for (const [index, source] of entry.sources.entries()) {
    const path = pathOf(source, base)
    if (path === undefined) return { reason: 'unreadable', path: source.path }
    const verdict = checkFingerprint(environment, path, source)
    if (!verdict.isFresh) return { reason: verdict.reason, path }
    if (!verdict.refreshed) continue
    refreshed ??= [...entry.sources]
    refreshed[index] = { ...source, ...verdict.refreshed }
  }
  return refreshed ? { refreshed } : FRESH
}

/** The source as it is now; recorded relative to the base when it lies below it. */
export function takeSource(environment: Environment, file: string, base: string | undefined): Source {
  const path = resolve(file)
  const below = base === undefined ? undefined : relative(base, path)
  const isRelative = below !== undefined && below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below)
  return {
    path: isRelative ? below.split(sep).join('/') : path,
    isRelative,
    ...takeFingerprint(environment, path),
  }
}

/** The absolute path of a source; undefined for a relative one without a base. */
export function pathOf(source: Source, base: string | undefined): string | undefined {
  if (!source.isRelative) return source.path
  return base === undefined ? undefined : join(base, source.path)
}
