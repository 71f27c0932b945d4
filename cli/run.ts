// Runs one command line and returns its exit code.

import { type Context, type ExitCode, type Input, type Library, UsageError } from './command.js'
import { parseFast } from './fast.js'
import { type Env, NAME, Output, type Stream } from './output.js'
import { printable } from './printable.js'
import { interpret, usageHint } from './program.js'

/** The parts of the process that a run uses. Each is created only when needed, since a stream takes time to set up. */
export interface Host {
  readonly stdin: Input
  readonly stdout: Stream
  readonly stderr: Stream
  readonly env: Env
  readonly version: string
  readonly program: string
  library(): Promise<Library>
  stopped(signals?: readonly NodeJS.Signals[]): Promise<void>
}

/** Runs a command line, given without the program's name. Never throws because of the caller, the reader or the disk. */
export async function run(args: readonly string[], host: Host): Promise<number> {
  const context = contextOf(host)
  try {
    const asked = isVersionAlone(args) ? 'version' : (parseFast(args) ?? (await parse(args, context)))
    if (typeof asked === 'object' && 'command' in asked) {
      return await asked.command.run(asked.parameters, asked.options, context)
    }
    await context.stdout.line(asked === 'version' ? host.version : asked.help)
    return 0
  } catch (error) {
    return report(error, args, context.stderr)
  }
}

async function parse(args: readonly string[], { stdout }: Context): ReturnType<typeof interpret> {
  if (hasWorkingDirectory()) return interpret(args, stdout.columns)
  throw Object.assign(new Error('The working directory was removed; change to another one.'), { code: 'ENOENT' })
}

/** Without one, yargs can't be loaded. */
function hasWorkingDirectory(): boolean {
  try {
    process.cwd()
    return true
  } catch {
    return false
  }
}

/** Scripts and editors ask a tool for its version often. */
function isVersionAlone(args: readonly string[]): boolean {
  return args.length === 1 && args[0] === '--version'
}

function contextOf(host: Host): Context {
  const { env, version, program, library, stopped } = host
  let stdout: Output | undefined
  let stderr: Output | undefined
  return {
    env,
    version,
    program,
    library,
    stopped,
    get stdin() {
      return host.stdin
    },
    get stdout() {
      stdout ??= new Output(host.stdout, env)
      return stdout
    },
    get stderr() {
      stderr ??= new Output(host.stderr, env)
      return stderr
    },
  }
}

// Doesn't import the library's class, so that a usage error doesn't load the library.
const CALLERS_MISTAKES = new Set([
  'ERR_CACHE_OPTION',
  'ERR_CACHE_NAMESPACE',
  'ERR_CACHE_KEY',
  'ERR_CACHE_VALUE',
  'ERR_CACHE_VALUE_TOO_LARGE',
])

async function report(error: unknown, args: readonly string[], stderr: Output): Promise<ExitCode> {
  const { name, code, message, stack }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(`${error}`)
  const isUsage = error instanceof UsageError
  // Errors of system calls and of the library are complete. Anything else is a bug and needs its stack.
  const text = isUsage || code !== undefined ? message : (stack ?? message)
  const lines = `${stderr.colour('red', `${NAME}:`)} ${text.split('\n').map(printable).join('\n')}`
  await stderr.line(isUsage && hasWorkingDirectory() ? `${lines}\n${usageHint(args)}` : lines)
  return isUsage || (name === 'CacheError' && CALLERS_MISTAKES.has(code ?? '')) ? 2 : 1
}
