// What callers pass to a namespace's plain calls, checked before anything is done.

import type { NamespaceOptions, PathLike, SetManyEntry, SetOptions, Strategy } from '../api/index.js'
import {
  assertChoice,
  assertFlag,
  assertOptionalFunction,
  assertOptions,
  parseTtl,
  refuseOption,
} from '../base/options.js'
import { type GivenPath, givenPath, givenPaths } from '../compute/paths.js'
import type { EntryOptions } from '../entries/entries.js'
import type { Files } from '../files/files.js'
import { encodePrefix } from '../manifest/key.js'
import { LIMIT_OPTIONS } from '../policy/bounds.js'

/** How long an entry lives, without the ways to leave parts out. */
export interface Lifetime {
  ttlMs: number | undefined
  files: readonly GivenPath[] | undefined
}

const NAMESPACE_OPTIONS = [
  'version',
  'project',
  'portable',
  'strategy',
  'cyclic',
  'classInstances',
  'validate',
  'values',
  ...LIMIT_OPTIONS,
]
const STRATEGIES: readonly Strategy[] = ['auto', 'metadata', 'content']
const FOREVER: Lifetime = { ttlMs: undefined, files: undefined }

/** @throws CacheError `ERR_CACHE_OPTION` */
export function checkNamespaceOptions(options: NamespaceOptions | undefined): EntryOptions {
  const {
    version = '',
    portable = false,
    strategy = 'auto',
    cyclic = false,
    classInstances = 'refuse',
    validate,
    values = 'plain',
  } = assertOptions('namespace', options, NAMESPACE_OPTIONS)
  // Which refuses what can be no version.
  encodePrefix({ version, scope: 'user', kind: 'plain', project: '' })
  assertOptionalFunction('validate', validate)
  return {
    version,
    isPortable: assertFlag('portable', portable),
    strategy: assertChoice('strategy', strategy, STRATEGIES),
    cyclic: assertFlag('cyclic', cyclic),
    classInstances: assertChoice('classInstances', classInstances, ['refuse', 'plain']),
    validate,
    isJson: assertChoice('values', values, ['plain', 'json']) === 'json',
  }
}

/** The project's directory as an absolute path; null for user-wide keys, undefined to go by the working directory. */
export function checkProject(files: Files, project: PathLike | false | undefined): string | null | undefined {
  if (project === undefined) return undefined
  if (project === false) return null
  if (typeof project === 'string' && /^file:/i.test(project)) {
    throw refuseOption('project must be a path or a file: URL as an object, not the text of one.', project)
  }
  const { absolute } = givenPath(files, project)
  if (absolute.includes('\0')) throw refuseOption('project must be the path of a directory.', project)
  return absolute
}

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
