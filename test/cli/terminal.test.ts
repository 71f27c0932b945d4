// Colours, and keys and values that contain terminal escapes.

import { describe, expect, test } from 'vitest'
import { cli, filled, temporaryDir } from './harness.js'

const ESCAPE = '\u001b'

describe('colour', () => {
  const oneEntry = async () => {
    const dir = temporaryDir()
    await filled(dir, cache => cache.namespace('ns').set('key', 1))
    return dir
  }

  test.each([['list'], ['stats']])('in the output of %s is for terminals only', async command => {
    const dir = await oneEntry()
    const args = [command, '--dir', dir]
    expect((await cli(args, { isTerminal: true })).out).toContain(`${ESCAPE}[1m`)
    expect((await cli(args, { isTerminal: true, env: { NO_COLOR: '' } })).out).toContain(ESCAPE)
    expect((await cli(args)).out).not.toContain(ESCAPE)
    expect((await cli(args, { isTerminal: true, env: { NO_COLOR: '1' } })).out).not.toContain(ESCAPE)
    expect((await cli(args, { isTerminal: true, env: { TERM: 'dumb' } })).out).not.toContain(ESCAPE)
    expect((await cli([...args, '--json'], { isTerminal: true })).out).not.toContain(ESCAPE)
  })

  test('in messages is for terminals only', async () => {
    expect((await cli(['nope'], { isTerminal: true })).err).toContain(`${ESCAPE}[31m`)
    expect((await cli(['nope'], { isTerminal: true, env: { NO_COLOR: '1' } })).err).not.toContain(ESCAPE)
    expect((await cli(['nope'])).err).not.toContain(ESCAPE)
  })
})

describe('hostile names and values', () => {
  // Each takes over in its own way: an escape sequence, the same in one byte, a new line with a false row, an overwritten
  // line, a reordered one, a hidden part.
  const HOSTILE = [
    '\u001b]0;title\u0007',
    '\u009b31m',
    'a\nb',
    'a\rb',
    'a\u202eb',
    'a\u2066b',
    'a\u{e0041}b',
    '\u007f',
    'a\u2028b',
  ]
  const UNSAFE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

  test.each(HOSTILE)('%j is escaped on a terminal', async text => {
    const dir = temporaryDir()
    const there = ['--dir', dir]
    const onTerminal = { isTerminal: true, env: { NO_COLOR: '1' } }
    const results = [
      await cli(['set', text, text, JSON.stringify({ [text]: text }), '--plugin-version', text, ...there], onTerminal),
      await cli(['list', ...there], onTerminal),
      await cli(['list', '--json', ...there], onTerminal),
      await cli(['stats', ...there], onTerminal),
      await cli(['stats', '--json', ...there], onTerminal),
      await cli(['stats', text, ...there], onTerminal),
      await cli(['get', text, text, ...there], onTerminal),
      await cli(['get', text, text, '--json', ...there], onTerminal),
    ]
    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0))
    const failing = [
      await cli(['get', text, text, '--plugin-version', '', ...there], onTerminal),
      await cli(['get', text, text, text, ...there], onTerminal),
      await cli(['set', text, text, text, ...there], onTerminal),
      await cli(['set', text, text, '1', '--ttl', text, ...there], onTerminal),
      await cli([`x${text}`, ...there], onTerminal),
      await cli(['list', `--x${text}`, ...there], onTerminal),
      await cli(['stats', `nope${text}`, ...there], onTerminal),
    ]
    expect(failing.map(({ code }) => code)).toEqual([1, 2, 2, 2, 2, 2, 1])
    results.push(
      ...failing,
      await cli(['clear', text, ...there], onTerminal),
      await cli(['delete', text, text, ...there], onTerminal),
    )
    for (const { out, err } of results) expect(out + err).not.toMatch(UNSAFE)
    expect(results[1]?.out.trimEnd().split('\n').length).toBe(2)
  })

  test('scripts get the exact names and values', async () => {
    for (const text of HOSTILE) {
      const dir = temporaryDir()
      await filled(dir, cache => cache.namespace('ns').set(text, { [text]: text }))
      expect(JSON.parse((await cli(['list', '--json', '--dir', dir])).out)).toMatchObject({ key: text })
      expect(JSON.parse((await cli(['get', 'ns', text, '--json', '--dir', dir])).out)).toEqual({ [text]: text })
    }
  })
})
