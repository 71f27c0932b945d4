// The last month as bars, one for each day, and as a table.

import type { CacheStats, DayStats } from '../../src/index.js'
import { formatCount, formatSize, formatTime } from '../format.js'
import { html, type Markup } from './markup.js'
import { table } from './table.js'

const DAYS = 30
const DAY_MS = 86_400_000

/** The last 30 days up to today, including days without data. */
export function lastDays(days: readonly DayStats[], nowMs: number): DayStats[] {
  const known = new Map(days.map(each => [each.day, each]))
  return Array.from({ length: DAYS }, (_, at) => {
    const day = new Date(nowMs - (DAYS - 1 - at) * DAY_MS).toISOString().slice(0, 10)
    return known.get(day) ?? { ...NOTHING, day }
  })
}

const NOTHING = {
  hitCount: 0,
  missCount: 0,
  setCount: 0,
  savedMs: 0,
  diskBytes: null,
  evictedEntries: 0,
  evictedBytes: 0,
  uselessEntries: 0,
}

export function monthOf({ days: known, diskBytes }: CacheStats, nowMs: number): Markup {
  const days = lastDays(known, nowMs).map((each, at) =>
    // The report's size of today is newer than that of the last gc.
    at === DAYS - 1 ? { ...each, diskBytes: Math.max(diskBytes, each.diskBytes ?? 0) } : each,
  )
  const rows = days
    .filter(day => Object.entries(day).some(([name, value]) => name !== 'day' && value))
    .map(day => [
      day.day,
      day.diskBytes === null ? '–' : formatSize(day.diskBytes),
      formatCount(day.hitCount),
      formatCount(day.missCount),
      formatCount(day.setCount),
      formatTime(day.savedMs),
      formatCount(day.evictedEntries),
      formatSize(day.evictedBytes),
      formatCount(day.uselessEntries),
    ])
  return html`<div class="charts">
${chart('Size on disk', days, [['size', day => day.diskBytes ?? 0]], formatSize)}
${chart(
  'Hits and misses',
  days,
  [
    ['hit', day => day.hitCount],
    ['miss', day => day.missCount],
  ],
  formatCount,
)}
${chart(
  'Entries dropped',
  days,
  [
    ['evicted', day => day.evictedEntries],
    ['useless', day => day.uselessEntries],
  ],
  formatCount,
)}
</div>
<details><summary>The same as a table</summary>
${
  rows.length === 0
    ? html`<p>Nothing is known of these days.</p>`
    : table(
        'The last 30 days',
        [
          'Day (UTC)',
          'On disk',
          'Hits',
          'Misses',
          'Stored',
          'Time saved',
          'Evicted',
          'Evicted size',
          'Expired or stale',
        ],
        rows,
      )
}
</details>`
}

type Series = readonly [className: string, amountOf: (day: DayStats) => number]

/** Bars of the series on top of each other. */
function chart(
  title: string,
  days: readonly DayStats[],
  series: readonly Series[],
  format: (value: number) => string,
): Markup {
  const most = Math.max(...days.map(day => series.reduce((sum, [, amountOf]) => sum + amountOf(day), 0)))
  const width = 100 / days.length
  const bars = days.map((day, at) => {
    let top = 100
    const parts = series.map(([className, amountOf]) => {
      const height = most === 0 ? 0 : (amountOf(day) / most) * 100
      top -= height
      return html`<rect class="${className}" x="${(at * width + width / 8).toFixed(3)}%" width="${(width * 0.75).toFixed(3)}%" y="${top.toFixed(3)}%" height="${height.toFixed(3)}%"/>`
    })
    const figures = series.map(([className, amountOf]) => `${SERIES[className]}${format(amountOf(day))}`)
    return html`<g><title>${day.day}: ${figures.join(', ')}</title><rect class="day" x="${(at * width).toFixed(3)}%" width="${width.toFixed(3)}%" height="100%"/>${parts}</g>`
  })
  const legend =
    series.length > 1 &&
    html`<span class="legend">${series.map(([name]) => html`<span class="${name}">${(SERIES[name] ?? '').replace(': ', '')}</span> `)}</span>`
  return html`<figure><figcaption>${title} <span class="most">most: ${format(most)}</span> ${legend}</figcaption>
<svg class="chart" role="img" aria-label="${title} in the last 30 days, at most ${format(most)} on a day; the table below has the figures">${bars}</svg>
<div class="axis" aria-hidden="true"><span>${days[0]?.day ?? ''}</span><span>${days.at(-1)?.day ?? ''}</span></div></figure>`
}

const SERIES: Record<string, string> = {
  size: '',
  hit: 'hits: ',
  miss: 'misses: ',
  evicted: 'evicted: ',
  useless: 'expired or stale: ',
}
