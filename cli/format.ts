// Numbers as a person reads them, and columns that line up.

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

/** What is said after entries were removed: values that other entries share stay. */
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

export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** "1 entry", "2 entries". */
export function formatCountOf(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** The part that hits are of all reads, null when there were none. */
export function hitRateOf(hitCount: number, missCount: number): number | null {
  const readCount = hitCount + missCount
  return readCount === 0 ? null : hitCount / readCount
}

export function formatRatio(ratio: number | null): string {
  return ratio === null ? '-' : `${(ratio * 100).toFixed(1)} %`
}

const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u

/** How many cells of a terminal the text takes: two for East Asian characters and emoji, none for combining marks. */
export function widthOf(text: string): number {
  let width = 0
  let follows = ''
  for (const char of text) {
    // What a joiner appends is drawn into the character before it.
    if (follows !== '\u200d' && !ZERO_WIDTH.test(char)) width += WIDE.test(char) ? 2 : 1
    follows = char
  }
  return width
}

/** The text, cut short where it takes more cells than this. */
export function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let start = ''
  let left = width - 1
  for (const char of text) {
    left -= widthOf(char)
    if (left < 0) break
    start += char
  }
  return `${start}…`
}

export interface Column {
  title: string
  align: 'left' | 'right'
  /** Cells that are wider push their own row out of line instead of widening the column for all. */
  maxWidth?: number
}

export type Cells = readonly string[]

/** Turns rows into lines whose columns line up, with the widths that the title and the sample need. */
export function columnsFor(columns: readonly Column[], sample: readonly Cells[]) {
  const widths = columns.map(({ title, maxWidth = Number.POSITIVE_INFINITY }, index) => {
    const cellWidths = sample.map(cells => widthOf(cells[index] ?? '')).filter(width => width <= maxWidth)
    return cellWidths.reduce((widest, width) => Math.max(widest, width), widthOf(title))
  })
  const line = (cells: Cells) =>
    cells
      .map((cell, index) => {
        const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell)))
        return columns[index]?.align === 'right' ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd()
  return { header: () => line(columns.map(column => column.title)), line }
}
