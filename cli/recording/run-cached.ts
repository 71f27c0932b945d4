// Runs a command, and caches its output and exit code by its inputs.

import { relative, resolve } from 'node:path'
import type { CacheWarning, ComputeContext } from '../../src/index.js'
import { type Context, type OptionValues, UsageError } from '../command.js'
import { namespaceOptionsOf } from '../place.js'
import { printable } from '../printable.js'
import { Changes } from './changes.js'
import { isRecording, type Outcome, type Recording, record, replay } from './recording.js'

const MAX_LABEL = 200

/** Thrown out of the computation, so that its recording isn't stored. */
class NotKept extends Error {
  readonly recording: Recording

  constructor(recording: Recording) {
    super()
    this.recording = recording
  }
}

/** Returns the command's exit code. @throws UsageError; CacheError for a caller's mistake */
export async function runCached(
  name: string,
  command: readonly string[],
  ttlMs: number | undefined,
  options: OptionValues,
  context: Context,
): Promise<number> {
  const { openCache, defaultDir } = await context.library()
  const warnings: CacheWarning[] = []
  const cache = await openCache({
    dir: resolve(options.dir ?? defaultDir(context.env)),
    onWarning: warning => {
      warnings.push(warning)
    },
  })
  try {
    const { file: files = [], glob: globs = [], env: variables = [], failures = false } = options
    const isWanted = ({ exitCode }: Recording) => exitCode === 0 || failures
    const namespace = cache.namespace(name, {
      ...namespaceOptionsOf(options),
      // A failure may have been stored by a call with the option for that.
      validate: value => isRecording(value) && isWanted(value),
    })
    const { project } = namespace
    if (project === null && !options['user-wide']) {
      throw new UsageError('The working directory belongs to no project: give --project or --user-wide')
    }
    const declared = new Changes(files)
    let outcome: Outcome | undefined
    const compute = async (inputs: ComputeContext) => {
      // Record the inputs before the command reads them.
      for (const variable of variables) inputs.env(variable)
      const matching = new Changes(matches(inputs, globs))
      inputs.addDependency(matching.paths)
      outcome = await record(command, context)
      const { recording, isComplete } = outcome
      if (!isComplete || !isWanted(recording)) throw new NotKept(recording)
      // If an input differs from its first state, the result isn't stored.
      matches(inputs, globs)
      for (const path of [...declared.found(), ...matching.found()]) lookAgain(inputs, path)
      return recording
    }
    try {
      const recording = await namespace.getOrSet<Recording>(labelOf(command), compute, {
        inputs: {
          command,
          directory: project === null ? process.cwd() : relative(project, process.cwd()),
          // A result that was stored without these outputs doesn't count.
          watched: { globs: globs.toSorted(), variables: variables.toSorted() },
        },
        ...(files.length === 0 ? {} : { files }),
        ...(ttlMs === undefined ? {} : { ttl: ttlMs }),
      })
      if (!outcome) await replay(recording, context)
      return recording.exitCode
    } catch (error) {
      if (error instanceof NotKept) return error.recording.exitCode
      throw error
    }
  } finally {
    cache.close()
    // Return the command's exit code all the same.
    for (const { code, message } of warnings) {
      await context.stderr.line(printable(`wicked-cache: warning: ${message} (${code})`))
    }
  }
}

const matches = (inputs: ComputeContext, globs: readonly string[]) => (globs.length === 0 ? [] : inputs.glob(globs))

/** Records the path's current state. */
function lookAgain(inputs: ComputeContext, path: string): void {
  try {
    inputs.readBytes(path)
  } catch (error) {
    // It is a directory or missing, which is recorded as well.
    if (!(error instanceof Error && 'syscall' in error)) throw error
  }
}

/** The command's name for list and explain. The inputs tell commands apart. */
function labelOf(command: readonly string[]): string {
  const text = command
    .map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
  return text.slice(0, MAX_LABEL).toWellFormed()
}
