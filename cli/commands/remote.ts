import type { CacheOptions, Remote, RemoteAdapter, RemoteStatus, RemoteTransfer } from '../../src/index.js'
import { type Command, type Context, type ExitCode, type OptionValues, UsageError } from '../command.js'
import { formatCount, formatCountOf, formatSize } from '../format.js'
import { printable } from '../printable.js'
import { ProgressBar } from '../progress.js'
import { withCache } from '../session.js'

const ACTIONS = ['status', 'push', 'pull', 'keygen'] as const
type Action = (typeof ACTIONS)[number]

export const NO_REMOTE = 'There is no remote tier to ask. WICKED_CACHE_REMOTE or config.json says where it is.'

/** For bundles: uses the configured keys and scope, but no store. */
const NO_STORE: RemoteAdapter = {
  getMany: async names => names.map(() => undefined),
  put: async () => undefined,
  close: () => undefined,
}

async function keygen({ json }: OptionValues, { stdout, library }: Context): Promise<ExitCode> {
  const keys = (await library()).createRemoteKeys()
  if (json) await stdout.json(keys)
  else {
    const lines = [
      '# For every machine that reads:',
      `WICKED_CACHE_REMOTE_KEYS=${keys.publicKey}`,
      '# A secret of those that write, such as the builds of trusted branches:',
      `WICKED_CACHE_REMOTE_SIGNING_KEY=${keys.signingKey}`,
    ]
    await stdout.line(lines.join('\n'))
  }
  return 0
}

function statusLines(status: RemoteStatus): string[] {
  const { url, mode, trust, canWrite, breaker, openUntil, problem, pingMs } = status
  const until = openUntil === undefined ? '' : ` until ${new Date(openUntil).toISOString()}`
  return [
    `store     ${printable(url ?? '-')}`,
    `mode      ${mode}${canWrite ? '' : ', stores nothing'}`,
    `trust     ${trust === 'store' ? 'whoever can write to the store' : 'answers that are signed'}`,
    `breaker   ${breaker}${until}`,
    pingMs === undefined ? `answered  no: ${printable(problem ?? 'unknown')}` : `answered  in ${pingMs.toFixed(1)} ms`,
  ]
}

function transferLine(action: Action, { transferred, skipped, rejected, bytes }: RemoteTransfer): string {
  const done = action === 'push' ? 'Stored' : 'Took'
  const answers = formatCountOf(transferred, 'answer', 'answers')
  const refused = rejected > 0 ? `, ${formatCount(rejected)} refused` : ''
  return `${done} ${answers} (${formatSize(bytes)}), ${formatCount(skipped)} skipped${refused}`
}

async function transfer(
  action: 'push' | 'pull',
  remote: Remote,
  namespace: string | undefined,
  options: OptionValues,
  { stdout, stderr }: Context,
): Promise<ExitCode> {
  const bar = new ProgressBar(stderr)
  const { bundle, project, json } = options
  const report = await remote[action]({
    ...(namespace === undefined ? {} : { namespace }),
    ...(bundle === undefined ? {} : { bundle }),
    ...(project === undefined ? {} : { project }),
    onProgress: ({ done, total }) => bar.show(action === 'push' ? 'Storing' : 'Fetching', done / total),
  }).finally(() => bar.clear())
  if (json) await stdout.json(report)
  else await stdout.line(transferLine(action, report))
  return report.rejected > 0 ? 1 : 0
}

function remoteOption(action: Action, { bundle }: OptionValues): CacheOptions['remote'] {
  if (bundle === undefined) return action === 'push' ? { mode: 'readwrite' } : undefined
  return { adapter: NO_STORE, mode: action === 'push' ? 'readwrite' : 'read' }
}

export const remote: Command = {
  name: 'remote',
  summary: 'Look at the remote tier, move answers to it and from it, make keys',
  details:
    'The remote tier is where machines share answers; WICKED_CACHE_REMOTE and config.json in the directory of the cache say ' +
    'where it is. status asks it for something that is not there. push stores the valid portable answers of this cache there, ' +
    'pull asks for those that are not valid here any more; with --bundle, a file is in its place. keygen makes a pair of keys: ' +
    'a public one for readers, and a secret one for writers. ' +
    'Exit code 1: there is no remote tier, it does not answer, or answers were refused.',
  parameters: [
    { name: 'action', describe: ACTIONS.join(', ') },
    { name: 'namespace', describe: 'Of push and pull: only this namespace', isOptional: true },
  ],
  options: {
    bundle: { type: 'string', requiresArg: true, describe: 'A file in place of the store' },
    project: {
      type: 'string',
      requiresArg: true,
      describe: 'The checkout to look at files in (default: that of the working directory)',
    },
  },
  examples: [
    ['wicked-cache remote keygen', 'Make keys'],
    ['wicked-cache remote status', 'Is it reached, and how fast?'],
    ['wicked-cache remote push --bundle cache.bundle', 'All answers as one file, for an artefact'],
    ['wicked-cache remote pull --bundle cache.bundle', 'Take them on another machine'],
  ],

  async run([action = '', namespace], options, context) {
    if (!ACTIONS.includes(action as Action)) {
      throw new UsageError(`There is no remote ${action}; there are ${ACTIONS.join(', ')}`)
    }
    if (action === 'keygen') return keygen(options, context)
    const given = remoteOption(action as Action, options)
    const session = { ...options, readOnly: action !== 'pull', ...(given && { remoteOptions: given }) }
    return withCache(session, context, async ({ cache, isBroken }) => {
      const { remote } = cache
      if (!remote) {
        if (!isBroken()) await context.stderr.line(NO_REMOTE)
        return 1
      }
      if (action === 'push' || action === 'pull') return transfer(action, remote, namespace, options, context)
      const status = await remote.status()
      if (options.json) await context.stdout.json(status)
      else await context.stdout.line(statusLines(status).join('\n'))
      return status.pingMs === undefined ? 1 : 0
    })
  },
}
