import { refuseOption } from '../base/options.js'
import type { Entries } from '../entries/entries.js'
import type { KeyParts } from '../manifest/key-parts.js'

/** Whether a key belongs to the project of the entries, or to every checkout. */
export function belongsTo({ project, hasKeys }: Entries, { scope, project: dir }: KeyParts): boolean {
  if (scope === 'portable') return true
  return scope === 'project' ? project?.dir === dir : project === undefined && hasKeys
}

/** Whether callers choose the key, and it begins with the prefix, if one is given. */
export function beginsWith({ kind, key }: KeyParts, prefix: string | undefined): boolean {
  return prefix === undefined || (kind === 'plain' && key.startsWith(prefix))
}

/** @throws CacheError `ERR_CACHE_OPTION` */
export function assertPrefix(prefix: unknown): void {
  if (prefix !== undefined && typeof prefix !== 'string') throw refuseOption('prefix must be a string.', prefix)
}
