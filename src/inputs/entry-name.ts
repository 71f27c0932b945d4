// How an input names another entry: by namespace, version, scope, project and key.

import type { Scope } from '../project/project.js'

export interface EntryName {
  /** The namespace's directory. */
  namespace: string
  version: string
  scope: Scope
  /** The directory of the project that is asked in; empty for that of the computation, and for entries of the user. */
  project: string
  key: string
  /** Whether only a value that was set counts, and what was computed is as good as absent. */
  isSetOnly?: boolean
}

export function entryName({ namespace, version, scope, project, key, isSetOnly }: EntryName): string {
  const name = [namespace, version, scope, project, key]
  return JSON.stringify(isSetOnly ? [...name, 'set'] : name)
}

/** @throws SyntaxError for what is no name */
export function parseEntryName(text: string): EntryName {
  const [namespace, version, scope, project, key, set] = JSON.parse(text) as [string, string, Scope, ...string[]]
  return { namespace, version, scope, project: project ?? '', key: key ?? '', isSetOnly: set !== undefined }
}

/** The name as it is for those of another project. */
export function absoluteEntryName(text: string, dir: string | undefined): string {
  const name = parseEntryName(text)
  return entryName({ ...name, project: name.scope !== 'user' && name.project === '' ? (dir ?? '') : name.project })
}
