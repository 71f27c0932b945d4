// The fast parser of frequent commands understands only some command lines, and those exactly as yargs does.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fastCommands, parseFast } from '../../cli/fast.js'
import { interpret } from '../../cli/program.js'

const optionsOf = fastCommands.flatMap(({ options }) => Object.keys(options))
const WORDS = [
  ...fastCommands.map(({ name }) => name),
  ...[...new Set(optionsOf), 'json', 'dir', 'help', 'version', 'all'].flatMap(name => [`--${name}`, `--${name}=x`]),
  ...[
    'ns',
    'key',
    'true',
    'false',
    '-',
    '--',
    '-5',
    '5',
    '-h',
    '-x',
    '',
    '"x"',
    "'x'",
    '--dir=',
    '--no-json',
    '--json=false',
  ],
  ...['--constructor', '--__proto__', '--toString=1', 'a=b', 'help', '--pluginVersion', '--dir=a=b', ' ', '日本'],
]

const plain = (value: unknown) => JSON.parse(JSON.stringify(value))
const partsOf = ({ command, parameters, options }: NonNullable<ReturnType<typeof parseFast>>) =>
  plain({ name: command.name, parameters, options })

const isAsYargsHasIt = async (args: readonly string[]) => {
  const call = parseFast(args)
  if (!call) return false
  const asked = await interpret(args, 80)
  if (typeof asked !== 'object' || !('command' in asked)) throw new Error(`${JSON.stringify(args)} is no call`)
  expect(partsOf(call), JSON.stringify(args)).toEqual(partsOf(asked))
  return true
}

test.each([
  [['get', 'ns', 'key']],
  [['get', 'ns', 'key', '--json', '--plugin-version', '1.0']],
  [['--dir', 'x', 'get', 'ns', 'key', '--raw', '--json']],
  [['--dir=x', '--json', 'has', 'ns', 'key']],
  [['get', 'ns', 'key', '--plugin-version=']],
  [['get', 'ns', '--', '--strict']],
  [['set', 'ns', 'key', '1', '--file', 'a', '--file', 'b', '--ttl', '5m']],
  [['set', 'ns', 'key', '-', '--text']],
  [['set', 'ns', 'key', '--json', 'true']],
  [['delete', 'ns', 'key']],
  [['path']],
])('%j is parsed without yargs, with the same result', async args => {
  expect(await isAsYargsHasIt(args)).toBe(true)
})

test.each([
  [['list']],
  [['get', '--help']],
  [['get', 'ns', 'key', '-h']],
  [['get', 'ns']],
  [['get', 'ns', 'key', 'more']],
  [['get', 'ns', 'key', '--ttl', '5m']],
  [['get', 'ns', 'key', '--dir', 'a', '--dir', 'b']],
  [['get', 'ns', 'key', '--dir=']],
  [['get', 'ns', 'key', '--json=false']],
  [['--version']],
  [['--raw', 'get', 'ns', 'key']],
  [['--dir=x', '--', 'has', 'ns', 'key']],
  [[]],
])('%j is left to yargs', args => {
  expect(parseFast(args)).toBeUndefined()
})

test('random command lines are parsed as yargs does, or left to yargs', async () => {
  let understood = 0
  const words = fc.oneof(fc.constantFrom(...WORDS), fc.constantFrom(...WORDS), fc.string())
  const lines = fc
    .tuple(fc.constantFrom(...fastCommands.map(({ name }) => name)), fc.array(words, { maxLength: 6 }))
    .chain(([name, rest]) =>
      fc.constantFrom([name, 'ns', 'key', ...rest], [name, ...rest], [...rest, name, 'ns', 'key']),
    )
  await fc.assert(
    fc.asyncProperty(lines, async args => {
      if (await isAsYargsHasIt(args)) understood++
    }),
    { numRuns: 2000 },
  )
  expect(understood).toBeGreaterThan(100)
})
