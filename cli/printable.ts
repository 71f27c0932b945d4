// Keys, values and paths come from whoever wrote the cache. Shown raw, they could move the cursor, retitle the window or
// reorder the line that a person reads, so every character that does more than appear is shown by its code instead.

// Control characters (C1 too: U+009B opens an escape sequence), line and paragraph separators, what changes the
// direction of text, invisible formatting characters, and lone surrogates. The joiner U+200D stays: emoji are made of it.
const UNPRINTABLE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

function escapeOf(char: string): string {
  return char.replace(/[\s\S]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The text as one line that is safe on a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escapeOf)
}

/** The same for text that is JSON: what JSON lets stand raw is escaped, so it means the same as before. */
export function printableJson(value: unknown): string {
  return printable(JSON.stringify(value))
}
