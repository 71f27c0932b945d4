import type { Note, Problem, VerifyReport } from '../../src/index.js'
import { fitted } from '../cells.js'
import { type Command, flag } from '../command.js'
import { formatCount, formatCountOf, formatSize } from '../format.js'
import type { Output } from '../output.js'
import { printable } from '../printable.js'
import { ProgressBar } from '../progress.js'
import { withCache } from '../session.js'

function lineOf(finding: Problem | Note, stdout: Output): string {
  const { kind, file, offset, bytes, message, namespace, version, key, isRepaired } = finding
  const place = `${file}${offset === undefined ? '' : ` at ${offset}`}${bytes > 0 ? `, ${formatSize(bytes)}` : ''}`
  const whose = key === undefined ? '' : ` (${namespace}: ${key}${version ? `, version ${version}` : ''})`
  const colour = kind === 'torn' || kind === 'orphaned' ? 'yellow' : 'red'
  const done = isRepaired ? ' Repaired.' : ''
  const text = fitted(`${kind}  ${printable(`${place}: ${message}${whose}`)}${done}`, stdout)
  return stdout.colour(colour, kind) + text.slice(kind.length)
}

/** The listed findings, and how many more there are. */
function linesOf(findings: readonly (Problem | Note)[], count: number, stdout: Output): string[] {
  const rest = count - findings.length
  const more = rest > 0 ? [`and ${formatCount(rest)} more`] : []
  return [...findings.map(finding => lineOf(finding, stdout)), ...more]
}

function summaryOf({ isWhole, problemCount, noteCount }: VerifyReport, isRepair: boolean): string {
  const notes = noteCount > 0 ? `, ${formatCountOf(noteCount, 'harmless note', 'harmless notes')}` : ''
  if (problemCount === 0) return `Nothing is wrong${notes}`
  const problems = formatCountOf(problemCount, 'problem', 'problems')
  if (!isRepair) return `${problems}${notes}; wicked-cache verify --repair salvages what is whole`
  return isWhole ? `${problems}, all repaired${notes}` : `${problems}, not all of them could be repaired${notes}`
}

export const verify: Command = {
  name: 'verify',
  summary: 'Check every file, entry and value; repair the cache',
  details:
    'Reports what is corrupt, missing, dangling (refers to a value that is not there) or unreadable, by file and ' +
    'offset. Notes are normal and harmless: torn bytes of a writer that was killed, orphaned values that a gc removes. ' +
    'Other processes can go on using the cache meanwhile, also during a repair. A repair salvages all that is whole; ' +
    'what it cuts out is kept in salvaged in the directory of the cache. ' +
    'Exit code 1: something is wrong; with --repair: something still is, or a gc is running.',
  parameters: [],
  options: { repair: flag('Mend what is wrong') },
  examples: [
    ['wicked-cache verify', 'Look, and change nothing'],
    ['wicked-cache verify --repair', 'Mend what is wrong'],
    ['wicked-cache verify --json', 'The report for a program'],
  ],

  run(_parameters, options, context) {
    const { stdout, stderr } = context
    const isRepair = options.repair === true
    return withCache({ ...options, readOnly: !isRepair }, context, async ({ cache }) => {
      const bar = new ProgressBar(stderr)
      const report = await cache
        .verify({
          repair: isRepair,
          onProgress: ({ checkedBytes, totalBytes }) => {
            bar.show('Checking', totalBytes === 0 ? 0 : checkedBytes / totalBytes)
          },
        })
        .finally(() => bar.clear())
      if (options.json) {
        await stdout.json({ dir: cache.dir, ...report })
        return report.isWhole ? 0 : 1
      }
      const { problems, problemCount, notes, noteCount, lostAndFound, fileCount, checkedBytes } = report
      const entries = formatCountOf(report.entryCount, 'entry', 'entries')
      const values = formatCountOf(report.blobCount, 'value', 'values')
      const files = formatCountOf(fileCount, 'file', 'files')
      await stdout.line(
        [
          ...linesOf(problems, problemCount, stdout),
          ...linesOf(notes, noteCount, stdout),
          fitted(`Checked ${files} (${formatSize(checkedBytes)}): ${entries}, ${values}`, stdout),
          stdout.colour(report.isWhole ? 'green' : 'red', fitted(summaryOf(report, isRepair), stdout)),
          ...(lostAndFound.length > 0 ? ['What was cut out is kept in:', ...lostAndFound.map(printable)] : []),
        ].join('\n'),
      )
      return report.isWhole ? 0 : 1
    })
  },
}
