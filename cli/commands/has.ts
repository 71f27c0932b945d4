import { type Command, keyParameter, namespaceParameter, pluginVersion } from '../command.js'
import { findKey, placeOptions } from '../place.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'

export const has: Command = {
  name: 'has',
  summary: 'Say whether get would find an entry',
  details:
    'The key is looked up in the project of the working directory, then among the user-wide keys. ' +
    'Without --plugin-version, the newest entry is looked at. Nothing is counted. ' +
    'Exit code 1: there is no valid entry.',
  parameters: [namespaceParameter, keyParameter],
  options: { ...placeOptions, 'plugin-version': pluginVersion },
  examples: [['wicked-cache has my-plugin src/app.js && echo cached', 'For a script']],

  run([name = '', key = ''], options, context) {
    const { stdout } = context
    return withCache({ ...options, readOnly: true }, context, async ({ cache }) => {
      const isThere = findKey(cache, name, key, options).namespace.has(key)
      if (options.json) await stdout.json({ has: isThere })
      else await stdout.line(printable(`${isThere ? 'Valid' : 'Not valid'}: ${key} in ${name}`))
      return isThere ? 0 : 1
    })
  },
}
