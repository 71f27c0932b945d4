// Parses sizes and durations as people write them, a number and a unit. A bare number in a text is refused, since it is
// ambiguous: 500 could be bytes or megabytes, 30 milliseconds or days.

import { refuseOption } from './options.js'

const DURATION_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZE_BYTES: Record<string, number> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/**
 * Returns milliseconds, or undefined for an invalid duration. Units: ms, s, m, h, d.
 *
 * @example
 * parseDuration('12h') // 43200000
 */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  return finite(Number(number) * (DURATION_MS[unit] ?? Number.NaN))
}

/**
 * Returns bytes, or undefined for an invalid size. Units: B, KB, MB, GB, TB, the same as KiB, MiB, GiB, TiB: 1 KB is 1,024
 * bytes.
 *
 * @example
 * parseSize('500MB') // 524288000
 */
export function parseSize(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(b|[kmgt](?:i?b)?)$/i.exec(text) ?? []
  return finite(Math.round(Number(number) * (SIZE_BYTES[unit[0]?.toLowerCase() ?? ''] ?? Number.NaN)))
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}

/** Returns a ttl in ms. @throws CacheError `ERR_CACHE_OPTION` */
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
