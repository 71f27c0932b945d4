import {
  type Command,
  type Context,
  type Input,
  keyParameter,
  namespaceParameter,
  pluginVersion,
  UsageError,
} from '../command.js'
import { parseJson } from '../json-text.js'
import { printable } from '../printable.js'
import { parseDurationMs } from '../quantity.js'
import { withCache } from '../session.js'

async function readText(stdin: Input): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError('The value on stdin is not UTF-8', { cause: error })
    throw error
  }
}

async function parseTtlMs(text: string, context: Context): Promise<number> {
  const ttlMs = await parseDurationMs('ttl', text, context)
  if (ttlMs > 0) return ttlMs
  throw new UsageError(`--ttl: "${text}" must be more than zero`)
}

export const set: Command = {
  name: 'set',
  summary: 'Store a value under a key',
  details: 'Exit code 1: the cache could not store it.',
  parameters: [
    namespaceParameter,
    keyParameter,
    { name: 'value', describe: 'The value as JSON; without it, or as -, it is read from stdin', isOptional: true },
  ],
  options: {
    ttl: { type: 'string', requiresArg: true, describe: 'Valid for so long: a number and ms, s, m, h or d' },
    file: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Valid until this file changes; may be given more than once',
    },
    'plugin-version': pluginVersion,
  },
  examples: [
    [`wicked-cache set my-plugin answer '{"value": 42}'`, 'Keep until it is deleted'],
    ['wicked-cache set my-plugin greeting \'"hello"\' --ttl 30m', 'A text, valid for half an hour'],
    ['wicked-cache set my-plugin config --file package.json < package.json', 'From stdin, until the file changes'],
  ],

  async run([name = '', key = '', argument = '-'], options, context) {
    const { stdin, stdout, stderr } = context
    const ttlMs = options.ttl === undefined ? undefined : await parseTtlMs(options.ttl, context)
    if (argument === '-' && stdin.isTTY) await stderr.line('Reading JSON from the terminal; end it with Ctrl-D.')
    const value =
      argument === '-' ? parseJson(await readText(stdin), 'The value on stdin') : parseJson(argument, 'The value')
    return withCache(options, context, async ({ cache }) => {
      const version = options['plugin-version']
      const namespace = cache.namespace(name, version === undefined ? {} : { version })
      const isStored = namespace.set(key, value, {
        ...(ttlMs === undefined ? {} : { ttlMs }),
        ...(options.file === undefined ? {} : { files: options.file }),
      })
      if (!isStored) await stderr.line(printable(`Not stored: ${key} in ${name}`))
      if (options.json) await stdout.json({ stored: isStored })
      else if (isStored) await stdout.line(printable(`Stored ${key} in ${name}`))
      return isStored ? 0 : 1
    })
  },
}
