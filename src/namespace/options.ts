// Checks the options of `namespace` before anything is done.

import type { NamespaceOptions, PathLike, Strategy } from '../api/index.js'
import { ifThere } from '../base/errors.js'
import { assertChoice, assertFlag, assertOptionalFunction, assertOptions, refuseOption } from '../base/options.js'
import { givenPath } from '../compute/paths.js'
import { isPlainPath } from '../compute/plain-path.js'
import { absolutePath } from '../compute/uncached.js'
import type { EntryOptions } from '../entries/entries.js'
import type { NamespaceStore } from '../entries/store.js'
import { encodePrefix } from '../manifest/key.js'
import { LIMIT_OPTIONS } from '../policy/limits.js'

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
  // Throws for an invalid version.
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

/** The project's directory as an absolute path; null for user-wide keys, undefined for the project of the working directory. */
export function checkProject(
  { environment, report }: NamespaceStore,
  project: PathLike | false | undefined,
): string | null | undefined {
  if (project === undefined) return undefined
  if (project === false) return null
  if (typeof project === 'string' && /^file:/i.test(project)) {
    throw refuseOption('project must be a path or a file: URL as an object, not the text of one.', project)
  }
  const given = () => givenPath(environment.files, project).absolute
  const absolute = isPlainPath(project) ? project : (ifThere(report, undefined, given) ?? absolutePath(project))
  if (absolute.includes('\0')) throw refuseOption('project must be the path of a directory.', project)
  return absolute
}
