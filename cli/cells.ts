// How many cells of a terminal a text takes, and how it is made to fit.

import type { Output } from './output.js'

/** East Asian characters that take two cells: Unicode's East Asian Width "W" and "F". Emoji do as well. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18d7f}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
/** Marks and joiners, and the vowels and finals that Hangul draws into the syllable before them. */
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\ud7b0-\ud7ff]/u
/** A flag is two of them, and takes two cells. */
const HALF_FLAG = /\p{Regional_Indicator}/u
const ASCII = /^[ -~]*$/
const JOINER = '\u200d'
/** Makes an emoji of the character before it. */
const EMOJI_STYLE = '\ufe0f'

function widthAfter(before: string, char: string): number {
  if (char === EMOJI_STYLE) return /\p{Emoji}/u.test(before) && !WIDE.test(before) ? 1 : 0
  if (ZERO_WIDTH.test(char)) return 0
  if (before === JOINER && /\p{Extended_Pictographic}/u.test(char)) return 0
  if (/\p{Emoji_Modifier}/u.test(char) && /\p{Emoji_Modifier_Base}/u.test(before)) return 0
  if (HALF_FLAG.test(char)) return 1
  return WIDE.test(char) ? 2 : 1
}

/** How many cells the text takes: two for East Asian characters and emoji, none for combining marks. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  let before = ''
  for (const char of text) {
    width += widthAfter(before, char)
    before = char
  }
  return width
}

let segmenter: Intl.Segmenter | undefined

/** The text's graphemes: what a reader sees as one character. */
function graphemesOf(text: string): string[] {
  if (ASCII.test(text)) return [...text]
  segmenter ??= new Intl.Segmenter('en')
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

function startOf(graphemes: readonly string[], width: number): string {
  let start = ''
  let left = width
  for (const each of graphemes) {
    left -= widthOf(each)
    if (left < 0) break
    start += each
  }
  return start
}

function endOf(graphemes: readonly string[], width: number): string {
  let end = ''
  let left = width
  for (const each of graphemes.toReversed()) {
    left -= widthOf(each)
    if (left < 0) break
    end = each + end
  }
  return end
}

/** The text, truncated at its end if it takes more cells than this. */
export function shortened(text: string, width: number, ellipsis = '…'): string {
  if (widthOf(text) <= width) return text
  return startOf(graphemesOf(text), width - widthOf(ellipsis)) + ellipsis.slice(0, Math.max(0, width))
}

/** The text, truncated in its middle: the end of a path says most. */
export function squeezed(text: string, width: number, ellipsis = '…'): string {
  if (widthOf(text) <= width) return text
  const room = width - widthOf(ellipsis)
  if (room < 2) return shortened(text, width, ellipsis)
  const graphemes = graphemesOf(text)
  const start = startOf(graphemes, Math.floor(room / 3))
  return start + ellipsis + endOf(graphemes, room - widthOf(start))
}

/** Breaks lines between words. Text without a space stays whole, so that it can be copied. */
export function wrapped(text: string, width: number, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line.trim() === '' || widthOf(longer) <= width) line = longer
    else {
      lines.push(line)
      line = indent + word
    }
  }
  return [...lines, line].join('\n')
}

/** Breaks the lines of text for a terminal. */
export function fitted(text: string, { room }: Pick<Output, 'room'>, indent = '  '): string {
  return room === undefined ? text : wrapped(text, room, indent)
}
