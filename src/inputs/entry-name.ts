// How an input names another entry: by namespace, version, scope, project and key.

import type { Scope } from '../project/project.js'

export interface EntryName {
  /** The namespace's directory. */
  namespace: string
  version: string
  scope: Scope
  /** The project's directory; empty for the computation's own project, and for user-wide entries. */
  project: string
  key: string
  /** Whether only a value that was set counts. A computed one counts as missing. */
  isSetOnly?: boolean
}

export function entryName({ namespace, version, scope, project, key, isSetOnly }: EntryName): string {
  const name = [namespace, version, scope, project, key]
  return JSON.stringify(isSetOnly ? [...name, 'set'] : name)
}

/** @throws SyntaxError if the text isn't a name */
export function parseEntryName(text: string): EntryName {
  const [namespace, version, scope, project, key, set] = JSON.parse(text) as [string, string, Scope, ...string[]]
  return { namespace, version, scope, project: project ?? '', key: key ?? '', isSetOnly: set !== undefined }
}

/** The name of the same entry for askers in another project. */
export function absoluteEntryName(text: string, dir: string | undefined): string {
  const name = parseEntryName(text)
  return entryName({ ...name, project: name.scope !== 'user' && name.project === '' ? (dir ?? '') : name.project })
}
