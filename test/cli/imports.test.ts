// The CLI uses only the public entry of the library.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const sources = readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' }).filter(file =>
  file.endsWith('.ts'),
)

/** What is bundled into the command line: its own page among it. */
const BUNDLED = ['yargs', 'd3-hierarchy', '#report-script', '#report-style']

test.each(sources)('cli/%s imports only the public entry of the library', file => {
  const path = join(root, 'cli', file)
  const imported = [...readFileSync(path, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    ([, from]) => from!,
  )
  const outside = imported
    .map(from =>
      from.startsWith('.')
        ? relative(root, join(dirname(path), from))
            .split(sep)
            .join('/')
        : from,
    )
    .filter(from => !from.startsWith('cli/') && !from.startsWith('node:') && !BUNDLED.includes(from))
  expect(outside.filter(from => from !== 'src/index.js')).toEqual([])
})
