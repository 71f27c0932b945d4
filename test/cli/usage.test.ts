// Usage errors: exit code 2, a message on stderr that names the problem, and nothing is done.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { commands } from '../../cli/program.js'
import { cli, temporaryDir } from './harness.js'

describe('a usage error', () => {
  test.each<[string[], string]>([
    [[], 'Give a command'],
    [['gte', 'ns', 'key'], 'Did you mean get?'],
    [['frobnicate'], '"frobnicate"'],
    [['stats', 'a', 'b'], '"b"'],
    [['stats', '--all'], '--all'],
    [['list', 'a', 'b'], '"b"'],
    [['list', '--ttl', '5m'], '--ttl'],
    [['get'], '<namespace> <key>'],
    [['get', 'ns'], '<key>'],
    [['get', 'ns', 'key', 'more'], '"more"'],
    [['get', 'ns', 'key', '--plugin-version'], '--plugin-version'],
    [['get', 'ns', 'key', '--plugin-version', '1', '--plugin-version', '2'], '--plugin-version'],
    [['get', 'ns', 'key', '--pluginVersion', '1'], '--pluginVersion'],
    [['get', 'ns', '-k'], '-k'],
    [['get', 'ns', 'key', '--json=false'], '--json'],
    [['get', 'ns', 'key', '--constructor', 'x'], '--constructor'],
    [['set', 'ns'], '<key>'],
    [['set', 'ns', 'key', 'not json'], 'line 1, column 1'],
    [['set', 'ns', 'key', '1', '--ttl', '5'], '--ttl'],
    [['set', 'ns', 'key', '1', '--ttl', '5 parsecs'], '--ttl'],
    [['set', 'ns', 'key', '1', '--ttl', '0s'], '--ttl'],
    [['set', 'ns', 'key', '1', '--ttl', '-5m'], '--ttl'],
    [['set', 'ns', 'key', '1', '--ttl='], '--ttl'],
    [['set', 'ns', 'key', '1', '--file'], '--file'],
    [['set', 'ns', 'key', '1', '--file='], '--file'],
    [['set', 'ns', 'key', '1', '2'], '"2"'],
    [['delete', 'ns'], '<key>'],
    [['delete', 'ns', 'key', '--all'], '--all'],
    [['clear'], '--all'],
    [['clear', 'ns', '--all'], '--all'],
    [['path', 'ns'], '"ns"'],
    [['gc', 'ns'], '"ns"'],
    [['gc', '--grace', '1h'], '--grace'],
    [['gc', '--max-size', '500'], '--max-size'],
    [['gc', '--max-size', '2 GB of it'], '--max-size'],
    [['gc', '--max-size=-1GB'], '--max-size'],
    [['gc', '--max-size'], '--max-size'],
    [['gc', '--max-age', '30'], '--max-age'],
    [['gc', '--max-age', '30 days'], '--max-age'],
    [['gc', '--max-entries', '1e3'], '--max-entries'],
    [['gc', '--max-entries', '-1'], '--max-entries'],
    [['gc', '--namespace='], '--namespace'],
    [['gc', '--dry-run=no'], '--dry-run'],
    [['gc', '--__proto__=x'], '--__proto__'],
    [['gc', '--toString'], '--toString'],
    [['watch'], '<directory...>'],
    [['watch', 'src', '--all'], '--all'],
    [['stats', '--dir'], '--dir'],
    [['stats', '--dir='], '--dir'],
  ])('%j is rejected', async (args, named) => {
    const dir = temporaryDir()
    const { code, out, err } = await cli(
      args.includes('--dir=') || args.at(-1) === '--dir' ? args : ['--dir', dir, ...args],
    )
    expect(err).toContain(named)
    expect(err).toMatch(/^wicked-cache: .*\n(?:.*\n)*See: wicked-cache [\w ]*--help\n$/)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(readdirSync(dir)).toEqual([])
  })

  test('--dir twice is rejected', async () => {
    expect(await cli(['list', '--dir', 'a', '--dir', 'b'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--dir'),
    })
  })

  test.each([
    ['get', '', 'key'],
    ['get', 'n'.repeat(1000), 'key'],
    ['set', '', 'key', '1'],
    ['set', 'ns', 'k'.repeat(1_000_000), '1'],
    ['set', 'ns', '\ud800', '1'],
    ['delete', '', 'key'],
    ['clear', ''],
    ['gc', '--namespace', 'n'.repeat(1000)],
    ['list', ''],
    ['stats', ''],
  ])('includes invalid names and keys: %s', async (...args) => {
    const dir = temporaryDir()
    expect(await cli([...args, '--dir', dir])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^wicked-cache: A (key|namespace name) /),
    })
  })
})

describe('help', () => {
  test('lists every command', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, out, err } = await cli(args)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      for (const { name, summary } of commands) {
        expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
        expect(out.replace(/\s+/g, ' ')).toContain(summary)
      }
    }
  })

  test.each(commands.map(({ name }) => name))('of %s shows its parameters, options and examples', async name => {
    const command = commands.find(each => each.name === name)!
    const { code, out, err } = await cli([name, '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(await cli(['help', name])).toEqual({ code, out, err })
    for (const parameter of command.parameters) expect(out).toMatch(new RegExp(`^  ${parameter.name} `, 'm'))
    for (const option of ['json', 'dir', 'help', ...Object.keys(command.options)]) expect(out).toContain(`--${option} `)
    for (const [line] of command.examples) expect(out.split('\n')).toContain(`  ${line}`)
    expect(Math.max(...out.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
  })

  test('is not shown for a key named help or for --help after --', async () => {
    const dir = temporaryDir()
    expect((await cli(['get', 'ns', 'help', '--dir', dir])).code).toBe(1)
    expect((await cli(['get', '--dir', dir, 'ns', '--', '--help'])).code).toBe(1)
  })

  test('is ASCII only', async () => {
    for (const args of [[], ...commands.map(({ name }) => [name])]) {
      expect((await cli([...args, '--help'])).out).toMatch(/^[\n -~]+$/)
    }
  })

  test('does not load the library', async () => {
    const library = () => Promise.reject(new Error('loaded'))
    const { run } = await import('../../cli/run.js')
    const { Sink } = await import('./harness.js')
    const stopped = () => Promise.resolve()
    const host = { stdin: process.stdin, stderr: new Sink(), env: {}, version: '1.2.3', program: '', library, stopped }
    for (const args of [['--help'], ['get', '--help'], ['--version'], ['path', '--dir', 'x']]) {
      expect(await run(args, { ...host, stdout: new Sink() })).toBe(0)
    }
  })
})

test('--version works with other arguments too', async () => {
  expect(await cli(['--version'])).toEqual({ code: 0, out: '1.2.3\n', err: '' })
  expect(await cli(['list', '--version'])).toEqual({ code: 0, out: '1.2.3\n', err: '' })
})
