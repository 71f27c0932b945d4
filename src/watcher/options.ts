// Checks the options of `watch`.

import { basename, resolve } from 'node:path'
import type { WatchOptions } from '../api/index.js'
import { CacheError } from '../base/errors.js'

const IGNORED_NAMES = ['.git', 'node_modules']

/** @throws CacheError `ERR_CACHE_OPTION` */
export function checkWatchOptions(roots: string | readonly string[], options: WatchOptions) {
  const refuse = (why: string, value: unknown) => new CacheError('ERR_CACHE_OPTION', why, { value })
  const given: unknown = typeof roots === 'string' ? [roots] : roots
  if (!Array.isArray(given)) throw refuse('What to watch must be a path or a list of paths.', roots)
  for (const root of given) {
    if (typeof root !== 'string' || root === '' || root.includes('\0')) throw refuse('A root must be a path.', root)
  }
  if (typeof options !== 'object' || options === null) throw refuse('Watch options must be an object.', options)
  const { persistent = false, ignored = isIgnoredByDefault } = options
  if (typeof persistent !== 'boolean') throw refuse('persistent must be true or false.', persistent)
  if (typeof ignored !== 'function') throw refuse('ignored must be a function of a path.', ignored)
  return { roots: [...new Set(given.map(root => resolve(root)))], isPersistent: persistent, isIgnored: ignored }
}

function isIgnoredByDefault(path: string): boolean {
  return IGNORED_NAMES.includes(basename(path))
}
