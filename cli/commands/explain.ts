import type { Cache, Explanation, InputState } from '../../src/index.js'
import { type Command, keyParameter, namespaceParameter, type OptionValues, pluginVersion } from '../command.js'
import { explainCall, explainFile } from '../explain-analyses.js'
import { type Cells, columnsFor, formatAge, formatSize } from '../format.js'
import type { Output } from '../output.js'
import { explainKey, findKey, placeOptions, placeText } from '../place.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'

const STATE_COLUMNS = ['', 'recorded', 'now'].map(title => ({ title, align: 'left' as const }))
const ANALYSIS_COLUMNS = ['analysis', 'version', 'get', 'why'].map(title => ({ title, align: 'left' as const }))

const time = (ms: number | undefined) => (ms === undefined ? '-' : new Date(ms).toISOString())

const FIELDS: readonly (readonly [string, (state: InputState) => string])[] = [
  ['kind', ({ kind }) => kind],
  ['size', ({ sizeBytes }) => (sizeBytes === undefined ? '-' : `${formatSize(sizeBytes)}`)],
  ['modified', ({ mtimeMs }) => time(mtimeMs)],
  ['changed', ({ ctimeMs }) => time(ctimeMs)],
  ['inode', ({ inode }) => String(inode ?? '-')],
  ['digest', ({ digest }) => digest ?? '-'],
]

/** The states of the input side by side, as lines. */
function stateLines({ before, after }: Explanation): string[] {
  if (!before || !after) return []
  const rows = FIELDS.map(([title, cell]): Cells => [`  ${title}`, cell(before), cell(after)])
  const known = rows.filter(([, recorded, now]) => recorded !== '-' || now !== '-')
  const { header, line } = columnsFor(STATE_COLUMNS, known)
  return ['', header(), ...known.map(line)]
}

function linesOf(explanation: Explanation): string[] {
  const { message, entry } = explanation
  const mode = entry?.origin === 'set' ? `mode ${entry.mode}` : `by ${entry?.origin}`
  const stored =
    entry && `Stored ${formatAge(entry.ageMs)} ago, ${mode}, ${formatSize(entry.sizeBytes)}, ${placeText(entry)}`
  return [message, ...(stored ? [stored] : []), ...stateLines(explanation)]
}

async function printOne(name: string, explanation: Explanation, json: boolean, stdout: Output): Promise<void> {
  const { isHit, reason, key } = explanation
  if (json) await stdout.json({ namespace: name, ...explanation })
  else {
    const lines = [`${isHit ? 'Hit' : `Miss (${reason})`}: ${key} in ${name}`, ...linesOf(explanation)]
    await stdout.line(lines.map(printable).join('\n'))
  }
}

async function printFile(name: string, file: string, all: readonly Explanation[], json: boolean, stdout: Output) {
  if (json) return stdout.json({ namespace: name, file, analyses: all })
  const rows = all.map(({ entry, key, version, isHit, reason, message }) =>
    [entry?.name ?? key, version, isHit ? 'hit' : `miss (${reason})`, message].map(printable),
  )
  const columns = columnsFor(ANALYSIS_COLUMNS, rows)
  const title = `${all.length === 1 ? 'The analysis' : 'The analyses'} of ${file} in ${name}:`
  return stdout.line(
    [printable(title), '', stdout.colour('bold', columns.header()), ...rows.map(columns.line)].join('\n'),
  )
}

/** The key's, if there is or was one; else those of what is shown under it, or of a file that it names. */
function explainText(cache: Cache, name: string, key: string, options: OptionValues): Explanation | Explanation[] {
  const found = findKey(cache, name, key, options)
  const explanation = explainKey(cache, name, key, options, found)
  if (explanation.reason !== 'never-set' || found.elsewhere.length > 0) return explanation
  const analyses = explainFile(cache, name, undefined, key, options)
  if (analyses.length > 0) return analyses
  return explainCall(cache, name, key, options) ?? explanation
}

export const explain: Command = {
  name: 'explain',
  summary: 'Say why a key, or an analysis of a file, is a hit or a miss',
  details:
    'A key is looked up in the project of the working directory, then among the user-wide keys. Of an analysis, give the ' +
    'name and the file; of a file alone, all its analyses are explained. A call of a wrapped function is given as list ' +
    'shows it. Without --plugin-version, the newest entry is looked at. With --json, `reason` is one of the reasons that ' +
    'stats counts, and `before` and `after` are the input that changed when it was recorded and now. Exit code 1: a miss.',
  parameters: [
    namespaceParameter,
    { ...keyParameter, describe: 'The key of the entry, the name of an analysis, or a file' },
    { name: 'file', describe: 'The analyzed file', isOptional: true },
  ],
  options: { ...placeOptions, 'plugin-version': pluginVersion },
  examples: [
    ['wicked-cache explain my-plugin src/app.js', 'Why was that computed again?'],
    ['wicked-cache explain my-plugin imports src/app.js', 'Why was the file analyzed again?'],
    ['wicked-cache explain my-plugin src/app.js --json', 'The same for a program'],
  ],

  run([name = '', key = '', file], options, context) {
    const { stdout } = context
    const json = options.json === true
    return withCache({ ...options, readOnly: true }, context, async ({ cache }) => {
      const given =
        file === undefined ? explainText(cache, name, key, options) : explainFile(cache, name, key, file, options)
      const all = Array.isArray(given) ? given : [given]
      const [first] = all
      if (first && (file !== undefined || !Array.isArray(given))) await printOne(name, first, json, stdout)
      else await printFile(name, key, all, json, stdout)
      return all.every(({ isHit }) => isHit) ? 0 : 1
    })
  },
}
