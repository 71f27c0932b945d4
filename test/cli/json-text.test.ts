import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findMistake, parseJson } from '../../cli/json-text.js'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('a JSON syntax error', () => {
  test.each([
    ['{"a":x}', 5],
    ['{"a":1,}', 7],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{"a" 1}', 5],
    ['{a:1}', 1],
    ["{'a':1}", 1],
    ['{"a":1', 6],
    ['[1}', 2],
    ['', 0],
    ['  ', 2],
    ['1 1', 2],
    ['01', 0],
    ['1.', 0],
    ['tru', 0],
    ['nullx', 0],
    ['"a\\x"', 0],
    ['["ok", "open]', 7],
    ['"a\nb"', 0],
    [']', 0],
    [',', 0],
    [':', 0],
    ['{"a":}', 5],
  ])('in %j is found at offset %i', (text, offset) => {
    expect(isJson(text)).toBe(false)
    expect(findMistake(text)?.offset).toBe(offset)
  })

  test('is found if and only if JSON.parse throws', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"\\u00e9\\n"',
      '1',
      '-0.5e+3',
      'true',
      'null',
      ' ',
      '\t',
      '-',
      '"',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.array(token).map(tokens => tokens.join('')),
          fc.string(),
        ),
        text => {
          expect(findMistake(text) === undefined).toBe(isJson(text))
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('is shown with line, column and context', () => {
    expect(() => parseJson(`{\n  "long": "${'x'.repeat(50)}", oops\n}`, 'The value')).toThrow(
      [
        'The value is not JSON at line 2, column 65: there is "o" where key was expected',
        `  ${'x'.repeat(27)}", oops`,
        `  ${' '.repeat(30)}^`,
      ].join('\n'),
    )
  })

  test('at the end is shown on the last line that has text', () => {
    expect(() => parseJson('[1,\n2\n', 'The value')).toThrow(
      'The value is not JSON at line 2, column 2: it ends where , or ] was expected\n  2\n   ^',
    )
  })

  test('cannot put control characters into the message', () => {
    expect(() => parseJson('[\u001b[31m', 'The value')).toThrow(/^\P{Cc}*\n\P{Cc}*\\u001b\[31m\n\P{Cc}*$/u)
  })

  test('in a word without quotes gets a hint', () => {
    expect(() => parseJson('hello', 'The value')).toThrow(`'"text"'`)
  })

  test('is reported for an empty value', () => {
    expect(() => parseJson(' \n', 'The value')).toThrow('The value is empty; it must be JSON')
  })
})
