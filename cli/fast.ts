// Parses the commands that scripts and hooks call often, with Node's own parser. Loading yargs takes as long as the rest of
// such a command. Only plainly correct command lines are accepted here. Help, mistakes and other commands are left to
// `program`. If both accept a command line, they agree (`test/cli/fast.test.ts`).

import { type ParseArgsConfig, parseArgs } from 'node:util'
import { type Call, type Command, commonOptions, type OptionValues } from './command.js'
import { deleteCommand } from './commands/delete.js'
import { get } from './commands/get.js'
import { has } from './commands/has.js'
import { path } from './commands/path.js'
import { run } from './commands/run.js'
import { serve } from './commands/serve.js'
import { set } from './commands/set.js'

export const fastCommands: readonly Command[] = [get, set, has, deleteCommand, path, run, serve]

const OPTIONS = Object.assign({}, commonOptions, ...fastCommands.map(({ options }) => options)) as typeof commonOptions

/** Undefined if yargs must parse it. */
export function parseFast(args: readonly string[]): Call | undefined {
  const words = parseWords(args)
  const command = fastCommands.find(({ name }) => name === words?.parameters[0])
  if (!words || !command) return undefined
  const parameters = words.parameters.slice(1)
  const { parameters: declared, options: ownOptions } = command
  const requiredCount = declared.filter(({ isOptional }) => !isOptional).length
  const isEndless = declared.at(-1)?.isRepeated === true
  if (parameters.length < requiredCount || (parameters.length > declared.length && !isEndless)) return undefined
  const options: Record<string, unknown> = {}
  for (const [name, values] of Object.entries(words.options)) {
    const option = ownOptions[name] ?? commonOptions[name]
    // Given twice, in quotes or empty: yargs has an opinion. But a version may be empty.
    if (!option || (values.length > 1 && !option.array)) return undefined
    const refused = name === 'plugin-version' ? /^["']/ : option.array ? /^["'-]|^$/ : /^["']|^$/
    if (values.some(value => typeof value === 'string' && refused.test(value))) return undefined
    options[name] = option.array ? values : values[0]
  }
  return { command, parameters, options: options as OptionValues }
}

function parseWords(args: readonly string[]) {
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const [name, { type }] of Object.entries(OPTIONS)) {
    options[name] = { type: type === 'boolean' ? 'boolean' : 'string', multiple: true }
  }
  try {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      tokens: true,
    })
    // Before the command, yargs knows only the options of all commands.
    const before = tokens.slice(
      0,
      tokens.findIndex(({ kind }) => kind === 'positional'),
    )
    if (!before.every(token => token.kind === 'option' && Object.hasOwn(commonOptions, token.name))) return undefined
    return { parameters: positionals, options: values as Record<string, readonly (string | boolean)[]> }
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS_')) return undefined
    throw error
  }
}
