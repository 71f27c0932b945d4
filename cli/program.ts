// Parses command lines with yargs, which separates options from arguments and lays out the help. Arguments are handled here,
// because they are keys and JSON and can be anything: with yargs' positionals, a key after `--` that begins with a dash is
// parsed as an option again, and a key named `help` prints the help.

import yargs, { type Argv, type Options } from 'yargs'
import { type Call, type Command, commonOptions, flag, type Parameter, UsageError } from './command.js'
import { clear } from './commands/clear.js'
import { completionOf } from './commands/completion.js'
import { deleteCommand } from './commands/delete.js'
import { explain } from './commands/explain.js'
import { gc } from './commands/gc.js'
import { get } from './commands/get.js'
import { has } from './commands/has.js'
import { list } from './commands/list.js'
import { path } from './commands/path.js'
import { remote } from './commands/remote.js'
import { report } from './commands/report.js'
import { run } from './commands/run.js'
import { serve } from './commands/serve.js'
import { set } from './commands/set.js'
import { setup } from './commands/setup.js'
import { stats } from './commands/stats.js'
import { top } from './commands/top.js'
import { trace } from './commands/trace.js'
import { verify } from './commands/verify.js'
import { watch } from './commands/watch.js'
import { nearest } from './nearest.js'
import { NAME } from './output.js'

export const commands: readonly Command[] = [
  stats,
  top,
  list,
  report,
  get,
  has,
  explain,
  set,
  deleteCommand,
  clear,
  path,
  gc,
  verify,
  watch,
  trace,
  remote,
  run,
  serve,
  setup,
  completionOf(() => commands.map(command => ({ ...command, options: { ...command.options, ...GLOBAL_OPTIONS } }))),
]

export const GLOBAL_OPTIONS: Record<string, Options> = {
  ...commonOptions,
  help: { ...flag('Show this help'), alias: 'h' },
  version: flag('Print the version'),
}

export const DESCRIPTION = 'Looks into the cache that the plugins on this machine share.'
export const EXIT_CODES = 'Exit codes: 0 done, 1 a miss or something is wrong, 2 called wrongly.'

const MAX_HELP_WIDTH = 100
const ARGUMENTS = 'Arguments:'

/** Missing in yargs' type declarations. */
interface UsageConfigurable {
  usageConfiguration(configuration: { 'hide-types': boolean }): Argv
}

function parserFor(args: readonly string[]): Argv {
  const parser = yargs([...args])
    // The program's name before every command of the list would leave no room for the descriptions.
    .scriptName('')
    .locale('en')
    .help(false)
    .version(false)
    .exitProcess(false)
    .recommendCommands()
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .updateStrings({
      'Argument unexpected for: %s': '--%s takes no value',
      'Did you mean %s?': 'There is no such command. Did you mean %s?',
      'Not enough arguments following: %s': '--%s needs a value',
      'Positionals:': ARGUMENTS,
    })
    .fail((message: string | null, error: Error | undefined) => {
      // Errors from yargs are the caller's mistakes. Others are bugs and keep their stack.
      if (error && error.name !== 'YError') throw error
      throw new UsageError(message ?? error?.message ?? 'Called wrongly')
    })
  return (parser as Argv & UsageConfigurable).usageConfiguration({ 'hide-types': true })
}

export function signature({ name, isOptional, isRepeated }: Parameter): string {
  const shown = isRepeated ? `${name}...` : name
  return isOptional ? `[${shown}]` : `<${shown}>`
}

/** Used only to lay out help, so a command's parameters can be declared as positionals here. */
function helpFor(command: Command | undefined, width: number): Promise<string> {
  const parser = parserFor([]).wrap(width)
  if (command === undefined) {
    for (const { name, parameters, summary } of commands) {
      parser.command([name, ...parameters.map(signature)].join(' '), summary)
    }
    return parser
      .usage(`${NAME} <command> [options]\n\n${DESCRIPTION}`)
      .options(GLOBAL_OPTIONS)
      .epilogue(EXIT_CODES)
      .epilogue(`Examples: ${NAME} <command> --help`)
      .getHelp()
  }
  const { name, summary, details, parameters, options, examples } = command
  const line = [NAME, name, ...parameters.map(signature), '[options]'].join(' ')
  for (const parameter of parameters) {
    parser.option(parameter.name, { group: ARGUMENTS, describe: parameter.describe })
  }
  // Each example has its own line, so that it can be copied. Next to descriptions, yargs would break them.
  for (const [example, purpose] of examples) parser.example(`# ${purpose}`, '').example(example, '')
  return parser.usage(`${line}\n\n${summary}.\n\n${details}`).options(options).options(GLOBAL_OPTIONS).getHelp()
}

/** @throws UsageError */
async function parse(args: readonly string[]): Promise<Call | 'version'> {
  refuseBuiltIns(args)
  let command: Command | undefined
  const parser = parserFor(args).options(GLOBAL_OPTIONS)
  for (const each of commands) {
    parser.command(
      each.name,
      each.summary,
      inner => inner.options(each.options),
      () => {
        command = each
      },
    )
  }
  const { _: words, $0: _program, h: _alias, help: _help, version, ...options } = await parser.parseAsync()
  if (version) return 'version'
  if (command === undefined) {
    throw new UsageError(words.length === 0 ? 'Give a command' : `There is no command "${words[0]}"`)
  }
  checkOptions(options, { ...GLOBAL_OPTIONS, ...command.options })
  const parameters = words.slice(1).map(String)
  checkParameters(parameters, command.parameters)
  return { command, parameters, options }
}

function noOption(dashed: string, known: readonly string[] = []): UsageError {
  const meant = nearest(dashed.replace(/^-+/, ''), known)
  const hint = meant === undefined ? '' : `. Did you mean --${meant}?`
  return new UsageError(`There is no option ${dashed}${hint} (an argument that begins with a dash goes after --)`)
}

/** yargs looks options up in plain objects, where it finds `--constructor`. */
function refuseBuiltIns(args: readonly string[]): void {
  for (const arg of wordsBefore(args, '--')) {
    const [dashed = '', name = ''] = /^--?([^=]+)/.exec(arg) ?? []
    if (name in {}) throw noOption(dashed)
  }
}

function checkOptions(options: Record<string, unknown>, known: Record<string, Options>): void {
  for (const [name, value] of Object.entries(options)) {
    const dashed = name.length === 1 ? `-${name}` : `--${name}`
    const option = Object.hasOwn(known, name) ? known[name] : undefined
    if (option === undefined) throw noOption(dashed, Object.keys(known))
    if (Array.isArray(value) && !option.array) throw new UsageError(`${dashed} was given more than once`)
    // An empty version is the version of a namespace that was opened without one.
    if ([value].flat().includes('') && name !== 'plugin-version') throw new UsageError(`${dashed} must not be empty`)
  }
}

function checkParameters(parameters: readonly string[], declared: readonly Parameter[]): void {
  const missing = declared.slice(parameters.length).filter(({ isOptional }) => !isOptional)
  if (missing.length > 0) throw new UsageError(`Missing: ${missing.map(signature).join(' ')}`)
  const extra = parameters[declared.length]
  if (extra !== undefined && !declared.at(-1)?.isRepeated) throw new UsageError(`One argument too many: "${extra}"`)
}

function wordsBefore(args: readonly string[], end: string): readonly string[] {
  return args.includes(end) ? args.slice(0, args.indexOf(end)) : args
}

function wantsHelp(args: readonly string[]): boolean {
  const words = wordsBefore(args, '--')
  return words[0] === 'help' || words.includes('--help') || words.includes('-h')
}

/** The first argument that is a command's name, for help and hints. */
function namedIn(args: readonly string[]): Command | undefined {
  return args.map(arg => commands.find(({ name }) => name === arg)).find(command => command !== undefined)
}

/** Parses a command line: a call of a command, a text to print, or the version. @throws UsageError */
export async function interpret(
  args: readonly string[],
  columns: number | undefined,
): Promise<Call | { help: string } | 'version'> {
  if (!wantsHelp(args)) return parse(args)
  return { help: await helpFor(namedIn(args), Math.min(columns ?? 80, MAX_HELP_WIDTH)) }
}

/** The hint after a usage error. */
export function usageHint(args: readonly string[]): string {
  return `See: ${[NAME, namedIn(args)?.name, '--help'].filter(Boolean).join(' ')}`
}
