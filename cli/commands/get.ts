import { type Command, keyParameter, namespaceParameter, pluginVersion } from '../command.js'
import { newestVersion } from '../newest.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'
import { jsonOf, textOf } from '../value-text.js'

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
      const version = options['plugin-version'] ?? newestVersion(cache.namespace(name), key)
      const namespace = cache.namespace(name, { version })
      const value = namespace.get(key)
      // Never a value: undefined itself cannot be stored.
      if (value === undefined) {
        await stderr.line(printable(`Miss: ${key} in ${name}: ${namespace.explain(key).message}`))
        return 1
      }
      await stdout.line(options.json ? jsonOf(value) : textOf(value))
      return 0
    })
  },
}
