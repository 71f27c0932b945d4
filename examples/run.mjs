// Two small plugins over every source file of some directories, twice, and what the cache made of it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openCache } from '../dist/index.js'
import { createImportGraph } from './plugins/import-graph.mjs'
import { createOutline } from './plugins/outline.mjs'
import { reportText } from './report.mjs'
import { sourceFilesIn } from './source-files.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const PROJECT = dirname(HERE)
const DEFAULT_CACHE = join(PROJECT, 'node_modules', '.cache', 'wicked-cache-example')

const HELP = `Usage: npm start -- [options] [directory...]
       node examples/run.mjs [options] [directory...]

Runs two plugins, an outline and an import graph, over every JavaScript and TypeScript file below the directories
(default: this project with its installed packages), twice, each time in a new process. Shows what the cache saved.

Options:
  --dir <path>   the cache directory (default: ${relative(PROJECT, DEFAULT_CACHE)} in this project)
  --fresh        forget what the example has cached there before
  -h, --help     show this
`

class UsageError extends Error {}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`run.mjs: ${error.message}\nSee: node examples/run.mjs --help`)
  process.exitCode = 2
}

async function main() {
  const { values, positionals } = readArguments()
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  if (values.dir === '') throw new UsageError('--dir needs a path.')
  const dir = resolve(values.dir ?? DEFAULT_CACHE)
  const directories = positionals.length > 0 ? positionals.map(existingDirectory) : [PROJECT]
  if (sourceFilesIn(directories).length === 0) {
    throw new UsageError(`There is no JavaScript or TypeScript file below ${directories.join(', ')}.`)
  }
  if (values.fresh) await forget(dir)
  const first = await analyze('first run', dir, directories)
  const second = await analyze('second run', dir, directories)
  const isStyled = process.stdout.isTTY && process.env.TERM !== 'dumb' && !process.env.NO_COLOR
  process.stdout.write(reportText({ dir, directories, first, second, isStyled }))
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        dir: { type: 'string' },
        fresh: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
      allowPositionals: true,
    })
  } catch (/** @type {any} */ error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS_')) throw error
    throw new UsageError(error.message)
  }
}

/** @param {string} path */
function existingDirectory(path) {
  let isDirectory
  try {
    isDirectory = statSync(path).isDirectory()
  } catch (/** @type {any} */ error) {
    const why = error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`
    throw new UsageError(`The directory ${JSON.stringify(path)} ${why}.`)
  }
  if (!isDirectory) throw new UsageError(`${JSON.stringify(path)} is not a directory.`)
  return resolve(path)
}

/**
 * Clears what the example cached, of all versions, and nothing else: `--dir` may name a cache that others use too.
 *
 * @param {string} dir
 */
async function forget(dir) {
  const cache = await openCache({ dir })
  const plugins = [createOutline(cache), createImportGraph(cache)]
  for (const entries of [...plugins.map(plugin => plugin.entries), cache.namespace('example-runs')]) {
    entries.clear({ allProjects: true })
  }
  cache.close()
}

/**
 * @param {string} label
 * @param {string} dir
 * @param {readonly string[]} directories
 * @returns {Promise<import('./analyze.mjs').RunReport>}
 */
async function analyze(label, dir, directories) {
  const child = spawn(process.execPath, [join(HERE, 'analyze.mjs'), label, dir, ...directories], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')])
  if (code !== 0) throw new Error(`The ${label} ended with ${signal ?? `exit code ${code}`}.`)
  return JSON.parse(output)
}
