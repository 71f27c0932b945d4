// Parses JSON that a user typed. JSON.parse finds every mistake, but gives the position only for some, and only in its
// message. So the tokens are walked once more to find it.

import { UsageError } from './command.js'
import { printable } from './printable.js'

const SPACE = /[ \t\n\r]*/y
const TOKEN =
  /[{}[\],:]|"[ !#-[\]-\u{10ffff}]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\u{10ffff}]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/uy

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or ]' | ', or }' | 'end'

/** What may follow once a value is complete. */
function afterValue(open: readonly string[]): Expected {
  const innermost = open.at(-1)
  return innermost === undefined ? 'end' : innermost === '{' ? ', or }' : ', or ]'
}

/** The next expectation, or undefined when the token is not what was expected. Keeps `open`, the brackets still open. */
function step(expected: Expected, token: string, open: string[]): Expected | undefined {
  const isCloser = token === '}' || token === ']'
  if (isCloser && expected.endsWith(token)) {
    open.pop()
    return afterValue(open)
  }
  if (expected === ':') return token === ':' ? 'value' : undefined
  if (token === ',') return expected === ', or }' ? 'key' : expected === ', or ]' ? 'value' : undefined
  if (expected === 'key' || expected === 'key or }') return token.startsWith('"') ? ':' : undefined
  if (expected !== 'value' && expected !== 'value or ]') return undefined
  if (isCloser || token === ':') return undefined
  if (token !== '{' && token !== '[') return afterValue(open)
  open.push(token)
  return token === '{' ? 'key or }' : 'value or ]'
}

/** Where the text stops being JSON, or undefined when it is JSON. */
export function findMistake(text: string): { offset: number; expected: string } | undefined {
  const open: string[] = []
  let expected: Expected = 'value'
  let offset = 0
  for (;;) {
    SPACE.lastIndex = offset
    offset += SPACE.exec(text)?.[0].length ?? 0
    if (offset === text.length) return expected === 'end' ? undefined : { offset, expected }
    TOKEN.lastIndex = offset
    const token = TOKEN.exec(text)?.[0]
    const next: Expected | undefined = token === undefined ? undefined : step(expected, token, open)
    if (token === undefined || next === undefined) return { offset, expected }
    expected = next
    offset += token.length
  }
}

const EXCERPT = 30

/** @throws UsageError that shows the place */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    if (text.trim() === '') throw new UsageError(`${what} is empty; it must be JSON`)
    const mistake = findMistake(text) ?? { offset: 0, expected: 'value' }
    const { expected } = mistake
    // If the text ends too early, show its last line rather than the empty one after its line feed.
    const offset = Math.min(mistake.offset, text.trimEnd().length)
    const before = text.slice(0, offset)
    const lineStart = before.lastIndexOf('\n') + 1
    const lineEnd = /\n|$/.exec(text.slice(offset))?.index ?? 0
    const place = `line ${before.split('\n').length}, column ${offset - lineStart + 1}`
    const found = mistake.offset === text.length ? 'it ends' : `there is ${printable(JSON.stringify(text[offset]))}`
    const head = printable(text.slice(Math.max(lineStart, offset - EXCERPT), offset))
    const tail = printable(text.slice(offset, offset + Math.min(lineEnd, EXCERPT)))
    const isBareWord = offset === 0 && /^[^[{"]/.test(text.trim())
    throw new UsageError(
      [
        `${what} is not JSON at ${place}: ${found} where ${expected === 'end' ? 'its end' : expected} was expected`,
        `  ${head}${tail}`,
        `  ${' '.repeat(head.length)}^`,
        ...(isBareWord ? [`A text needs its own quotes: '"text"'`] : []),
      ].join('\n'),
      { cause: error },
    )
  }
}
