import type { Command } from '../command.js'
import { serve as run } from '../serve/server.js'

export const serve: Command = {
  name: 'serve',
  summary: 'Serve the cache to a program in another language, by lines of JSON',
  details:
    'Reads a request a line from standard input and writes an answer a line, until the input ends. The first line of the ' +
    'output has the version of the protocol. Keys are user-wide unless a request names a project. docs/serve.md has all ' +
    'operations.',
  parameters: [],
  options: {},
  examples: [[`echo '{"op": "namespaces"}' | wicked-cache serve`, 'Ask for the names of all namespaces']],

  run: (_, { dir }, context) => run({ dir }, context),
}
