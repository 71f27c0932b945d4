// The JavaScript and TypeScript files below a directory.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const SOURCE = /\.[mc]?[jt]sx?$/
/** Inside node_modules, `dist` is what was published: there it is all the source there is. */
const BUILD_OUTPUT = new Set(['dist', 'coverage'])
/** What every cache directory holds, so that tools which walk trees can leave it out: https://bford.info/cachedir/ */
const CACHE_TAG = 'CACHEDIR.TAG'

/**
 * Absolute paths, each once, in an order that is the same everywhere. Symbolic links are not followed, so a tree that
 * links back to itself ends. Directories that may not be read are left out, and so is what disappears on the way.
 *
 * @param {readonly string[]} directories absolute
 * @returns {string[]}
 */
export function sourceFilesIn(directories) {
  /** @type {Set<string>} */
  const paths = new Set()
  for (const directory of directories) collect(directory, /[\\/]node_modules([\\/]|$)/.test(directory), paths)
  return [...paths]
}

/**
 * @param {string} directory
 * @param {boolean} isInstalled
 * @param {Set<string>} paths
 */
function collect(directory, isInstalled, paths) {
  const entries = list(directory)
  if (entries.some(entry => entry.name === CACHE_TAG)) return
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name)
    if (entry.isFile() && SOURCE.test(entry.name)) paths.add(path)
    if (!entry.isDirectory() || entry.name === '.git') continue
    if (isInstalled || !BUILD_OUTPUT.has(entry.name)) collect(path, isInstalled || entry.name === 'node_modules', paths)
  }
}

/** @param {string} directory */
function list(directory) {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (/** @type {any} */ error) {
    if (['ENOENT', 'EACCES', 'EPERM'].includes(error.code)) return []
    throw error
  }
}
