// Formats numbers for people.

const SIZE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
const AGE_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** 1 KB is 1,024 bytes. */
export function formatSize(sizeBytes: number): string {
  let size = sizeBytes
  let unit = 0
  // 1023.95 would round to "1024.0 KB".
  while (Math.abs(size) >= (unit === 0 ? 1024 : 1023.95) && unit < SIZE_UNITS.length - 1) {
    size /= 1024
    unit++
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${SIZE_UNITS[unit]}`
}

/** The message after removing entries. Values that other entries share stay. */
export function toFree(sizeBytes: number): string {
  return sizeBytes > 0 ? `; the next gc frees up to ${formatSize(sizeBytes)}` : ''
}

/** The largest whole unit, rounded down; a clock that was set back gives `0s`. */
export function formatAge(ageMs: number): string {
  for (const [unit, unitMs] of AGE_UNITS) {
    if (ageMs >= unitMs) return `${Math.floor(ageMs / unitMs)}${unit}`
  }
  return '0s'
}

const TIME_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** A duration in a suitable unit, with one decimal below 10. */
export function formatTime(ms: number): string {
  const [unit, unitMs] = TIME_UNITS.find(([, each]) => ms >= each) ?? ['ms', 1]
  return `${amountOf(ms / unitMs)} ${unit}`
}

const amountOf = (number: number) => number.toFixed(number < 9.95 ? 1 : 0).replace(/\.0$/, '')

/** "14 min of 15": both in the unit that suits the whole, with one decimal below 10. */
export function formatShareOfTime(partMs: number, wholeMs: number): string {
  const [unit, unitMs] = TIME_UNITS.find(([, ms]) => wholeMs >= ms) ?? ['ms', 1]
  return `${amountOf(partMs / unitMs)} ${unit} of ${amountOf(wholeMs / unitMs)}`
}

export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** "1 entry", "2 entries". */
export function formatCountOf(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** Hits as a share of all reads; null if there were none. */
export function hitRateOf(hitCount: number, missCount: number): number | null {
  const readCount = hitCount + missCount
  return readCount === 0 ? null : hitCount / readCount
}

export function formatRatio(ratio: number | null): string {
  return ratio === null ? '-' : `${(ratio * 100).toFixed(1)} %`
}
