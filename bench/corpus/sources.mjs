// Real source files: those of the installed packages.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const INSTALLED = fileURLToPath(new URL('../node_modules', import.meta.url))
/** A bundle of a megabyte is no source file. */
const MAX_SOURCE_BYTES = 500_000

/** Paths of all JavaScript files of the installed packages, in an order that mixes them and is always the same. */
export function sourcePaths() {
  const files = readdirSync(INSTALLED, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.[cm]?js$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
  return shuffled(files.sort())
}

/** @returns {string[]} paths of TypeScript sources, in the same kind of order */
export function typedSourcePaths() {
  const directory = join(INSTALLED, 'rxjs', 'src')
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return shuffled(names.filter(name => name.endsWith('.ts')).sort()).map(name => join(directory, name))
}

/** @param {string} path */
export function readSource(path) {
  const text = readFileSync(path, 'utf8')
  return text.length <= MAX_SOURCE_BYTES ? text : undefined
}

/** @template T @param {T[]} list */
function shuffled(list) {
  let state = 12345
  for (let i = list.length - 1; i > 0; i--) {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    const other = state % (i + 1)
    ;[list[i], list[other]] = [/** @type {T} */ (list[other]), /** @type {T} */ (list[i])]
  }
  return list
}
