// Decides whose keys a command is about: those of the working directory's project, or of the project that is named, together
// with portable keys, which belong to every project. After them come the user-wide keys.

import { resolve } from 'node:path'
import type { Options } from 'yargs'
import type { Cache, EntryInfo, Explanation, Namespace, NamespaceOptions } from '../src/index.js'
import { flag, type OptionValues, UsageError } from './command.js'

export type Place = Pick<OptionValues, 'project' | 'user-wide' | 'all-projects'>

export const placeOptions: Readonly<Record<string, Options>> = {
  project: {
    type: 'string',
    requiresArg: true,
    describe: 'The directory of the project (default: that of the working directory)',
  },
  'user-wide': flag('The keys that belong to no project'),
}

export const allProjects = flag('All projects, and the user-wide keys')

/** @throws UsageError */
export function namespaceOptionsOf(place: Place): Pick<NamespaceOptions, 'project'> {
  const given = (['project', 'user-wide', 'all-projects'] as const).filter(name => place[name] !== undefined)
  if (given.length > 1) throw new UsageError(`Give only one of ${given.map(name => `--${name}`).join(' and ')}`)
  if (place.project !== undefined) return { project: resolve(place.project) }
  return place['user-wide'] ? { project: false } : {}
}

/** The entries of a key, in the first project or scope that has any. */
export interface Found {
  /** The namespace with the version and project of the newest entry, or the requested ones. */
  namespace: Namespace
  /** Newest first, of the requested version or of all. */
  entries: EntryInfo[]
  /** Other projects that have an entry, if none was found; null stands for the user-wide keys. */
  elsewhere: (string | null)[]
}

/** @throws UsageError; CacheError `ERR_CACHE_KEY`, `ERR_CACHE_NAMESPACE`, `ERR_CACHE_OPTION` */
export function findKey(cache: Cache, name: string, key: string, options: OptionValues): Found {
  const asked = options['plugin-version']
  const place = namespaceOptionsOf(options)
  const own = cache.namespace(name, place)
  const { project } = own
  const all = own.find(key).sort((a, b) => b.createdAt - a.createdAt)
  const isUserWide = (entry: EntryInfo) => entry.project === null && !entry.isPortable
  const places = [
    all.filter(entry => project !== null && entry.project === project),
    all.filter(entry => entry.isPortable),
    options.project === undefined ? all.filter(isUserWide) : [],
  ]
  const isAsked = ({ version }: EntryInfo) => asked === undefined || version === asked
  const there = places.find(entries => entries.some(isAsked)) ?? places.find(entries => entries.length > 0) ?? []
  const entries = there.filter(isAsked)
  const [newest] = there
  // Without a project, there are no project keys to find.
  const where = project === null || (newest && isUserWide(newest)) ? { project: false as const } : place
  const version = asked ?? newest?.version ?? ''
  return {
    namespace: cache.namespace(name, { version, portable: newest?.isPortable ?? false, ...where }),
    entries,
    elsewhere: there.length > 0 ? [] : [...new Set(all.map(entry => entry.project))],
  }
}

/** Explains what a get of the key returns, and why. */
export function explainKey(cache: Cache, name: string, key: string, options: OptionValues, found: Found): Explanation {
  const { namespace, elsewhere } = found
  let explanation = namespace.explain(key)
  if (explanation.reason === 'never-set' && options.project === undefined && namespace.project !== null) {
    // The removed key may have been a user-wide one.
    const userWide = cache.namespace(name, { version: namespace.version, project: false }).explain(key)
    if (userWide.reason !== 'never-set') explanation = userWide
  }
  if (explanation.reason !== 'never-set' || elsewhere.length === 0) return explanation
  const here = [
    ...(namespace.project === null ? [] : [`in ${namespace.project}`]),
    ...(options.project === undefined ? ['user-wide'] : []),
  ].join(' or ')
  const [first] = elsewhere
  const hint = first === null ? '--user-wide' : `--project ${first}`
  const others = elsewhere.length > 1 ? ` and in ${elsewhere.length - 1} more` : ''
  const there = first === null ? 'a user-wide entry' : `an entry in ${first}`
  const message = `Nothing is stored under this key ${here}; there is ${there}${others} (${hint}).`
  return { ...explanation, message, otherProjects: elsewhere }
}

type Owner = Pick<EntryInfo, 'project'> & { isPortable?: boolean }

/** The owner of an entry, for a sentence. */
export function placeText(owner: Owner): string {
  return owner.project === null ? placeCell(owner).slice(1, -1) : `project ${placeCell(owner)}`
}

/** The owner of an entry, for a column. */
export function placeCell({ project, isPortable }: Owner): string {
  if (project === null) return isPortable ? '(portable)' : '(user-wide)'
  return `${project}${isGone(project) ? ' (gone)' : ''}`
}

const gone = new Map<string, boolean>()

/** Whether the directory doesn't exist now. It may come back, so its entries stay. */
export function isGone(project: string): boolean {
  const known = gone.get(project)
  if (known !== undefined) return known
  const isAbsent = !process.getBuiltinModule('node:fs').existsSync(project)
  gone.set(project, isAbsent)
  return isAbsent
}
