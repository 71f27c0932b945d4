// The watched sources as a tree of path segments, because a change to a directory affects everything below it.
//
// On systems whose file systems usually ignore case and Unicode normal forms, names are folded: an event has the name on
// disk, an entry the name that the caller wrote. A false match only costs a check of a file.

import { sep } from 'node:path'
import type { FileStat } from '../files/files.js'

export interface WatchedSource<User> {
  /** The absolute path, as the entries have it. */
  readonly path: string
  readonly users: Set<User>
  /** Its stat when all users were fresh, if any later change would alter it; null: it didn't exist. */
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

/** Whether the path is the directory or below it. Both are absolute and normalized. */
export function isWithin(path: string, directory: string): boolean {
  const [inner, outer] = [fold(path), fold(directory)]
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}

export class SourceTree<User> {
  readonly #root: Level<User> = { below: new Map(), source: undefined }
  #size = 0

  /** The number of sources. */
  get size(): number {
    return this.#size
  }

  /** Adds a user to the source at the path. */
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

  /** Removes a user. A source without users is removed as well. */
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

  /** The sources at a path and below it. */
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
