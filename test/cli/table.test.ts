// The width of text, and tables whose columns are aligned and fit the terminal.

import { describe, expect, test } from 'vitest'
import { shortened, squeezed, widthOf, wrapped } from '../../cli/cells.js'
import { Output } from '../../cli/output.js'
import { type Column, tableFor } from '../../cli/table.js'
import { Sink } from './harness.js'

function outputOf(columns?: number, env: Record<string, string> = { NO_COLOR: '1' }): Output {
  const sink = new Sink()
  sink.isTTY = columns !== undefined
  sink.columns = columns ?? 80
  return new Output(sink, env)
}

describe('the width of text', () => {
  test.each([
    ['ab', 2],
    ['日本', 4],
    ['가', 2],
    // The same syllable in its parts.
    ['\u1100\u1161', 2],
    ['e\u0301', 1],
    // A vowel sign that stands beside its consonant.
    ['नि', 2],
    ['👩‍💻', 2],
    ['👍🏽', 2],
    ['🇩🇪', 2],
    ['❤', 1],
    ['❤\ufe0f', 2],
    ['\u200d', 0],
    ['ｆｕｌｌ', 8],
    ['\u{17000}', 2],
    ['…', 1],
  ])('%j takes %i cells', (text, width) => {
    expect(widthOf(text)).toBe(width)
  })
})

describe('too long text', () => {
  test('is truncated between graphemes', () => {
    expect(['abcd', 'abcde', '日本語', ''].map(text => shortened(text, 4))).toEqual(['abcd', 'abc…', '日…', ''])
    expect(shortened('ab👩‍💻cd', 4)).toBe('ab…')
    expect(shortened('ae\u0301xyz', 3)).toBe('ae\u0301…')
    expect(shortened('abcdef', 5, '...')).toBe('ab...')
    expect(['abcdef', 'abcdef'].map((text, index) => shortened(text, index))).toEqual(['', '…'])
  })

  test('or is shortened in the middle and keeps more of its end', () => {
    expect(squeezed('src/deep/down/file.js', 12)).toBe('src…/file.js')
    expect(squeezed('日本語日本語', 7)).toBe('日…本語')
    expect([0, 1, 2, 3].map(width => widthOf(squeezed('abcdef', width)))).toEqual([0, 1, 2, 3])
  })

  test('is wrapped between words, and never within one', () => {
    expect(wrapped('one two three four', 9, '  ')).toBe('one two\n  three\n  four')
    expect(wrapped('see /a/very/long/path now', 8)).toBe('see\n/a/very/long/path\nnow')
    expect(wrapped('kind  place', 40)).toBe('kind  place')
  })
})

const COLUMNS: readonly Column[] = [
  { title: 'key', align: 'left', minWidth: 6, maxWidth: 12 },
  { title: 'n', align: 'right', rank: 2 },
  { title: 'note', align: 'left', minWidth: 4, rank: 1 },
]
const ROWS = [
  ['日本', '1', 'x'],
  ['src/some/file.js', '1000', 'a longer note'],
]

describe('columns', () => {
  test('are aligned, also with wide characters; a too long cell shifts only its own row', () => {
    const table = tableFor(COLUMNS, ROWS, outputOf())
    expect([table.header(), ...ROWS.map(table.line)]).toEqual([
      'key      n  note',
      '日本     1  x',
      'src/some/file.js  1000  a longer note',
    ])
  })

  test('fit every terminal width and use the space there is', () => {
    for (let width = 1; width <= 60; width++) {
      const table = tableFor(COLUMNS, ROWS, outputOf(width))
      for (const line of [table.header(), ...ROWS.map(table.line)]) expect(widthOf(line)).toBeLessThanOrEqual(width)
    }
    const at = (width: number) => tableFor(COLUMNS, ROWS, outputOf(width)).line(ROWS[1]!)
    expect(at(60)).toBe('src/some/file.js  1000  a longer note')
    expect(at(30)).toBe('src…file.js  1000  a l…er note')
    // The column of the lowest rank goes first, and what has none stays.
    expect(at(16)).toBe('src…ile.js  1000')
    expect(at(10)).toBe('src…ile.js')
    expect(at(4)).toBe('s…js')
  })

  test('use the ellipsis of the locale', () => {
    const table = tableFor(COLUMNS, ROWS, outputOf(16, { LANG: 'C', NO_COLOR: '1' }))
    expect(table.line(ROWS[1]!)).toBe('sr...le.js  1000')
    expect(outputOf(80, { LANG: 'C', LC_ALL: 'de_DE.UTF-8' }).ellipsis).toBe('…')
  })

  test('stay aligned with colours', () => {
    const output = outputOf(40, {})
    const table = tableFor([{ title: 'a', align: 'right', colour: () => 'red' }, ...COLUMNS.slice(1)], ROWS, output)
    expect(table.line(['x', '1', ''])).toBe(`${' '.repeat(table.header().indexOf('a') - 4)}\u001b[31mx\u001b[39m     1`)
  })
})

describe('colour', () => {
  test.each<[boolean, Record<string, string>, boolean]>([
    [true, {}, true],
    [false, {}, false],
    [true, { TERM: 'dumb' }, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { FORCE_COLOR: 'false' }, false],
    [true, { FORCE_COLOR: '3', TERM: 'dumb' }, true],
    [true, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('on a terminal: %s, with %j: %s', (isTerminal, env, isColoured) => {
    const text = outputOf(isTerminal ? 80 : undefined, env).colour('red', 'x')
    expect(text).toBe(isColoured ? '\u001b[31mx\u001b[39m' : 'x')
  })
})
