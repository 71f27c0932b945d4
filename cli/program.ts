// From words to a command. yargs splits options from the rest and lays out the help; what it would do to the rest is
// done here instead, because the rest are keys and JSON that can be anything: declared as yargs positionals, a key after
// `--` that begins with a dash is parsed as an option once more, and a key named `help` prints the help.

import yargs, { type Argv, type Options } from 'yargs'
import {
  type Command,
  type Context,
  type ExitCode,
  flag,
  type Input,
  type Library,
  type OptionValues,
  type Parameter,
  UsageError,
} from './command.js'
import { clear } from './commands/clear.js'
import { deleteCommand } from './commands/delete.js'
import { explain } from './commands/explain.js'
import { gc } from './commands/gc.js'
import { get } from './commands/get.js'
import { list } from './commands/list.js'
import { path } from './commands/path.js'
import { set } from './commands/set.js'
import { stats } from './commands/stats.js'
import { verify } from './commands/verify.js'
import { watch } from './commands/watch.js'
import { type Env, Output, type Stream } from './output.js'
import { printable } from './printable.js'

export const NAME = 'wicked-cache'
export const commands: readonly Command[] = [
  stats,
  list,
  get,
  explain,
  set,
  deleteCommand,
  clear,
  path,
  gc,
  verify,
  watch,
]

/** What a run may touch of its process. */
export interface Host {
  stdin: Input
  stdout: Stream
  stderr: Stream
  env: Env
  version: string
  library(): Promise<Library>
  stopped(): Promise<void>
}

const GLOBAL_OPTIONS: Record<string, Options> = {
  json: flag('Print JSON'),
  dir: { type: 'string', requiresArg: true, describe: 'The directory of the cache (default: see "wicked-cache path")' },
  help: { ...flag('Show this help'), alias: 'h' },
  version: flag('Print the version'),
}

const MAX_HELP_WIDTH = 100
const ARGUMENTS = 'Arguments:'

/** Missing in the type declarations of yargs. */
interface UsageConfigurable {
  usageConfiguration(configuration: { 'hide-types': boolean }): Argv
}

function parserFor(args: readonly string[]): Argv {
  const parser = yargs([...args])
    // A name would stand in front of every command of the list, and leave no room for what they do.
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
      // Errors of yargs' own are mistakes of the caller; any other is a bug and keeps its stack.
      if (error && error.name !== 'YError') throw error
      throw new UsageError(message ?? error?.message ?? 'Called wrongly')
    })
  return (parser as Argv & UsageConfigurable).usageConfiguration({ 'hide-types': true })
}

function signature({ name, isOptional, isRepeated }: Parameter): string {
  const shown = isRepeated ? `${name}...` : name
  return isOptional ? `[${shown}]` : `<${shown}>`
}

/** Lays out help only: nothing is parsed with it, so a command can show its parameters as yargs shows positionals. */
function helpFor(command: Command | undefined, width: number): Promise<string> {
  const parser = parserFor([]).wrap(width)
  if (command === undefined) {
    for (const { name, parameters, summary } of commands) {
      parser.command([name, ...parameters.map(signature)].join(' '), summary)
    }
    return parser
      .usage(`${NAME} <command> [options]\n\nLooks into the cache that the plugins on this machine share.`)
      .options(GLOBAL_OPTIONS)
      .epilogue(`Exit codes: 0 done, 1 a miss or something is wrong, 2 called wrongly.`)
      .epilogue(`Examples: ${NAME} <command> --help`)
      .getHelp()
  }
  const { name, summary, details, parameters, options, examples } = command
  const line = [NAME, name, ...parameters.map(signature), '[options]'].join(' ')
  for (const parameter of parameters) {
    parser.option(parameter.name, { group: ARGUMENTS, describe: parameter.describe })
  }
  // Each on a line of its own, so that it can be copied; beside their purposes, yargs would break them.
  for (const [example, purpose] of examples) parser.example(`# ${purpose}`, '').example(example, '')
  return parser.usage(`${line}\n\n${summary}.\n\n${details}`).options(options).options(GLOBAL_OPTIONS).getHelp()
}

interface Call {
  command: Command
  parameters: string[]
  options: OptionValues
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

const noOption = (dashed: string) =>
  new UsageError(`There is no option ${dashed} (an argument that begins with a dash goes after --)`)

/** yargs looks options up in plain objects, and takes `--constructor` for something that they hold. */
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
    if (option === undefined) throw noOption(dashed)
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

// The library's class is not imported for this, so that a usage error does not load the library.
const CALLERS_MISTAKES = new Set([
  'ERR_CACHE_OPTION',
  'ERR_CACHE_NAMESPACE',
  'ERR_CACHE_KEY',
  'ERR_CACHE_VALUE',
  'ERR_CACHE_VALUE_TOO_LARGE',
])

async function report(error: unknown, usageHint: string, stderr: Output): Promise<ExitCode> {
  const { name, code, message, stack }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(`${error}`)
  const isUsage = error instanceof UsageError
  // A system call's or the library's error says all there is to say; anything else is a bug, and its stack says where.
  const text = isUsage || code !== undefined ? message : (stack ?? message)
  const lines = `${stderr.colour('red', `${NAME}:`)} ${text.split('\n').map(printable).join('\n')}`
  await stderr.line(isUsage ? `${lines}\n${usageHint}` : lines)
  return isUsage || (name === 'CacheError' && CALLERS_MISTAKES.has(code ?? '')) ? 2 : 1
}

/** Runs one command line, without the program's name; never throws for what a caller, a reader or a disk can do. */
export async function run(args: readonly string[], host: Host): Promise<ExitCode> {
  const stdout = new Output(host.stdout, host.env)
  const stderr = new Output(host.stderr, host.env)
  const { stdin, env, library, stopped } = host
  const context: Context = { stdin, stdout, stderr, env, library, stopped }
  const named = args.map(arg => commands.find(({ name }) => name === arg)).find(command => command !== undefined)
  try {
    if (wantsHelp(args)) {
      await stdout.line(await helpFor(named, Math.min(stdout.columns ?? 80, MAX_HELP_WIDTH)))
      return 0
    }
    const call = await parse(args)
    if (call === 'version') {
      await stdout.line(host.version)
      return 0
    }
    return await call.command.run(call.parameters, call.options, context)
  } catch (error) {
    return report(error, `See: ${[NAME, named?.name, '--help'].filter(Boolean).join(' ')}`, stderr)
  }
}
