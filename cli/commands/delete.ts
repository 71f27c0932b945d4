import type { Cache } from '../../src/index.js'
import { type Command, keyParameter, namespaceParameter, type OptionValues, pluginVersion } from '../command.js'
import { keyHint } from '../did-you-mean.js'
import { formatCountOf, toFree } from '../format.js'
import { findKey, namespaceOptionsOf, placeOptions, placeText } from '../place.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'

export const deleteCommand: Command = {
  name: 'delete',
  summary: 'Remove an entry',
  details:
    'The key is looked up in the project of the working directory, then among the user-wide keys. ' +
    'Without --plugin-version, the entries of all versions are removed. Exit code 1: there was none. ' +
    'A result that is being computed for a key without an entry is not stored then.',
  parameters: [namespaceParameter, keyParameter],
  options: { ...placeOptions, 'plugin-version': pluginVersion },
  examples: [
    ['wicked-cache delete my-plugin src/app.js', 'Of all versions of the plugin'],
    ['wicked-cache delete my-plugin src/app.js --plugin-version 1.2.0', 'Of that version only'],
  ],

  run([name = '', key = ''], options, context) {
    const { stdout } = context
    return withCache(options, context, async ({ cache }) => {
      const { namespace, entries, elsewhere } = findKey(cache, name, key, options)
      const { project } = namespace
      const deleted = entries.filter(({ version, isPortable }) =>
        cache.namespace(name, { version, portable: isPortable, project: project ?? false }).delete(key),
      )
      const deletedCount = deleted.length
      const sizeBytes = deleted.reduce((sum, entry) => sum + entry.sizeBytes, 0)
      const [first] = deleted
      if (options.json) await stdout.json({ deleted: deletedCount, ...(first && { project: first.project }) })
      else if (first) {
        const count = formatCountOf(deletedCount, 'entry', 'entries')
        await stdout.line(printable(`Deleted ${count} (${placeText(first)})${toFree(sizeBytes)}`))
      }
      if (!first) {
        voidComputations(cache, name, key, options)
        const others = elsewhere.map(each => placeText({ project: each })).join(', ')
        const there = others ? `; there is an entry elsewhere: ${others}` : ''
        const hint = context.stderr.isTerminal && !others ? keyHint(cache, name, key, options) : ''
        await context.stderr.line(printable(`Nothing to delete: ${key} in ${name}${there}`) + (hint && `.${hint}`))
      }
      return deletedCount > 0 ? 0 : 1
    })
  },
}

/** Voids running computations of the key, in all versions that have entries. */
function voidComputations(cache: Cache, name: string, key: string, options: OptionValues): void {
  // Without entries there is nothing to void, and nothing should be created.
  if (!cache.namespaces().includes(name)) return
  const place = namespaceOptionsOf(options)
  const own = cache.namespace(name, place)
  const asked = options['plugin-version']
  const known = asked === undefined ? [...own.entries({ allVersions: true, allProjects: true })] : []
  for (const version of new Set([asked ?? '', ...known.map(entry => entry.version)])) {
    cache.namespace(name, { version, portable: true, project: own.project ?? false }).delete(key)
    if (options.project === undefined) cache.namespace(name, { version, project: false }).delete(key)
  }
}
