// Sizes and durations as people write them: a number and a unit. A bare number is refused: half of its readers would take
// 500 for megabytes and 30 for days, and a cache would be emptied by the other half.

const DURATION_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZE_BYTES: Record<string, number> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** Milliseconds; undefined for what is not a duration. Units: ms, s, m, h, d. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  return finite(Number(number) * (DURATION_MS[unit] ?? Number.NaN))
}

/** Bytes; undefined for what is not a size. Units: B, KB, MB, GB, TB, the same as KiB, MiB, GiB, TiB: 1 KB is 1,024 bytes. */
export function parseSize(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(b|[kmgt](?:i?b)?)$/i.exec(text) ?? []
  return finite(Math.round(Number(number) * (SIZE_BYTES[unit[0]?.toLowerCase() ?? ''] ?? Number.NaN)))
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
