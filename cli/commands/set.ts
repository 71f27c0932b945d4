import {
  type Command,
  type Context,
  flag,
  type Input,
  keyParameter,
  namespaceParameter,
  pluginVersion,
  UsageError,
} from '../command.js'
import { parseJson } from '../json-text.js'
import { namespaceOptionsOf, placeOptions, placeText } from '../place.js'
import { printable } from '../printable.js'
import { parseDurationMs } from '../quantity.js'
import { withCache } from '../session.js'

async function readText(stdin: Input, ignoreBOM: boolean): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM }).decode(Buffer.concat(chunks))
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError('The value on stdin is not UTF-8', { cause: error })
    throw error
  }
}

async function readValue(argument: string, isText: boolean, context: Context): Promise<unknown> {
  if (argument !== '-') return isText ? argument : parseJson(argument, 'The value')
  const { stdin } = context
  if (stdin.isTTY) {
    await context.stderr.line(`Reading ${isText ? 'a text' : 'JSON'} from the terminal; end it with Ctrl-D.`)
  }
  const text = await readText(stdin, isText)
  return isText ? text : parseJson(text, 'The value on stdin')
}

async function parseTtlMs(text: string, context: Context): Promise<number> {
  const ttlMs = await parseDurationMs('ttl', text, context)
  if (ttlMs > 0) return ttlMs
  throw new UsageError(`--ttl: "${text}" must be more than zero`)
}

export const set: Command = {
  name: 'set',
  summary: 'Store a value under a key',
  details: 'The key belongs to the project of the working directory. Exit code 1: the cache could not store it.',
  parameters: [
    namespaceParameter,
    keyParameter,
    { name: 'value', describe: 'The value as JSON; without it, or as -, it is read from stdin', isOptional: true },
  ],
  options: {
    text: flag('The value is a text, not JSON'),
    ttl: { type: 'string', requiresArg: true, describe: 'Valid for so long: a number and ms, s, m, h or d' },
    file: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Valid until this file changes; may be given more than once',
    },
    ...placeOptions,
    'plugin-version': pluginVersion,
  },
  examples: [
    [`wicked-cache set my-plugin answer '{"value": 42}'`, 'Keep until it is deleted'],
    ['wicked-cache set my-plugin greeting hello --text --ttl 30m', 'A text, valid for half an hour'],
    ['date | wicked-cache set my-plugin started --text -', 'A text from stdin'],
    ['wicked-cache set my-plugin answer 42 --user-wide', 'For all projects'],
    ['wicked-cache set my-plugin config --file package.json < package.json', 'From stdin, until the file changes'],
  ],

  async run([name = '', key = '', argument = '-'], options, context) {
    const place = namespaceOptionsOf(options)
    const ttlMs = options.ttl === undefined ? undefined : await parseTtlMs(options.ttl, context)
    const value = await readValue(argument, options.text ?? false, context)
    return withCache(options, context, async ({ cache }) => {
      const version = options['plugin-version']
      const namespace = cache.namespace(name, { ...place, ...(version === undefined ? {} : { version }) })
      const { project } = namespace
      if (project === null && !options['user-wide']) {
        throw new UsageError('The working directory belongs to no project: give --project or --user-wide')
      }
      const isStored = namespace.set(key, value, {
        ...(ttlMs === undefined ? {} : { ttl: ttlMs }),
        ...(options.file === undefined ? {} : { files: options.file }),
      })
      if (!isStored) await context.stderr.line(printable(`Not stored: ${key} in ${name}`))
      if (options.json) await context.stdout.json({ stored: isStored, project })
      else if (isStored) await context.stdout.line(printable(`Stored ${key} in ${name} (${placeText({ project })})`))
      return isStored ? 0 : 1
    })
  },
}
