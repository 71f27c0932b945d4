// Durations and sizes given as strings.

import { describe, expect, test } from 'vitest'
import { parseDuration, parseSize } from '../../src/index.js'

describe('durations', () => {
  test.each([
    ['0ms', 0],
    ['1500ms', 1500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
  ])('%s is %i ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs)
  })

  test.each(['', '5', 'm', '-5m', '5 m', '5M', '5w', '1e3s', 'Infinityd', '5mm', `${'9'.repeat(400)}d`])(
    '"%s" is not a duration',
    text => expect(parseDuration(text)).toBe(undefined),
  )
})

describe('sizes', () => {
  test.each([
    ['0B', 0],
    ['17b', 17],
    ['1KB', 1024],
    ['1kib', 1024],
    ['512MiB', 512 * 2 ** 20],
    ['1.5M', 1.5 * 2 ** 20],
    ['2GB', 2 ** 31],
    ['1TiB', 2 ** 40],
  ])('%s is %i bytes', (text, sizeBytes) => {
    expect(parseSize(text)).toBe(sizeBytes)
  })

  test.each(['', '5', 'GB', '-1GB', '1 GB', '1GBB', '1Bi', '1e3KB', 'InfinityGB', '1,5MB', `${'9'.repeat(400)}TB`])(
    '"%s" is not a size',
    text => expect(parseSize(text)).toBe(undefined),
  )
})
