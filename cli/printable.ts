// Makes text safe for a terminal. Keys, values and paths may come from anyone. Printed raw, they could move the cursor,
// change the window's title or reorder a line. So characters that do more than appear are shown by their codes.

// Control characters (C1 too: U+009B begins an escape sequence), line and paragraph separators, characters that change the
// direction of text, invisible formatting characters, and lone surrogates. The joiner U+200D stays, because emoji need it.
const UNPRINTABLE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

function escapeOf(char: string): string {
  return char.replace(/[\s\S]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The text as one line that is safe on a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escapeOf)
}

/** JSON text that is safe on a terminal: such characters are escaped, which doesn't change its meaning. */
export function printableJson(value: unknown): string {
  return printable(JSON.stringify(value))
}
