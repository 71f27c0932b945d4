import type { GcOptions, GcProgress, GcReport } from '../../src/index.js'
import { fitted } from '../cells.js'
import { type Command, type Context, flag, type OptionValues } from '../command.js'
import { warnOfName } from '../did-you-mean.js'
import { formatCount, formatCountOf, formatSize } from '../format.js'
import { ProgressBar } from '../progress.js'
import { parseCount, parseDurationMs, parseSizeBytes } from '../quantity.js'
import { withCache } from '../session.js'

const STEPS = { entries: 'Looking at entries', values: 'Giving up values' } satisfies Record<GcProgress['step'], string>

async function boundsOf(options: OptionValues, context: Context): Promise<GcOptions> {
  const { 'max-size': size, 'max-age': age, 'max-entries': entries } = options
  return {
    ...(size === undefined ? {} : { maxSize: await parseSizeBytes('max-size', size, context) }),
    ...(age === undefined ? {} : { maxAge: await parseDurationMs('max-age', age, context) }),
    ...(entries === undefined ? {} : { maxEntries: parseCount('max-entries', entries) }),
  }
}

function linesOf(report: GcReport): string[] {
  const { expiredEntries, staleEntries, unusedEntries, evictedEntries, diskBytesBefore, diskBytesAfter } = report
  const removed = report.isDryRun ? 'Would remove' : 'Removed'
  const kept = report.isDryRun ? 'keep' : 'kept'
  const causes = [
    `${formatCount(expiredEntries)} expired`,
    ...(unusedEntries > 0 ? [`${formatCount(unusedEntries)} long unused`] : []),
    ...(evictedEntries > 0 ? [`${formatCount(evictedEntries)} worth least`] : []),
  ]
  const stale = formatCountOf(staleEntries, 'stale entry', 'stale entries')
  const values = formatCountOf(report.removedBlobs, 'unreferenced value', 'unreferenced values')
  const freedBytes = diskBytesBefore - diskBytesAfter
  // Other processes may have written more than was freed.
  const change = freedBytes < 0 ? `${formatSize(-freedBytes)} more` : `${formatSize(freedBytes)} freed`
  return [
    `${removed} ${causes.join(', ')} and ${stale}, ${kept} ${formatCount(report.keptEntries)}`,
    `${removed} ${values}, ${kept} ${formatCount(report.keptBlobs)}`,
    ...deadLines(report),
    `On disk: ${formatSize(diskBytesBefore)} before, ${formatSize(diskBytesAfter)} after, ${change}`,
  ]
}

function deadLines({ deadBlobs, deadBytes }: GcReport): string[] {
  if (deadBlobs === 0) return []
  const values = formatCountOf(deadBlobs, 'unreferenced value', 'unreferenced values')
  return [`${values} (${formatSize(deadBytes)}) stay in files that are mostly in use`]
}

export const gc: Command = {
  name: 'gc',
  summary: 'Remove what is expired, stale, too much or unreferenced',
  details:
    'Removes entries whose time is over, whose sources have changed or that were not used for longer than the maximum ' +
    'age; then those that are worth least of what is too much, by last use and computing time per byte; then the values that no entry refers to. Bounds that are ' +
    'not given are those of the configuration (by default 2 GB in all). Other processes can go on using the cache ' +
    'meanwhile. Exit code 1: another gc is running.',
  parameters: [],
  options: {
    'max-size': { type: 'string', requiresArg: true, describe: 'Keep at most so much: a number and KB, MB, GB or TB' },
    'max-age': {
      type: 'string',
      requiresArg: true,
      describe: 'Keep what was used in this time: a number and m, h or d',
    },
    'max-entries': { type: 'string', requiresArg: true, describe: 'Keep at most so many entries' },
    namespace: { type: 'string', requiresArg: true, describe: 'Remove entries of this namespace only' },
    'dry-run': flag('Change nothing, and say what would be done'),
  },
  examples: [
    ['wicked-cache gc', 'Get disk space back'],
    ['wicked-cache gc --max-size 500MB --dry-run', 'What would have to go'],
    ['wicked-cache gc --namespace my-plugin --max-age 30d', 'Forget what one plugin no longer uses'],
    ['wicked-cache gc --json', 'The report for a program'],
  ],

  async run(_parameters, options, context) {
    const { stdout, stderr } = context
    const bounds = await boundsOf(options, context)
    const isDryRun = options['dry-run'] === true
    return withCache({ ...options, readOnly: isDryRun }, context, async ({ cache }) => {
      await warnOfName(cache, options.namespace, stderr)
      const bar = new ProgressBar(stderr)
      const report = await cache
        .gc({
          ...bounds,
          ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
          dryRun: isDryRun,
          onProgress: ({ step, fraction }) => bar.show(STEPS[step], fraction),
        })
        .finally(() => bar.clear())
      if (options.json) await stdout.json(report)
      else
        await stdout.line(
          linesOf(report)
            .map(line => fitted(line, stdout))
            .join('\n'),
        )
      return 0
    })
  },
}
