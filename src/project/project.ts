// Finds the project that a directory belongs to.
//
// A cache in node_modules/.cache belongs to the project that contains it. A shared cache has to find the project: the project
// is the nearest directory at or above the working directory that holds a package.json or .git, as for find-cache-dir
// (https://github.com/sindresorhus/find-cache-dir).

import { dirname, parse, sep } from 'node:path'
import { childOf } from '../base/child.js'
import { errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'

export interface Project {
  /** Its real path: what the project is known by. */
  readonly dir: string
  /** The outermost directory with a marker, at or above `dir`: files below it are named relative to `dir`. */
  readonly top: string
  /** The directory as it was given, if it is another path to the same directory. */
  readonly alias: string | undefined
}

/** Looks for the outermost directory only when it is needed. A process that only reads entries never needs it. */
class FoundProject implements Project {
  readonly dir: string
  readonly alias: string | undefined
  readonly #findTop: (dir: string) => string
  #top: string | undefined

  constructor(dir: string, alias: string | undefined, findTop: (dir: string) => string) {
    this.dir = dir
    this.alias = alias
    this.#findTop = findTop
  }

  get top(): string {
    this.#top ??= this.#findTop(this.dir)
    return this.#top
  }
}

/** What a key belongs to: the user, one project, or every checkout. */
export const SCOPES = ['user', 'project', 'portable'] as const
export type Scope = (typeof SCOPES)[number]

const MARKERS = ['package.json', '.git']

/** Finds projects, and looks at each directory once. */
export class Projects {
  readonly #files: Files
  readonly #byDirectory = new Map<string, Project | undefined>()
  #shared: readonly string[] | undefined

  constructor(files: Files) {
    this.#files = files
  }

  /**
   * Returns the project of a working directory; undefined in directories that hold all kinds of things: `/`, home and the
   * temporary root.
   */
  of(directory: string): Project | undefined {
    const known = this.#byDirectory.get(directory)
    if (known || this.#byDirectory.has(directory)) return known
    const project = this.#find(directory)
    this.#byDirectory.set(directory, project)
    return project
  }

  /** Returns the project that a caller names. A link is followed to its current target. */
  at(directory: string): Project {
    const name = `at ${directory}`
    const known = this.#byDirectory.get(name)
    if (known && known.alias === undefined) return known
    const dir = this.#realPath(directory)
    if (known?.dir === dir) return known
    const project = this.#describe(dir, dir === directory ? undefined : directory)
    this.#byDirectory.set(name, project)
    return project
  }

  #find(directory: string): Project | undefined {
    const start = this.#realPath(directory)
    const alias = start === directory ? undefined : directory
    for (let dir = start; ; dir = dirname(dir)) {
      if (this.#isProject(dir, start)) return this.#describe(dir, dir === start ? alias : undefined)
      if (dirname(dir) === dir) return this.#isShared(start) ? undefined : this.#describe(start, alias)
    }
  }

  #describe(dir: string, alias: string | undefined): Project {
    return new FoundProject(dir, alias, () => this.#findTop(dir))
  }

  #findTop(dir: string): string {
    let top = dir
    for (let above = dirname(dir); above !== dirname(above); above = dirname(above)) {
      if (this.#isProject(above, dir)) top = above
    }
    return top
  }

  #isProject(dir: string, start: string): boolean {
    return (dir === start || !this.#isShared(dir)) && MARKERS.some(marker => this.#exists(childOf(dir, marker)))
  }

  /** Whether the directory holds all kinds of things: a marker there says nothing about what lies below. */
  #isShared(dir: string): boolean {
    this.#shared ??= sharedDirectories().map(each => this.#realPath(each))
    return dir === parse(dir).root || this.#shared.includes(dir)
  }

  #exists(path: string): boolean {
    try {
      return this.#files.stat(path) !== undefined
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return false
    }
  }

  #realPath(path: string): string {
    try {
      return this.#files.realPath(path) ?? path
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return path
    }
  }
}

/** Taken from the environment, since loading node:os takes 0.2 ms. */
function sharedDirectories(): string[] {
  const { HOME, USERPROFILE, TMPDIR, TMP, TEMP } = process.env
  const posix = process.platform === 'win32' ? [] : ['/tmp', '/var/tmp']
  const home = HOME || USERPROFILE || homeOfUser()
  return [home, TMPDIR, TMP, TEMP, ...posix].flatMap(each => (each ? stripped(each) : []))
}

function homeOfUser(): string | undefined {
  try {
    return process.getBuiltinModule('node:os').homedir()
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SYSTEM_ERROR') throw error
    return undefined
  }
}

/** Returns the path without separators at its end. */
function stripped(path: string): string {
  const { root } = parse(path)
  let end = path.length
  while (end > root.length && (path[end - 1] === sep || path[end - 1] === '/')) end--
  return path.slice(0, end)
}

/** Returns undefined if the working directory was removed. */
export function workingDirectory(): string | undefined {
  try {
    return process.cwd()
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}
