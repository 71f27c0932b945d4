// Which file of a checkout has a content: analyses with `anywhere` are kept by that alone, and to name their answers in a store
// takes all of it. A checkout is walked as far as it takes to find what is asked for.

import { join } from 'node:path'
import { contentName } from '../entries/content-name.js'
import type { Entries } from '../entries/entries.js'

/** Looked into last: what a project depends on is the most of it. */
const LATE = 'node_modules'
const SKIPPED = '.git'

export class FilesByContent {
  readonly #paths = new Map<string, string>()
  readonly #walk: Generator<[name: string, path: string]>

  /** Of the project of the entries. */
  constructor(entries: Entries) {
    this.#walk = walk(entries)
  }

  /** Absolute; undefined where no file has the content that the name says. */
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

/** All files below the project's directory, by the names of their contents. Links are not followed. */
function* walk(entries: Entries): Generator<[string, string]> {
  const { project, store } = entries
  const { files } = store.environment
  const [left, late] = [project ? [project.dir] : [], [] as string[]]
  for (let directory = left.pop(); directory !== undefined; directory = left.pop() ?? late.pop()) {
    const parent = directory
    for (const { name, kind } of entries.attempt(undefined, () => files.listKinds(parent)) ?? []) {
      // No UTF-8: it can't be asked for.
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
