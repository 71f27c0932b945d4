import { type Command, flag, namespaceParameter, UsageError } from '../command.js'
import { placeOptions } from '../place.js'
import { parseDurationMs } from '../quantity.js'
import { runCached } from '../recording/run-cached.js'

export const run: Command = {
  name: 'run',
  summary: 'Run a command, or replay what it wrote if its inputs are as they were',
  details:
    'The inputs are what the options name, the command itself and the working directory; nothing else is watched. Output and ' +
    'error are replayed in order, with the exit code. The command reads no input, and is not cached if it is killed. With ' +
    'the exit code of the command, or 127 where there is none.',
  parameters: [
    namespaceParameter,
    { name: 'command', describe: 'The command and its arguments, after --', isRepeated: true },
  ],
  options: {
    file: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'A file whose content is an input; may be repeated',
    },
    glob: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'All files that match are inputs; may be repeated',
    },
    env: { type: 'string', array: true, requiresArg: true, describe: 'A variable that is an input; may be repeated' },
    ttl: { type: 'string', requiresArg: true, describe: 'Valid for so long: a number and ms, s, m, h or d' },
    failures: flag('Cache the command also when it fails'),
    ...placeOptions,
  },
  examples: [
    ['wicked-cache run lint --file src/app.js --env NODE_ENV -- cat src/app.js', 'By a file and a variable'],
    [`wicked-cache run lint --glob 'src/**/*.js' -- sh -c 'cat src/*.js; echo'`, 'By all files that match'],
    ['wicked-cache run lint --ttl 10m --failures -- echo slow', 'For ten minutes, failures too'],
  ],

  async run([name = '', ...command], options, context) {
    const ttlMs = options.ttl === undefined ? undefined : await parseDurationMs('ttl', options.ttl, context)
    if (ttlMs === 0) throw new UsageError(`--ttl: "${options.ttl}" must be more than zero`)
    return runCached(name, command, ttlMs, options, context)
  },
}
