// Lists entries. A namespace can have millions, so only one batch is in memory, or as many entries as a sorted listing is
// limited to. The first batch decides the widths of the columns.

import type { Cache } from '../../src/index.js'
import { type Command, namespaceParameter } from '../command.js'
import { noNamespace } from '../did-you-mean.js'
import { formatAge, formatCount, formatSize, formatTime } from '../format.js'
import { entriesOf, type Listed, MODES, ORDER_NAMES, selected, selectionOf } from '../listing/selection.js'
import type { Output } from '../output.js'
import { allProjects, isGone, namespaceOptionsOf, placeCell, placeOptions } from '../place.js'
import { printable, printableJson } from '../printable.js'
import { ProgressBar } from '../progress.js'
import { withCache } from '../session.js'
import { type Column, type Table, tableFor } from '../table.js'

/** How many rows are measured for the widths, and written at once. */
const BATCH = 200
const MAX_KEY_WIDTH = 80

/** Printed if there is nothing to list. */
function nothingText(cache: Cache, names: readonly string[], isWhole: boolean): string {
  if (!isWhole) return 'No such entries'
  const otherCount = names.reduce((sum, name) => sum + cache.namespace(name).stats().entryCount, 0)
  return otherCount === 0 ? 'No entries' : `No entries here; --all-projects shows ${formatCount(otherCount)}`
}

function* batchesOf(entries: Iterable<Listed>): Generator<Listed[]> {
  let batch: Listed[] = []
  for (const entry of entries) {
    batch.push(entry)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

interface Field extends Column {
  cell(entry: Listed): string
}

const FIELDS = {
  namespace: {
    title: 'namespace',
    align: 'left',
    maxWidth: MAX_KEY_WIDTH,
    minWidth: 9,
    rank: 7,
    cell: entry => printable(entry.namespace),
  },
  key: { title: 'key', align: 'left', maxWidth: MAX_KEY_WIDTH, minWidth: 16, cell: entry => printable(entry.key) },
  mode: { title: 'mode', align: 'left', usualWidth: 6, rank: 2, cell: entry => entry.mode },
  valid: {
    title: 'valid',
    align: 'left',
    rank: 6,
    cell: entry => (entry.valid ? 'yes' : 'no'),
    colour: cell => (cell === 'no' ? 'yellow' : undefined),
  },
  size: { title: 'size', align: 'right', usualWidth: 9, rank: 5, cell: entry => formatSize(entry.sizeBytes) },
  saved: {
    title: 'saved',
    align: 'right',
    usualWidth: 6,
    rank: 8,
    cell: entry => (entry.computeMs === null ? '-' : formatTime(entry.computeMs)),
  },
  age: { title: 'age', align: 'right', usualWidth: 4, rank: 4, cell: entry => formatAge(entry.ageMs) },
  project: {
    title: 'project',
    align: 'left',
    maxWidth: MAX_KEY_WIDTH,
    minWidth: 12,
    rank: 3,
    cell: entry => printable(placeCell(entry)),
  },
  // The last one, so that a row can still have a version when no entry of the first batch had one.
  version: { title: 'version', align: 'left', minWidth: 7, rank: 1, cell: entry => printable(entry.version) },
} satisfies Record<string, Field>

/** The optional columns. */
interface Shown {
  namespace: boolean
  /** Undefined: if the entries are of several projects. */
  project: boolean | undefined
  saved: boolean
}

/** Returns whether any entries were printed. */
async function printRows(batches: Iterable<Listed[]>, has: Shown, stdout: Output, bar: ProgressBar) {
  let table: Table | undefined
  const { version, namespace, project, saved, age, ...always } = FIELDS
  let fields: Field[] = []
  for (const batch of batches) {
    let text = ''
    if (table === undefined) {
      const hasProject = has.project ?? new Set(batch.map(project.cell)).size > 1
      fields = [
        ...(has.namespace ? [namespace] : []),
        ...Object.values(always),
        ...(has.saved ? [saved] : []),
        age,
        ...(hasProject ? [project] : []),
        version,
      ]
      const hasVersion = batch.some(entry => entry.version !== '')
      const cells = batch.map(entry => fields.map(field => field.cell(entry)))
      const titled = fields.map(field => (field === version && !hasVersion ? { ...field, title: '' } : field))
      table = tableFor(titled, cells, stdout)
      text = `${table.header()}\n`
    }
    for (const entry of batch) text += `${table.line(fields.map(field => field.cell(entry)))}\n`
    await bar.clear()
    if (!(await stdout.write(text))) return true
  }
  return table !== undefined
}

function jsonOf(entry: Listed) {
  const isProjectGone = entry.project !== null && isGone(entry.project)
  return isProjectGone ? { ...entry, isProjectGone } : entry
}

async function printJson(batches: Iterable<Listed[]>, stdout: Output, bar: ProgressBar): Promise<void> {
  for (const batch of batches) {
    await bar.clear()
    if (!(await stdout.write(batch.map(entry => `${printableJson(jsonOf(entry))}\n`).join('')))) return
  }
}

export const list: Command = {
  name: 'list',
  summary: 'List the entries',
  details:
    'Of the project of the working directory, and the portable and user-wide entries. An analysis is shown by its name ' +
    'and file, a call of a wrapped function by its name and arguments. They are in no order unless it is given; with --sort, the ' +
    'largest, the oldest, or the one that took longest to compute is the first. On a terminal, what has no room is cut short or left out. With --json, one object for each entry, each on a line of its own. ' +
    'Listing reads no values and counts neither hits nor misses. Exit code 1: there is no such namespace.',
  parameters: [{ ...namespaceParameter, describe: 'Only this namespace', isOptional: true }],
  options: {
    sort: { type: 'string', requiresArg: true, describe: `By ${ORDER_NAMES.join(', ')}; the largest first` },
    limit: { type: 'string', requiresArg: true, describe: 'At most so many entries' },
    prefix: { type: 'string', requiresArg: true, describe: 'Only keys that begin with this text' },
    mode: { type: 'string', requiresArg: true, describe: `Only entries of this mode: ${MODES.join(', ')}` },
    ...placeOptions,
    'all-projects': allProjects,
  },
  examples: [
    ['wicked-cache list my-plugin', 'What the plugin has stored'],
    ['wicked-cache list my-plugin --all-projects', 'And to which projects it belongs'],
    ['wicked-cache list --sort size --limit 10', 'What takes most'],
    [
      'wicked-cache list my-plugin --prefix src/ --mode file',
      'Of those below a directory, the ones that depend on files',
    ],
    ['wicked-cache list | head', 'The first few of all namespaces'],
    [`wicked-cache list my-plugin --json | grep '"valid":false'`, 'What is expired or stale'],
  ],

  run([name], options, context) {
    const { stdout, stderr } = context
    namespaceOptionsOf(options)
    const selection = selectionOf(options)
    return withCache({ ...options, readOnly: true }, context, async ({ cache, isBroken }) => {
      if (name !== undefined) cache.namespace(name)
      const onDisk = cache.namespaces()
      if (name !== undefined && !onDisk.includes(name)) {
        await stderr.line(noNamespace(cache, name))
        return 1
      }
      const names = name === undefined ? onDisk : [name]
      const bar = new ProgressBar(stderr)
      // Rows that are printed as they are read show the progress themselves.
      const isSilent = selection.order !== undefined || !selection.isWhole
      const onProgress = (fraction: number) => isSilent && bar.show('Reading entries', fraction)
      const batches = batchesOf(selected(entriesOf(cache, names, options, onProgress), selection))
      if (options.json) await printJson(batches, stdout, bar)
      else if (!isBroken()) {
        const shown = {
          namespace: name === undefined,
          project: options['all-projects'] || undefined,
          saved: options.sort === 'saved',
        }
        const wasPrinted = await printRows(batches, shown, stdout, bar)
        await bar.clear()
        if (!wasPrinted) await stdout.line(nothingText(cache, names, selection.isWhole))
      }
      return 0
    })
  },
}
