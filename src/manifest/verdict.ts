// Is an entry still valid? By its ttl first, then source by source. A source whose stat fields changed but whose content
// did not is fresh; the entry can then be amended so that the next check needs no read.

import { isAbsolute, join, relative, sep } from 'node:path'
import type { Strictness } from '../base/types.js'
import { checkFingerprint, type Fingerprint, type Means } from '../fingerprint/fingerprint.js'
import { isExpired } from '../policy/policy.js'
import type { Entry, Source } from './entry.js'

export type StaleReason = 'expired' | 'source-changed' | 'source-missing' | 'source-appeared' | 'unreadable'

export interface Verdict {
  /** Undefined: the entry is fresh. */
  reason?: StaleReason
  /** The source that made it stale, as an absolute path where that is known. */
  path?: string
  /** What was recorded of that source. */
  source?: Source
  /** The entry's sources with new stat fields, where some changed without their content. */
  refreshed?: Source[]
}

export interface Terms {
  /** The current time by the clock that entries are created with. */
  nowMs: number
  /** Resolves relative sources. Undefined: the entry's own, as long as that directory exists. */
  base: string | undefined
  strictness?: Strictness
}

export const FRESH: Verdict = {}

/** Of an entry whose relative sources cannot be found, because its base is not known or gone, nothing can be said: `unreadable`. */
export function judge(means: Means, entry: Entry, { nowMs, base, strictness }: Terms): Verdict {
  if (entry.ttlMs !== undefined && isExpired(entry.createdAt, entry.ttlMs, nowMs)) return { reason: 'expired' }
  if (!entry.sources) return FRESH
  return judgeSources(means, entry.sources, base ?? baseOf(means, entry), strictness)
}

/** The same of sources that no entry has yet. */
export function judgeSources(
  means: Means,
  sources: readonly Source[],
  base: string | undefined,
  strictness: Strictness | undefined,
): Verdict {
  let refreshed: Source[] | undefined
  for (let index = 0; index < sources.length; index++) {
    const source = sources[index] as Source
    const path = pathOf(source, base)
    if (path === undefined) return { reason: 'unreadable', path: source.path, source }
    const verdict = checkFingerprint(means, path, source, strictness)
    if (!verdict.isFresh) return { reason: verdict.reason, path, source }
    if (!verdict.refreshed) continue
    refreshed ??= [...sources]
    refreshed[index] = { ...source, ...verdict.refreshed }
  }
  return refreshed ? { refreshed } : FRESH
}

/** A tree that was moved away says nothing about the entries: the plugin may find its sources elsewhere. */
function baseOf({ files }: Means, { base }: Entry): string | undefined {
  return base !== undefined && files.stat(base)?.kind === 'directory' ? base : undefined
}

/** What a source with this absolute path is recorded as; relative to the base when it lies below it. */
export function sourceOf(path: string, base: string | undefined, fingerprint: Fingerprint): Source {
  const below = base === undefined ? undefined : relative(base, path)
  const isRelative = below !== undefined && below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below)
  return { path: isRelative ? below.split(sep).join('/') : path, isRelative, ...fingerprint }
}

/** The absolute path of a source; undefined for a relative one without a base. */
export function pathOf(source: Pick<Source, 'path' | 'isRelative'>, base: string | undefined): string | undefined {
  if (!source.isRelative) return source.path
  return base === undefined ? undefined : join(base, source.path)
}
