import type { Explanation, SourceState } from '../../src/index.js'
import { type Command, keyParameter, namespaceParameter, pluginVersion } from '../command.js'
import { type Cells, columnsFor, formatAge, formatSize } from '../format.js'
import { newestVersion } from '../newest.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'

const COLUMNS = ['', 'recorded', 'now'].map(title => ({ title, align: 'left' as const }))

const time = (ms: number | undefined) => (ms === undefined ? '-' : new Date(ms).toISOString())

const FIELDS: readonly (readonly [string, (state: SourceState) => string])[] = [
  ['kind', ({ kind }) => kind],
  ['size', ({ sizeBytes }) => (sizeBytes === undefined ? '-' : `${formatSize(sizeBytes)}`)],
  ['modified', ({ mtimeMs }) => time(mtimeMs)],
  ['changed', ({ ctimeMs }) => time(ctimeMs)],
  ['inode', ({ inode }) => String(inode ?? '-')],
  ['digest', ({ digest }) => digest ?? '-'],
]

/** The states of the source side by side, as lines. */
function stateLines({ before, after }: Explanation): string[] {
  if (!before || !after) return []
  const rows: Cells[] = FIELDS.map(([title, cell]) => [`  ${title}`, cell(before), cell(after)])
  const { header, line } = columnsFor(COLUMNS, rows)
  return ['', header(), ...rows.map(line)]
}

function linesOf(explanation: Explanation): string[] {
  const { message, entry } = explanation
  const stored = entry && `Stored ${formatAge(entry.ageMs)} ago, mode ${entry.mode}, ${formatSize(entry.sizeBytes)}`
  return [message, ...(stored ? [stored] : []), ...stateLines(explanation)]
}

export const explain: Command = {
  name: 'explain',
  summary: 'Say why a key is a hit or a miss',
  details:
    'Without --plugin-version, the newest entry of the key is looked at. With --json, `reason` is one of the reasons ' +
    'that stats counts, and `before` and `after` are the source when it was recorded and now. Exit code 1: a miss.',
  parameters: [namespaceParameter, keyParameter],
  options: { 'plugin-version': pluginVersion },
  examples: [
    ['wicked-cache explain my-plugin src/app.js', 'Why was that computed again?'],
    ['wicked-cache explain my-plugin src/app.js --json', 'The same for a program'],
  ],

  run([name = '', key = ''], options, context) {
    return withCache({ ...options, readOnly: true }, context, async ({ cache }) => {
      const version = options['plugin-version'] ?? newestVersion(cache.namespace(name), key)
      const explanation = cache.namespace(name, { version }).explain(key)
      const { isHit, reason } = explanation
      if (options.json) await context.stdout.json({ namespace: name, ...explanation })
      else {
        const verdict = isHit ? 'Hit' : `Miss (${reason})`
        const lines = [`${verdict}: ${key} in ${name}`, ...linesOf(explanation)]
        await context.stdout.line(lines.map(printable).join('\n'))
      }
      return isHit ? 0 : 1
    })
  },
}
