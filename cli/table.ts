// Aligns columns and fits them into a terminal's width.

import { squeezed, widthOf } from './cells.js'
import type { Colour, Output } from './output.js'

export interface Column {
  title: string
  align: 'left' | 'right'
  /** The widest cell that widens the column. Wider ones only shift their own row. */
  maxWidth?: number
  /** On a narrow terminal, cells may be truncated to this width; undefined: never. */
  minWidth?: number
  /** On a terminal, a width to reserve for later rows. */
  usualWidth?: number
  /** If the terminal is still too narrow, columns with the lowest rank are left out first; undefined: never. */
  rank?: number
  colour?(cell: string): Colour | undefined
}

export type Cells = readonly string[]

export interface Table {
  header(): string
  line(cells: Cells): string
}

const GAP = '  '

/** Formats rows as lines. The titles and the sample decide the widths. */
export function tableFor(columns: readonly Column[], sample: readonly Cells[], output: Output): Table {
  const { room } = output
  const natural = columns.map((column, index) => naturalWidth(column, index, sample, room))
  const widths = room === undefined ? natural : fittingWidths(columns, natural, room)
  const shown = columns.flatMap((column, index) => ({ ...column, index, width: widths[index] ?? 0 }))
  const visible = room === undefined ? shown : shown.filter(({ width }) => width > 0)
  const line = (cells: Cells, colourOf: (column: Column, cell: string) => Colour | undefined) => {
    const last = visible.at(-1)
    return visible
      .map(column => {
        const whole = cells[column.index] ?? ''
        const isCut = room !== undefined && column.minWidth !== undefined
        const cell = isCut ? squeezed(whole, column.width, output.ellipsis) : whole
        const padding = ' '.repeat(Math.max(0, column.width - widthOf(cell)))
        const colour = colourOf(column, whole)
        const painted = colour === undefined ? cell : output.colour(colour, cell)
        if (column.align === 'right') return padding + painted
        return column === last ? painted : painted + padding
      })
      .join(GAP)
      .trimEnd()
  }
  return {
    header: () => {
      const titles = columns.map(({ title }) => title)
      return output.colour(
        'bold',
        line(titles, () => undefined),
      )
    },
    line: cells => line(cells, (column, cell) => column.colour?.(cell)),
  }
}

function naturalWidth(column: Column, index: number, sample: readonly Cells[], room: number | undefined): number {
  const { title, maxWidth = Number.POSITIVE_INFINITY, usualWidth = 0 } = column
  const widest = sample
    .map(cells => widthOf(cells[index] ?? ''))
    // If cells can be truncated, all of them count.
    .filter(width => room !== undefined || width <= maxWidth)
    .reduce((most, width) => Math.max(most, width), widthOf(title))
  return room === undefined ? widest : Math.min(room, Math.max(widest, usualWidth))
}

/** Widths that take no more than `room` together: some columns are narrower, some left out (a width of 0). */
function fittingWidths(columns: readonly Column[], natural: readonly number[], room: number): number[] {
  const left = [...natural]
  for (;;) {
    const widths = shrunk(left, room, index => columns[index]?.minWidth ?? Number.POSITIVE_INFINITY)
    if (totalOf(widths) <= room) return widths
    const ranks = columns.map(({ rank = Number.POSITIVE_INFINITY }, index) =>
      (left[index] ?? 0) > 0 ? rank : Number.POSITIVE_INFINITY,
    )
    const lowest = Math.min(...ranks)
    if (lowest === Number.POSITIVE_INFINITY) {
      return shrunk(left, room, index => (columns[index]?.minWidth === undefined ? Number.POSITIVE_INFINITY : 1))
    }
    left[ranks.indexOf(lowest)] = 0
  }
}

/** The widest first, as far as they may. */
function shrunk(natural: readonly number[], room: number, minOf: (index: number) => number): number[] {
  const widths = [...natural]
  while (totalOf(widths) > room) {
    const spare = widths.map((width, index) => (width > minOf(index) ? width : 0))
    const widest = Math.max(...spare)
    if (widest === 0) break
    widths[spare.indexOf(widest)] = widest - 1
  }
  return widths
}

function totalOf(widths: readonly number[]): number {
  const shown = widths.filter(width => width > 0)
  return shown.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, shown.length - 1)
}
