// Finds the file of a checkout that has a given content. Analyses with `anywhere` are stored under a digest of the content, and
// their names in a remote store need the whole content. A checkout is walked only until the file is found.

import { join } from 'node:path'
import { contentName } from '../entries/content-name.js'
import type { Entries } from '../entries/entries.js'

/** Searched last: dependencies are most of a project's files. */
const LATE = 'node_modules'
const SKIPPED = '.git'

export class FilesByContent {
  readonly #paths = new Map<string, string>()
  readonly #walk: Generator<[name: string, path: string]>

  /** Of the project of the entries. */
  constructor(entries: Entries) {
    this.#walk = walk(entries)
  }

  /** Returns an absolute path; undefined if no file has the content that the name says. */
  find(name: string): string | undefined {
    const known = this.#paths.get(name)
    if (known !== undefined) return known
    for (let next = this.#walk.next(); !next.done; next = this.#walk.next()) {
      const [found, path] = next.value
      if (!this.#paths.has(found)) this.#paths.set(found, path)
      if (found === name) return path
    }
    return undefined
  }
}

/** Yields the content name and the path of each file below the project's directory. Links are not followed. */
function* walk(entries: Entries): Generator<[string, string]> {
  const { project, store } = entries
  const { files } = store.environment
  const [left, late] = [project ? [project.dir] : [], [] as string[]]
  for (let directory = left.pop(); directory !== undefined; directory = left.pop() ?? late.pop()) {
    const parent = directory
    for (const { name, kind } of entries.attempt(undefined, () => files.listKinds(parent)) ?? []) {
      // The name is not UTF-8, so no one can ask for the file.
      if (name.startsWith('\0')) continue
      const path = join(directory, name)
      if (kind === 'directory' && name !== SKIPPED) (name === LATE ? late : left).push(path)
      else if (kind === 'file') {
        const content = contentName(entries, path)
        if (content !== undefined) yield [content, path]
      }
    }
  }
}
