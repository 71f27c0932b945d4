// How an input names another entry: by namespace, version, scope, project and key.

import type { Scope } from '../project/project.js'

export interface EntryName {
  /** The namespace's directory. */
  namespace: string
  version: string
  scope: Scope
  /** The project's directory; empty for the project of whoever asks, and where the scope is another. */
  project: string
  key: string
}

export function entryName({ namespace, version, scope, project, key }: EntryName): string {
  return JSON.stringify([namespace, version, scope, project, key])
}

/** @throws SyntaxError for what is no name */
export function parseEntryName(text: string): EntryName {
  const [namespace, version, scope, project, key] = JSON.parse(text) as [string, string, Scope, string, string]
  return { namespace, version, scope, project, key }
}

/** The name as it is for those of another project. */
export function absoluteEntryName(text: string, dir: string | undefined): string {
  const name = parseEntryName(text)
  return entryName({ ...name, project: name.scope === 'project' && name.project === '' ? (dir ?? '') : name.project })
}
