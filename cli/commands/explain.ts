import type { Cache, EntryInfo, Explanation, InputState, Remote, RemoteQuestion } from '../../src/index.js'
import { fitted } from '../cells.js'
import { type Command, flag, keyParameter, namespaceParameter, type OptionValues, pluginVersion } from '../command.js'
import { keyHint } from '../did-you-mean.js'
import { explainCall, explainFile } from '../explain-analyses.js'
import { formatAge, formatSize } from '../format.js'
import type { Output } from '../output.js'
import { explainKey, findKey, placeOptions, placeText } from '../place.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'
import { type Cells, type Column, tableFor } from '../table.js'
import { NO_REMOTE } from './remote.js'

const STATE_COLUMNS: readonly Column[] = [
  { title: '', align: 'left' },
  { title: 'recorded', align: 'left', minWidth: 8 },
  { title: 'now', align: 'left', minWidth: 8 },
]
const ANALYSIS_COLUMNS: readonly Column[] = [
  { title: 'analysis', align: 'left', minWidth: 8 },
  { title: 'version', align: 'left', minWidth: 7, rank: 1 },
  { title: 'get', align: 'left' },
]

/** How many entries are read to find the newest version. */
const MAX_ENTRIES_READ = 10_000

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
function stateLines({ before, after }: Explanation, stdout: Output): string[] {
  if (!before || !after) return []
  const rows = FIELDS.map(([title, cell]): Cells => [`  ${title}`, cell(before), cell(after)])
  const known = rows.filter(([, recorded, now]) => recorded !== '-' || now !== '-')
  const { header, line } = tableFor(STATE_COLUMNS, known, stdout)
  return ['', header(), ...known.map(line)]
}

function sentencesOf({ message, entry, remote }: Explanation, hint: string): string[] {
  const mode = entry?.origin === 'set' ? `mode ${entry.mode}` : `by ${entry?.origin}`
  const stored =
    entry && `Stored ${formatAge(entry.ageMs)} ago, ${mode}, ${formatSize(entry.sizeBytes)}, ${placeText(entry)}`
  const said = remote === undefined ? [] : [`Remote: ${remote}`]
  return [...(stored ? [message, stored] : [message + hint]), ...said]
}

async function printOne(
  name: string,
  explanation: Explanation,
  hint: string,
  json: boolean,
  stdout: Output,
): Promise<void> {
  const { isHit, reason, key } = explanation
  if (json) await stdout.json({ namespace: name, ...explanation })
  else {
    const answer = isHit ? 'Hit' : `Miss (${reason})`
    const title = fitted(printable(`${answer}: ${key} in ${name}`), stdout)
    const lines = [
      title.replace(answer, stdout.colour(isHit ? 'green' : 'yellow', answer)),
      ...sentencesOf(explanation, hint).map(text => fitted(printable(text), stdout)),
      ...stateLines(explanation, stdout),
    ]
    await stdout.line(lines.join('\n'))
  }
}

async function printFile(name: string, file: string, all: readonly Explanation[], json: boolean, stdout: Output) {
  if (json) return stdout.json({ namespace: name, file, analyses: all })
  const rows = all.map(({ entry, key, version, isHit, reason }) =>
    [entry?.name ?? key, version, isHit ? 'hit' : `miss (${reason})`].map(printable),
  )
  const table = tableFor(ANALYSIS_COLUMNS, rows, stdout)
  const title = `${all.length === 1 ? 'The analysis' : 'The analyses'} of ${file} in ${name}:`
  const why = all.map(({ message, remote }) => {
    const said = remote === undefined ? '' : ` Remote: ${remote}`
    return fitted(`  ${printable(message + said)}`, stdout)
  })
  const lines = rows.flatMap((row, index) => [table.line(row), why[index] ?? ''])
  return stdout.line([fitted(printable(title), stdout), '', table.header(), ...lines].join('\n'))
}

/**
 * Explains the key if it exists or existed; otherwise the analyses that are listed under it, or those of the file it names.
 */
function explainText(cache: Cache, name: string, key: string, options: OptionValues): Explanation | Explanation[] {
  const found = findKey(cache, name, key, options)
  const explanation = explainKey(cache, name, key, options, found)
  if (explanation.reason !== 'never-set' || found.elsewhere.length > 0) return explanation
  const analyses = explainFile(cache, name, undefined, key, options)
  if (analyses.length > 0) return analyses
  return explainCall(cache, name, key, options) ?? explanation
}

/** Adds what the remote store says now. */
async function withRemote(
  remote: Remote,
  explanation: Explanation,
  asked: RemoteQuestion,
  isGuess: boolean,
): Promise<Explanation> {
  const { said, createdAt } = await remote.explain(asked)
  const age = createdAt === undefined ? '' : `, computed ${formatAge(Math.max(0, Date.now() - createdAt))} ago`
  const version =
    isGuess && createdAt === undefined
      ? ` for version ${JSON.stringify(asked.version)}; --plugin-version asks for another`
      : ''
  return { ...explanation, remote: said + age + version }
}

/** The version of the namespace's newest entry, for a key without an entry; undefined if there is none. */
function newestVersion(cache: Cache, name: string): string | undefined {
  let newest: EntryInfo | undefined
  let count = 0
  for (const entry of cache.namespace(name).entries({ allVersions: true, allProjects: true })) {
    if (!newest || newest.createdAt < entry.createdAt) newest = entry
    if (++count === MAX_ENTRIES_READ) break
  }
  return newest?.version
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
  options: {
    ...placeOptions,
    'plugin-version': pluginVersion,
    remote: flag('Also ask the remote tier, and say what it answers'),
  },
  examples: [
    ['wicked-cache explain my-plugin src/app.js', 'Why was that computed again?'],
    ['wicked-cache explain my-plugin imports src/app.js', 'Why was the file analyzed again?'],
    ['wicked-cache explain my-plugin src/app.js --json', 'The same for a program'],
    ['wicked-cache explain my-plugin imports src/app.js --remote', 'What does the store say?'],
  ],

  run([name = '', key = '', file], options, context) {
    const { stdout } = context
    const json = options.json === true
    return withCache({ ...options, readOnly: true }, context, async ({ cache }) => {
      const given =
        file === undefined ? explainText(cache, name, key, options) : explainFile(cache, name, key, file, options)
      const { remote } = options.remote ? cache : {}
      if (options.remote && !remote) await context.stderr.line(NO_REMOTE)
      const isGuess = ({ reason }: Explanation) => reason === 'never-set' && options['plugin-version'] === undefined
      const question = (each: Explanation) => {
        const version = (isGuess(each) ? newestVersion(cache, name) : undefined) ?? each.version
        const place = { namespace: name, version, ...(options.project !== undefined && { project: options.project }) }
        if (file !== undefined) return { ...place, name: key, file }
        return Array.isArray(given) ? { ...place, name: each.entry?.name ?? '', file: key } : { ...place, key }
      }
      const local = Array.isArray(given) ? given : [given]
      const all = remote
        ? await Promise.all(local.map(each => withRemote(remote, each, question(each), isGuess(each))))
        : local
      const [first] = all
      if (first && (file !== undefined || !Array.isArray(given))) {
        const isMistyped = !json && first.reason === 'never-set' && !first.otherProjects
        const hint = isMistyped ? keyHint(cache, name, key, options) : ''
        await printOne(name, first, hint, json, stdout)
      } else await printFile(name, key, all, json, stdout)
      return all.every(({ isHit }) => isHit) ? 0 : 1
    })
  },
}
