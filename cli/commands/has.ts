import { type Command, keyParameter, namespaceParameter, pluginVersion } from '../command.js'
import { newestVersion } from '../newest.js'
import { printable } from '../printable.js'
import { withCache } from '../session.js'

export const has: Command = {
  name: 'has',
  summary: 'Say whether get would find an entry',
  details:
    'Without --plugin-version, the newest entry of the key is looked at. Nothing is counted. ' +
    'Exit code 1: there is no valid entry.',
  parameters: [namespaceParameter, keyParameter],
  options: { 'plugin-version': pluginVersion },
  examples: [['wicked-cache has my-plugin src/app.js && echo cached', 'For a script']],

  run([name = '', key = ''], options, context) {
    const { stdout } = context
    return withCache({ ...options, readOnly: true }, context, async ({ cache }) => {
      const version = options['plugin-version'] ?? newestVersion(cache.namespace(name), key)
      const isThere = cache.namespace(name, { version }).has(key)
      if (options.json) await stdout.json({ has: isThere })
      else await stdout.line(printable(`${isThere ? 'Valid' : 'Not valid'}: ${key} in ${name}`))
      return isThere ? 0 : 1
    })
  },
}
