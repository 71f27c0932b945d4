import type { EntryInfo } from '../../src/index.js'
import { type Command, keyParameter, namespaceParameter, pluginVersion } from '../command.js'
import { formatAge } from '../format.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'
import { jsonOf, textOf } from '../value-text.js'

const newestFirst = (a: EntryInfo, b: EntryInfo) => b.createdAt - a.createdAt

/** Why the entry that was looked at gave nothing, as far as the entry itself tells. */
function reasonFor(entry: EntryInfo | undefined): string {
  if (entry === undefined) return 'it was never set, or has been removed'
  const nowMs = entry.createdAt + entry.ageMs
  if (entry.expiresAt !== undefined && entry.expiresAt <= nowMs) {
    return `it expired ${formatAge(nowMs - entry.expiresAt)} ago`
  }
  if (entry.valid) return 'its value cannot be read'
  return entry.mode === 'file' ? `a source has changed: ${entry.files.join(', ')}` : 'it is not valid any more'
}

function otherVersions(found: readonly EntryInfo[], version: string): string {
  const others = found.filter(entry => entry.version !== version).map(entry => JSON.stringify(entry.version))
  return others.length === 0 ? '' : `; there are entries of other versions: ${others.join(', ')}`
}

export const get: Command = {
  name: 'get',
  summary: 'Print the value of an entry',
  details:
    'Without --plugin-version, the newest entry of the key is taken. Exit code 1: there is no valid entry.\n\n' +
    'What JSON cannot hold is shown readably: undefined, 12n, Date 2024-01-01T00:00:00.000Z, Map(1) { "a" => 1 }, ' +
    'Set(1) { 1 }, Buffer(2) 01 ff. With --json such values are tagged, {"$type": "Map", "value": [["a", 1]]}, ' +
    'binary ones in base64, and nothing is lost.',
  parameters: [namespaceParameter, keyParameter],
  options: { 'plugin-version': pluginVersion },
  examples: [
    ['wicked-cache get my-plugin src/app.js', 'Show what the plugin stored'],
    ['wicked-cache get my-plugin src/app.js --json', 'The same on one line, for a program'],
    ['wicked-cache get my-plugin src/app.js --plugin-version 1.2.0', 'As that version of the plugin sees it'],
    ['wicked-cache get my-plugin -- --strict', 'A key that begins with a dash'],
  ],

  run([name = '', key = ''], options, context) {
    const { stdout, stderr } = context
    return withCache(options, context, async ({ cache }) => {
      const found = cache.namespace(name).find(key).sort(newestFirst)
      const version = options['plugin-version'] ?? found[0]?.version ?? ''
      const value = cache.namespace(name, { version }).get(key)
      // Never a value: undefined itself cannot be stored.
      if (value === undefined) {
        const entry = found.find(candidate => candidate.version === version)
        const reason = reasonFor(entry) + otherVersions(found, version)
        await stderr.line(printable(`Miss: ${key} in ${name}: ${reason}`))
        return 1
      }
      await stdout.line(options.json ? jsonOf(value) : textOf(value))
      return 0
    })
  },
}
