// Checks the options of `set` and `setMany` before anything is done.

import type { PathLike, SetManyEntry, SetOptions } from '../api/index.js'
import { assertOptions, refuseOption } from '../base/options.js'
import { parseTtl } from '../base/units.js'
import { type GivenPath, givenPaths } from '../compute/paths.js'
import type { Files } from '../files/files.js'

/** How long an entry lives, with every option filled in. */
export interface Lifetime {
  ttlMs: number | undefined
  files: readonly GivenPath[] | undefined
}

const FOREVER: Lifetime = { ttlMs: undefined, files: undefined }

/** @throws CacheError `ERR_CACHE_OPTION` */
export function checkSetOptions(
  system: Files,
  options: SetOptions | undefined,
  where = 'set',
  others: string[] = [],
): Lifetime {
  if (options === undefined) return FOREVER
  const { ttl, files } = assertOptions(where, options, ['ttl', 'files', ...others])
  return {
    ttlMs: ttl === undefined ? undefined : parseTtl(ttl),
    files: files === undefined ? undefined : paths(system, files),
  }
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function checkSetManyEntry(system: Files, entry: SetManyEntry): Lifetime {
  if (typeof entry !== 'object' || entry === null) throw refuseOption('An entry of setMany must be an object.', entry)
  return checkSetOptions(system, entry, 'An entry of setMany', ['key', 'value'])
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function assertEntries(entries: Iterable<SetManyEntry>): SetManyEntry[] {
  if (typeof entries === 'object' && entries !== null && Symbol.iterator in entries) return Array.from(entries)
  throw refuseOption('setMany takes a list of entries.', entries)
}

function paths(system: Files, files: readonly PathLike[]): GivenPath[] {
  if (typeof files !== 'object' || files === null || !(Symbol.iterator in files)) {
    throw refuseOption('files must be a list of paths.', files)
  }
  const given = givenPaths(system, files)
  if (given.length === 0) throw refuseOption('files must be a list of at least one path.', files)
  return given
}
