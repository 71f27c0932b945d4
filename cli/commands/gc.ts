import type { Command } from '../command.js'
import { formatCount, formatCountOf, formatSize } from '../format.js'
import { withCache } from '../session.js'

export const gc: Command = {
  name: 'gc',
  summary: 'Remove what is expired, stale or unreferenced',
  details:
    'Removes entries whose time is over or whose sources have changed, then the values that no entry refers to. ' +
    'Other processes can go on using the cache meanwhile. Exit code 1: another gc is running.',
  parameters: [],
  options: {},
  examples: [
    ['wicked-cache gc', 'Get disk space back'],
    ['wicked-cache gc --json', 'The report for a program'],
  ],

  run(_parameters, options, context) {
    return withCache(options, context, async ({ cache }) => {
      const report = await cache.gc()
      if (options.json) {
        await context.stdout.json(report)
        return 0
      }
      const { expiredEntries, staleEntries, keptEntries, removedBlobs, keptBlobs } = report
      const freedBytes = report.diskBytesBefore - report.diskBytesAfter
      const stale = formatCountOf(staleEntries, 'stale entry', 'stale entries')
      const values = formatCountOf(removedBlobs, 'unreferenced value', 'unreferenced values')
      // Other processes may have written more meanwhile than was freed.
      const change = freedBytes < 0 ? `${formatSize(-freedBytes)} more` : `${formatSize(freedBytes)} freed`
      await context.stdout.line(
        [
          `Removed ${formatCount(expiredEntries)} expired and ${stale}, kept ${formatCount(keptEntries)}`,
          `Removed ${values}, kept ${formatCount(keptBlobs)}`,
          `On disk: ${formatSize(report.diskBytesBefore)} before, ${formatSize(report.diskBytesAfter)} after, ${change}`,
        ].join('\n'),
      )
      return 0
    })
  },
}
