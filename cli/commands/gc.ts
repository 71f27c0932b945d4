import type { Command } from '../command.js'
import { parseDurationMs } from '../duration.js'
import { formatCount, formatCountOf, formatSize } from '../format.js'
import { withCache } from '../session.js'

export const gc: Command = {
  name: 'gc',
  summary: 'Remove what is expired, stale or unreferenced',
  details:
    'Removes entries whose time is over or whose sources have changed, then the values that no entry refers to. ' +
    'Other processes can go on using the cache meanwhile.',
  parameters: [],
  options: {
    grace: {
      type: 'string',
      requiresArg: true,
      describe: 'Keep values that were stored or reused less than this long ago (default: 1h)',
    },
  },
  examples: [
    ['wicked-cache gc', 'Get disk space back'],
    ['wicked-cache gc --grace 5m', 'Be stricter with values of the last hour'],
  ],

  async run(_parameters, options, context) {
    const graceMs = options.grace === undefined ? undefined : parseDurationMs('grace', options.grace)
    return withCache(options, context, async ({ cache }) => {
      const report = cache.gc(graceMs === undefined ? {} : { graceMs })
      if (options.json) {
        await context.stdout.json(report)
        return 0
      }
      const { expiredEntries, staleEntries, keptEntries, removedBlobs, keptBlobs } = report
      const freed = report.diskBytesBefore - report.diskBytesAfter
      await context.stdout.line(
        `Removed ${formatCount(expiredEntries)} expired and ${formatCountOf(staleEntries, 'stale entry', 'stale entries')}, ` +
          `kept ${formatCount(keptEntries)}\n` +
          `Removed ${formatCountOf(removedBlobs, 'unreferenced value', 'unreferenced values')}, kept ${formatCount(keptBlobs)}\n` +
          `On disk: ${formatSize(report.diskBytesBefore)} before, ${formatSize(report.diskBytesAfter)} after, ` +
          // Other processes write meanwhile, and a rewritten log takes its old form's place only later.
          (freed < 0 ? `${formatSize(-freed)} more` : `${formatSize(freed)} freed`),
      )
      return 0
    })
  },
}
