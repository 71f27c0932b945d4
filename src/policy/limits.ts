// How much there may be, as a caller's options say it.

import type { Limits } from '../api/index.js'
import { parseLimit } from '../base/units.js'

/** Limits with their units. What is left out has no limit. */
export interface ParsedLimits {
  maxSizeBytes?: number
  /** Since the last use. */
  maxAgeMs?: number
  maxEntries?: number
}

/** The options of limits. */
export const LIMIT_OPTIONS = ['maxSize', 'maxAge', 'maxEntries'] as const

/** What a caller's options say of limits. @throws CacheError `ERR_CACHE_OPTION` */
export function checkLimits({ maxSize, maxAge, maxEntries }: Limits): ParsedLimits {
  return {
    ...(maxSize === undefined ? {} : { maxSizeBytes: parseLimit('maxSize', maxSize) }),
    ...(maxAge === undefined ? {} : { maxAgeMs: parseLimit('maxAge', maxAge) }),
    ...(maxEntries === undefined ? {} : { maxEntries: parseLimit('maxEntries', maxEntries) }),
  }
}
