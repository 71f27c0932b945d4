// A command whose output and exit code are cached by its inputs.

import { relative, resolve } from 'node:path'
import type { CacheWarning, ComputeContext } from '../../src/index.js'
import { type Context, type OptionValues, UsageError } from '../command.js'
import { namespaceOptionsOf } from '../place.js'
import { printable } from '../printable.js'
import { isRecording, type Outcome, type Recording, record, replay } from './recording.js'

const MAX_LABEL = 200

/** Thrown out of the computation: it is passed on and not kept. */
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
    const namespace = cache.namespace(name, { ...namespaceOptionsOf(options), validate: isRecording })
    const { project } = namespace
    if (project === null && !options['user-wide']) {
      throw new UsageError('The working directory belongs to no project: give --project or --user-wide')
    }
    let outcome: Outcome | undefined
    const compute = async (inputs: ComputeContext) => {
      // Before the command looks at them.
      for (const variable of options.env ?? []) inputs.env(variable)
      if (options.glob) inputs.addDependency(inputs.glob(options.glob))
      outcome = await record(command, context)
      const { recording, isComplete } = outcome
      if (!isComplete || (recording.exitCode !== 0 && !options.failures)) throw new NotKept(recording)
      return recording
    }
    try {
      const recording = await namespace.getOrSet<Recording>(labelOf(command), compute, {
        inputs: { command, directory: project === null ? process.cwd() : relative(project, process.cwd()) },
        ...(options.file === undefined ? {} : { files: options.file }),
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
    // The exit code stays the command's.
    for (const { code, message } of warnings) {
      await context.stderr.line(printable(`wicked-cache: warning: ${message} (${code})`))
    }
  }
}

/** The command as list and explain show it; what tells commands apart is in the inputs. */
function labelOf(command: readonly string[]): string {
  const text = command
    .map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
  return text.slice(0, MAX_LABEL).toWellFormed()
}
