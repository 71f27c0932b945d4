import { describe, expect, test } from 'vitest'
import { formatAge, formatCount, formatRatio, formatSize, hitRateOf } from '../../cli/format.js'
import { printable, printableJson } from '../../cli/printable.js'

describe('formatted numbers', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KB'],
    [1536, '1.5 KB'],
    [1024 ** 2 - 1, '1.0 MB'],
    [64 * 1024 ** 2, '64.0 MB'],
    [1024 ** 5 * 5000, '5000.0 PB'],
  ])('%i bytes are %s', (sizeBytes, text) => {
    expect(formatSize(sizeBytes)).toBe(text)
  })

  test.each([
    [-5000, '0s'],
    [999, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [7_199_999, '1h'],
    [86_400_000 * 400, '400d'],
  ])('an age of %i ms is %s', (ageMs, text) => {
    expect(formatAge(ageMs)).toBe(text)
  })

  test('counts have thousands separators', () => {
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567'])
  })

  test('the hit rate is - without reads', () => {
    expect(formatRatio(hitRateOf(0, 0))).toBe('-')
    expect(formatRatio(hitRateOf(2, 1))).toBe('66.7 %')
  })
})

describe('printable text', () => {
  test('shows control and bidirectional characters as escapes', () => {
    expect(printable('a\u001b[31m\nb\u009b\u007f\u202e\u2028\ufeff\u{e0041}\ud800')).toBe(
      'a\\u001b[31m\\u000ab\\u009b\\u007f\\u202e\\u2028\\ufeff\\udb40\\udc41\\ud800',
    )
  })

  test('leaves other text unchanged', () => {
    const text = 'C:\\src\\é 日本 👩‍💻 "q"'
    expect(printable(text)).toBe(text)
  })

  test('keeps the meaning of JSON', () => {
    const value = { 'k\u009b\u202e': ['\u007f\u{e0041}', '\u001b"\\'] }
    expect(printableJson(value)).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(JSON.parse(printableJson(value))).toEqual(value)
  })
})
