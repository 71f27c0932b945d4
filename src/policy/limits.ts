// The limits in a caller's options.

import type { Limits } from '../api/index.js'
import { parseLimit } from '../base/units.js'

/** Limits as numbers with units. A missing one means no limit. */
export interface ParsedLimits {
  maxSizeBytes?: number
  /** Since the last use. */
  maxAgeMs?: number
  maxEntries?: number
}

/** The options of limits. */
export const LIMIT_OPTIONS = ['maxSize', 'maxAge', 'maxEntries'] as const

/** Parses the limits in a caller's options. @throws CacheError `ERR_CACHE_OPTION` */
export function checkLimits({ maxSize, maxAge, maxEntries }: Limits): ParsedLimits {
  const limits: ParsedLimits = {}
  if (maxSize !== undefined) limits.maxSizeBytes = parseLimit('maxSize', maxSize)
  if (maxAge !== undefined) limits.maxAgeMs = parseLimit('maxAge', maxAge)
  if (maxEntries !== undefined) limits.maxEntries = parseLimit('maxEntries', maxEntries)
  return limits
}
