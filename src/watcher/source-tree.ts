// The watched sources, by the parts of their paths: a change to a directory concerns all that lies below it.
//
// Names are folded where the usual file systems ignore case and normal forms: an event gives the name on disk, an entry
// the one that a caller wrote. What is found too much costs a look at a file.

import { sep } from 'node:path'
import type { FileStat } from '../files/files.js'

export interface WatchedSource<User> {
  /** Absolute, as the entries have it. */
  readonly path: string
  readonly users: Set<User>
  /** Its stat when all users were found fresh by it, unless another change could leave the same; null: it was absent. */
  proved: FileStat | null | undefined
}

interface Level<User> {
  readonly below: Map<string, Level<User>>
  source: WatchedSource<User> | undefined
}

const IGNORES_CASE = process.platform === 'win32' || process.platform === 'darwin'

function fold(path: string): string {
  return IGNORES_CASE ? path.normalize('NFC').toLowerCase() : path
}

/** Whether the path is the directory's or lies below it; both absolute and normalized. */
export function isWithin(path: string, directory: string): boolean {
  const [inner, outer] = [fold(path), fold(directory)]
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}

export class SourceTree<User> {
  readonly #root: Level<User> = { below: new Map(), source: undefined }
  #size = 0

  /** How many sources there are. */
  get size(): number {
    return this.#size
  }

  /** Makes the user one of the source's. */
  add(path: string, user: User): WatchedSource<User> {
    let level = this.#root
    for (const part of fold(path).split(sep)) {
      let next = level.below.get(part)
      if (!next) {
        next = { below: new Map(), source: undefined }
        level.below.set(part, next)
      }
      level = next
    }
    if (!level.source) {
      level.source = { path, users: new Set(), proved: undefined }
      this.#size++
    }
    level.source.users.add(user)
    return level.source
  }

  /** Ends that; a source without users is forgotten. */
  remove(source: WatchedSource<User>, user: User): void {
    if (!source.users.delete(user) || source.users.size > 0) return
    const way: [Level<User>, string][] = []
    let level: Level<User> | undefined = this.#root
    for (const part of fold(source.path).split(sep)) {
      way.push([level, part])
      level = level.below.get(part)
      if (!level) return
    }
    level.source = undefined
    this.#size--
    for (const [above, part] of way.reverse()) {
      const next = above.below.get(part)
      if (!next || next.source || next.below.size > 0) return
      above.below.delete(part)
    }
  }

  at(path: string): WatchedSource<User> | undefined {
    return this.#levelAt(path)?.source
  }

  /** The sources at and below a path. */
  *within(path: string): IterableIterator<WatchedSource<User>> {
    const level = this.#levelAt(path)
    if (level) yield* sourcesOf(level)
  }

  all(): IterableIterator<WatchedSource<User>> {
    return sourcesOf(this.#root)
  }

  #levelAt(path: string): Level<User> | undefined {
    let level: Level<User> | undefined = this.#root
    for (const part of fold(path).split(sep)) {
      level = level.below.get(part)
      if (!level) return undefined
    }
    return level
  }
}

function* sourcesOf<User>(level: Level<User>): IterableIterator<WatchedSource<User>> {
  if (level.source) yield level.source
  for (const next of level.below.values()) yield* sourcesOf(next)
}
