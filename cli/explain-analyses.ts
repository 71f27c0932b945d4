// Explanations of analyses by their file, and of calls as a listing shows them.

import { resolve } from 'node:path'
import type { Cache, EntryInfo, Explanation, Namespace, NamespaceOptions } from '../src/index.js'
import type { OptionValues } from './command.js'
import { namespaceOptionsOf } from './place.js'

/** Explains the newest entry of each name; with a name, that analysis, even without an entry. */
export function explainFile(
  cache: Cache,
  namespace: string,
  name: string | undefined,
  file: string,
  options: OptionValues,
): Explanation[] {
  const place = namespaceOptionsOf(options)
  const version = options['plugin-version']
  const handle = (own: string) => cache.namespace(namespace, { ...place, version: own })
  for (const path of pathsOf(handle(''), file)) {
    const found = handle('').find({ file: path, ...(name === undefined ? {} : { name }) })
    const newest = newestByName(found.filter(each => version === undefined || each.version === version))
    if (newest.length > 0)
      return newest.map(each => handle(each.version).explain({ name: each.name ?? '', file: path }))
  }
  return name === undefined ? [] : [handle(version ?? '').explain({ name, file: resolve(file) })]
}

/** Resolves a file as the user names it, or as a listing shows it, relative to the project. */
function pathsOf({ project }: Namespace, file: string): string[] {
  return [...new Set([resolve(file), ...(project === null ? [] : [resolve(project, file)])])]
}

function newestByName(entries: readonly EntryInfo[]): EntryInfo[] {
  const newest = new Map<string, EntryInfo>()
  for (const entry of entries) {
    const known = newest.get(entry.name ?? '')
    if (!known || known.createdAt < entry.createdAt) newest.set(entry.name ?? '', entry)
  }
  return [...newest.values()].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
}

/** Parses a key as a listing shows it, such as `imports src/app.js` or `highlight("text",1)`; undefined if it is neither. */
export function explainCall(
  cache: Cache,
  namespace: string,
  key: string,
  options: OptionValues,
): Explanation | undefined {
  for (let at = key.indexOf(' '); at > 0 && at < key.length - 1; at = key.indexOf(' ', at + 1)) {
    const [explanation] = explainFile(cache, namespace, key.slice(0, at), key.slice(at + 1), options)
    if (explanation && explanation.reason !== 'never-set') return explanation
  }
  const open = key.indexOf('(')
  const args = open > 0 && key.endsWith(')') ? argumentsIn(key.slice(open + 1, -1)) : undefined
  if (!args) return undefined
  const place = namespaceOptionsOf(options)
  const places: NamespaceOptions[] = [place, { ...place, portable: true }]
  if (options.project === undefined) places.push({ project: false })
  for (const each of places) {
    const explained = (version: string) =>
      cache.namespace(namespace, { ...each, version }).explain({ name: key.slice(0, open), args })
    const explanation = explained(options['plugin-version'] ?? '')
    const { reason, otherVersions = [] } = explanation
    if (reason === 'never-set' || reason === 'no-project') continue
    if (options['plugin-version'] !== undefined || reason !== 'version-changed') return explanation
    const ofVersions = otherVersions.map(explained)
    return ofVersions.sort((a, b) => (b.entry?.createdAt ?? 0) - (a.entry?.createdAt ?? 0))[0]
  }
  return undefined
}

/** Longer arguments are stored as a digest only. */
function argumentsIn(text: string): unknown[] | undefined {
  try {
    return JSON.parse(`[${text}]`)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}
