import { type Command, flag, keyParameter, namespaceParameter, pluginVersion, UsageError } from '../command.js'
import { keyHint } from '../did-you-mean.js'
import { explainKey, findKey, placeOptions } from '../place.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'
import { jsonOf, textOf } from '../value-text.js'

export const get: Command = {
  name: 'get',
  summary: 'Print the value of an entry',
  details:
    'The key is looked up in the project of the working directory, then among the user-wide keys. ' +
    'Without --plugin-version, the newest entry is taken. Exit code 1: there is no valid entry.\n\n' +
    'What JSON cannot hold is shown readably: undefined, 12n, Date 2024-01-01T00:00:00.000Z, Map(1) { "a" => 1 }, ' +
    'Set(1) { 1 }, Buffer(2) 01 ff. With --json such values are tagged, {"$type": "Map", "value": [["a", 1]]}, ' +
    'binary ones in base64, and nothing is lost. With --raw, a text is printed as it is, without a line break after it.',
  parameters: [namespaceParameter, keyParameter],
  options: {
    raw: flag('Print a text as it is: no quotes, no escapes'),
    ...placeOptions,
    'plugin-version': pluginVersion,
  },
  examples: [
    ['wicked-cache get my-plugin src/app.js', 'Show what the plugin stored'],
    ['wicked-cache get my-plugin src/app.js --json', 'The same on one line, for a program'],
    ['wicked-cache get my-plugin src/app.js --plugin-version 1.2.0', 'As that version of the plugin sees it'],
    ['wicked-cache get my-plugin greeting --raw', 'A text as it is, for a shell'],
    ['wicked-cache get my-plugin src/app.js --project .', 'Of this directory alone'],
    ['wicked-cache get my-plugin -- --strict', 'A key that begins with a dash'],
  ],

  async run([name = '', key = ''], options, context) {
    if (options.raw && options.json) throw new UsageError('--raw and --json: only one of them can be')
    return withCache(options, context, async ({ cache }) => {
      const found = findKey(cache, name, key, options)
      // A hit counts as a use of the entry. A miss would count as the plugin's, and a mistyped name would create a namespace.
      const value = found.namespace.has(key) ? found.namespace.get(key) : undefined
      // undefined can't be stored, so it is never a value.
      if (value === undefined) {
        const { message } = explainKey(cache, name, key, options, found)
        const isMistyped = context.stderr.isTerminal && found.entries.length + found.elsewhere.length === 0
        const hint = isMistyped ? keyHint(cache, name, key, options) : ''
        await context.stderr.line(printable(`Miss: ${key} in ${name}: ${message}`) + hint)
        return 1
      }
      if (options.raw && typeof value === 'string') await context.stdout.write(value)
      else await context.stdout.line(options.json ? jsonOf(value) : textOf(value))
      return 0
    })
  },
}
