import { type Command, keyParameter, namespaceParameter, pluginVersion } from '../command.js'
import { formatCountOf, toFree } from '../format.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'

export const deleteCommand: Command = {
  name: 'delete',
  summary: 'Remove an entry',
  details: 'Without --plugin-version, the entries of all versions are removed. Exit code 1: there was none.',
  parameters: [namespaceParameter, keyParameter],
  options: { 'plugin-version': pluginVersion },
  examples: [
    ['wicked-cache delete my-plugin src/app.js', 'Of all versions of the plugin'],
    ['wicked-cache delete my-plugin src/app.js --plugin-version 1.2.0', 'Of that version only'],
  ],

  run([name = '', key = ''], options, context) {
    const { stdout } = context
    return withCache(options, context, async ({ cache }) => {
      const only = options['plugin-version']
      const found = cache.namespace(name).find(key)
      const deleted = found
        .filter(({ version }) => only === undefined || version === only)
        .filter(({ version }) => cache.namespace(name, { version }).delete(key))
      const deletedCount = deleted.length
      const sizeBytes = deleted.reduce((sum, entry) => sum + entry.sizeBytes, 0)
      if (options.json) await stdout.json({ deleted: deletedCount })
      else if (deletedCount > 0)
        await stdout.line(`Deleted ${formatCountOf(deletedCount, 'entry', 'entries')}${toFree(sizeBytes)}`)
      if (deletedCount === 0) await context.stderr.line(printable(`Nothing to delete: ${key} in ${name}`))
      return deletedCount > 0 ? 0 : 1
    })
  },
}
