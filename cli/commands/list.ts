// A namespace can hold millions of entries, so the listing never holds more than a batch: the first batch decides the
// widths of the columns, every later row is written with them as it comes.

import type { Cache, EntryInfo } from '../../src/index.js'
import type { Command } from '../command.js'
import { namespaceParameter } from '../command.js'
import { type Cells, type Column, columnsFor, formatAge, formatSize } from '../format.js'
import type { Output } from '../output.js'
import { printable, printableJson } from '../printable.js'
import { withCache } from '../session.js'

/** Rows that are measured for the widths, and that share one write. */
const BATCH = 200
const MAX_KEY_WIDTH = 80

type Listed = EntryInfo & { namespace: string }

function* entriesOf(cache: Cache, names: readonly string[]): Generator<Listed> {
  for (const namespace of names) {
    for (const entry of cache.namespace(namespace).entries({ allVersions: true })) yield { namespace, ...entry }
  }
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

/** A NUL separates a plugin's version from that of its analysis. */
function versionText({ version }: Listed): string {
  return version.split('\0').filter(Boolean).join(' + ')
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
  // The last one, so that a row can still have a version when no entry of the first batch had one.
  version: { title: 'version', align: 'left', cell: entry => printable(versionText(entry)) },
} satisfies Record<string, Field>

async function printRows(batches: Iterable<Listed[]>, withNamespace: boolean, stdout: Output): Promise<void> {
  let columns: ReturnType<typeof columnsFor> | undefined
  const { version, namespace, ...always } = FIELDS
  const fields: Field[] = [...(withNamespace ? [namespace] : []), ...Object.values(always), version]
  const cellsOf = (entry: Listed): Cells => fields.map(field => field.cell(entry))
  for (const batch of batches) {
    const rows = batch.map(cellsOf)
    let text = ''
    if (columns === undefined) {
      const hasVersion = batch.some(entry => entry.version !== '')
      columns = columnsFor(hasVersion ? fields : fields.slice(0, -1), rows)
      text = `${stdout.colour('bold', columns.header())}\n`
    }
    for (const row of rows) text += `${columns.line(row)}\n`
    if (!(await stdout.write(text))) return
  }
  if (columns === undefined) await stdout.line('No entries')
}

async function printJson(batches: Iterable<Listed[]>, stdout: Output): Promise<void> {
  for (const batch of batches) {
    if (!(await stdout.write(batch.map(entry => `${printableJson(entry)}\n`).join('')))) return
  }
}

export const list: Command = {
  name: 'list',
  summary: 'List the entries, in no order',
  details:
    'With --json, one object for each entry, each on a line of its own. ' +
    'Listing reads no values and counts neither hits nor misses. Exit code 1: there is no such namespace.',
  parameters: [{ ...namespaceParameter, describe: 'Only this namespace', isOptional: true }],
  options: {},
  examples: [
    ['wicked-cache list my-plugin', 'What the plugin has stored'],
    ['wicked-cache list | head', 'The first few of all namespaces'],
    [`wicked-cache list my-plugin --json | grep '"valid":false'`, 'What is expired or stale'],
  ],

  run([name], options, context) {
    const { stdout, stderr } = context
    return withCache({ ...options, readOnly: true }, context, async ({ cache, isBroken }) => {
      if (name !== undefined) cache.namespace(name)
      const onDisk = cache.namespaces()
      if (name !== undefined && !onDisk.includes(name)) {
        await stderr.line(printable(`There is no namespace ${name} in ${cache.dir}`))
        return 1
      }
      const batches = batchesOf(entriesOf(cache, name === undefined ? onDisk : [name]))
      if (options.json) await printJson(batches, stdout)
      else if (!isBroken()) await printRows(batches, name === undefined, stdout)
      return 0
    })
  },
}
