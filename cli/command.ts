// The type of a command, its context, and the error for wrong usage.

import type { Options } from 'yargs'
import type { createRemoteKeys, openCache, parseDuration, parseSize } from '../src/index.js'
import type { Env, Output } from './output.js'

/** 0: done. 1: a miss, or something is wrong. 2: called wrongly. */
export type ExitCode = 0 | 1 | 2

/**
 * A mistake in how the command was called. It is reported with exit code 2. Further lines of the message are printed as they
 * are.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The parts of the library that commands use. They are loaded on first use: `path --dir` and `--help` don't need them. */
export interface Library {
  openCache: typeof openCache
  createRemoteKeys: typeof createRemoteKeys
  parseDuration: typeof parseDuration
  parseSize: typeof parseSize
  defaultDir(env: Env): string
}

/** Bytes from the caller, and whether a person is typing them. */
export type Input = AsyncIterable<Uint8Array | string> & {
  isTTY?: boolean
  setRawMode?(isRaw: boolean): unknown
  destroy?(): unknown
}

/** The parts of the process that a command may use. */
export interface Context {
  stdin: Input
  stdout: Output
  stderr: Output
  env: Env
  /** The program's version. */
  version: string
  /** The file that the program runs from. */
  program: string
  library(): Promise<Library>
  /** Resolves when the program is asked to end, by default by SIGINT or SIGTERM; without a call of this, it just ends. */
  stopped(signals?: readonly NodeJS.Signals[]): Promise<void>
}

/** The options of all commands. Options that a command doesn't declare are never set. */
export interface OptionValues {
  json?: boolean
  dir?: string
  raw?: boolean
  text?: boolean
  all?: boolean
  project?: string
  'user-wide'?: boolean
  'all-projects'?: boolean
  repair?: boolean
  ttl?: string
  file?: string[]
  glob?: string[]
  env?: string[]
  failures?: boolean
  'plugin-version'?: string
  'max-size'?: string
  'max-age'?: string
  'max-entries'?: string
  namespace?: string
  bundle?: string
  'dry-run'?: boolean
  remove?: boolean
  remote?: boolean
  statistics?: boolean
  out?: string
  open?: boolean
  sort?: string
  limit?: string
  prefix?: string
  mode?: string
  since?: string
  reset?: boolean
  interval?: string
  count?: string
}

export interface Parameter {
  name: string
  describe: string
  isOptional?: boolean
  /** Whether it stands for one or more arguments. Only the last parameter may be repeated. */
  isRepeated?: boolean
}

export interface Command {
  name: string
  /** One line for the list of commands. */
  summary: string
  /** Further help: the form of --json, the meaning of exit code 1. */
  details: string
  parameters: readonly Parameter[]
  options: Readonly<Record<string, Options>>
  /** Command lines that work as written, and what they are for. */
  examples: readonly (readonly [commandLine: string, purpose: string])[]
  /**
   * `parameters` has at least the required ones, and no more than are declared unless one is repeated. Returns the exit code:
   * an `ExitCode`, or that of the command that was run.
   */
  run(parameters: readonly string[], options: OptionValues, context: Context): Promise<number>
}

// nargs 0, because yargs would take a following `true` or `false` for the value of the option: `set ns key --json true`.
export const flag = (describe: string): Options => ({ type: 'boolean', nargs: 0, describe })

/** The options of every command. */
export const commonOptions: Readonly<Record<string, Options>> = {
  json: flag('Print JSON'),
  dir: { type: 'string', requiresArg: true, describe: 'The directory of the cache (default: see "wicked-cache path")' },
}

export const pluginVersion: Options = {
  type: 'string',
  requiresArg: true,
  describe: 'The version that the plugin gave when it opened the namespace',
}

export const namespaceParameter: Parameter = { name: 'namespace', describe: 'The namespace, as the plugin named it' }
export const keyParameter: Parameter = { name: 'key', describe: 'The key of the entry' }

/** A parsed command line. */
export interface Call {
  command: Command
  parameters: readonly string[]
  options: OptionValues
}
