// A namespace can hold millions of entries, so the listing never holds more than a batch: the first batch decides the
// widths of the columns, every later row is written with them as it comes.

import type { Cache, EntryInfo } from '../../src/index.js'
import { type Command, namespaceParameter, type OptionValues } from '../command.js'
import { type Column, columnsFor, formatAge, formatCount, formatSize } from '../format.js'
import type { Output } from '../output.js'
import { allProjects, isGone, namespaceOptionsOf, placeCell, placeOptions } from '../place.js'
import { printable, printableJson } from '../printable.js'
import { withCache } from '../session.js'

/** Rows that are measured for the widths, and that share one write. */
const BATCH = 200
const MAX_KEY_WIDTH = 80

type Listed = EntryInfo & { namespace: string }

/** The entries of the place that was asked for: of the project and the portable ones, then the user-wide ones. */
function* entriesOf(cache: Cache, names: readonly string[], options: OptionValues): Generator<Listed> {
  const isAll = options['all-projects'] === true
  const place = namespaceOptionsOf(options)
  const isNarrowed = 'project' in place
  for (const namespace of names) {
    const own = cache.namespace(namespace, place)
    for (const entry of own.entries({ allVersions: true, allProjects: isAll })) yield { namespace, ...entry }
    if (isAll || isNarrowed) continue
    for (const entry of cache.namespace(namespace, { project: false }).entries({ allVersions: true })) {
      if (!entry.isPortable) yield { namespace, ...entry }
    }
  }
}

/** Said where nothing is listed. */
function nothingText(cache: Cache, names: readonly string[]): string {
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
  namespace: { title: 'namespace', align: 'left', maxWidth: MAX_KEY_WIDTH, cell: entry => printable(entry.namespace) },
  key: { title: 'key', align: 'left', maxWidth: MAX_KEY_WIDTH, cell: entry => printable(entry.key) },
  mode: { title: 'mode', align: 'left', cell: entry => entry.mode },
  valid: { title: 'valid', align: 'left', cell: entry => (entry.valid ? 'yes' : 'no') },
  size: { title: 'size', align: 'right', cell: entry => formatSize(entry.sizeBytes) },
  age: { title: 'age', align: 'right', cell: entry => formatAge(entry.ageMs) },
  project: { title: 'project', align: 'left', maxWidth: MAX_KEY_WIDTH, cell: entry => printable(placeCell(entry)) },
  // The last one, so that a row can still have a version when no entry of the first batch had one.
  version: { title: 'version', align: 'left', cell: entry => printable(entry.version) },
} satisfies Record<string, Field>

/** Whether any were printed. */
async function printRows(batches: Iterable<Listed[]>, withNamespace: boolean, isAll: boolean, stdout: Output) {
  let columns: ReturnType<typeof columnsFor> | undefined
  const { version, namespace, project, ...always } = FIELDS
  let fields: Field[] = []
  for (const batch of batches) {
    let text = ''
    if (columns === undefined) {
      const withProject = isAll || new Set(batch.map(project.cell)).size > 1
      fields = [
        ...(withNamespace ? [namespace] : []),
        ...Object.values(always),
        ...(withProject ? [project] : []),
        version,
      ]
      const hasVersion = batch.some(entry => entry.version !== '')
      const cells = batch.map(entry => fields.map(field => field.cell(entry)))
      columns = columnsFor(hasVersion ? fields : fields.slice(0, -1), cells)
      text = `${stdout.colour('bold', columns.header())}\n`
    }
    for (const entry of batch) text += `${columns.line(fields.map(field => field.cell(entry)))}\n`
    if (!(await stdout.write(text))) return true
  }
  return columns !== undefined
}

function jsonOf(entry: Listed) {
  const isProjectGone = entry.project !== null && isGone(entry.project)
  return isProjectGone ? { ...entry, isProjectGone } : entry
}

async function printJson(batches: Iterable<Listed[]>, stdout: Output): Promise<void> {
  for (const batch of batches) {
    if (!(await stdout.write(batch.map(entry => `${printableJson(jsonOf(entry))}\n`).join('')))) return
  }
}

export const list: Command = {
  name: 'list',
  summary: 'List the entries, in no order',
  details:
    'Of the project of the working directory, and the portable and user-wide entries. An analysis is shown by its name ' +
    'and file, a call of a wrapped function by its name and arguments. With --json, one object for each entry, each on a line of its own. ' +
    'Listing reads no values and counts neither hits nor misses. Exit code 1: there is no such namespace.',
  parameters: [{ ...namespaceParameter, describe: 'Only this namespace', isOptional: true }],
  options: { ...placeOptions, 'all-projects': allProjects },
  examples: [
    ['wicked-cache list my-plugin', 'What the plugin has stored'],
    ['wicked-cache list my-plugin --all-projects', 'And to which projects it belongs'],
    ['wicked-cache list | head', 'The first few of all namespaces'],
    [`wicked-cache list my-plugin --json | grep '"valid":false'`, 'What is expired or stale'],
  ],

  run([name], options, context) {
    const { stdout, stderr } = context
    namespaceOptionsOf(options)
    return withCache({ ...options, readOnly: true }, context, async ({ cache, isBroken }) => {
      if (name !== undefined) cache.namespace(name)
      const onDisk = cache.namespaces()
      if (name !== undefined && !onDisk.includes(name)) {
        await stderr.line(printable(`There is no namespace ${name} in ${cache.dir}`))
        return 1
      }
      const names = name === undefined ? onDisk : [name]
      const batches = batchesOf(entriesOf(cache, names, options))
      if (options.json) await printJson(batches, stdout)
      else if (!isBroken()) {
        const wasPrinted = await printRows(batches, name === undefined, options['all-projects'] === true, stdout)
        if (!wasPrinted) await stdout.line(nothingText(cache, names))
      }
      return 0
    })
  },
}
