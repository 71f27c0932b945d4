// The root directory: where it is by default, whether it may be used, whether it was replaced, and how it is created.

import { join, resolve, sep } from 'node:path'
import { CacheError, errnoOf } from '../base/errors.js'
import { CACHE_TAG, type Layout } from '../base/layout.js'
import type { FileStat, Files } from '../files/files.js'
import { dangerOf, dangerOfLinks, FOREIGN, HOW_TO_ALLOW, isTrueOnRetry, type User } from './dangers.js'
import { dangerAbove, isBlank, whyNotOurs } from './ownership.js'

/**
 * `$WICKED_CACHE_DIR`, else `wicked-cache` in the platform's user cache directory: `$XDG_CACHE_HOME` or `~/.cache`,
 * `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows. Only `$WICKED_CACHE_DIR` may be relative to the working directory:
 * with the others, each directory would have a cache of its own, and a cloned repository could bring one along.
 *
 * @example
 * console.log(defaultDir()) // such as /home/ada/.cache/wicked-cache
 */
export function defaultDir(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  const given = env.WICKED_CACHE_DIR
  if (given === '~' || given?.startsWith('~/')) return join(findHome(), given.slice(1))
  if (given) return given
  const home = findHome()
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'wicked-cache')
  if (platform === 'win32') {
    const local = isAbsolute(env.LOCALAPPDATA) ? (env.LOCALAPPDATA as string) : join(home, 'AppData', 'Local')
    return join(local, 'wicked-cache', 'Cache')
  }
  const caches = isAbsolute(env.XDG_CACHE_HOME) ? (env.XDG_CACHE_HOME as string) : join(home, '.cache')
  return join(caches, 'wicked-cache')
}

/** Takes the platform as an argument, so that all of them can be tested on any. */
function isAbsolute(path: string | undefined): boolean {
  return path !== undefined && /^(?:[\\/]|[a-z]:[\\/])/i.test(path)
}

/** The value of the option `dir` for a cache in memory, which only this thread sees. */
export const MEMORY = ':memory:'
/** The prefix of the roots of caches in memory. Nothing has such a path on the real disk. */
export const MEMORY_ROOTS = join(resolve('/'), MEMORY, sep)
let memoryRootCount = 0

export function newMemoryRoot(): string {
  return MEMORY_ROOTS + ++memoryRootCount
}

/** Without a home directory, returns a directory that can't be created: the cache is then broken, but its host isn't. */
function findHome(): string {
  const { homedir, userInfo } = process.getBuiltinModule('node:os')
  try {
    const home = homedir()
    if (isAbsolute(home)) return home
    // $HOME is empty or relative.
    const own = userInfo().homedir
    return isAbsolute(own) ? own : NO_HOME
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SYSTEM_ERROR') throw error
    return NO_HOME
  }
}

const NO_HOME = '/nonexistent'

/** Returns undefined on platforms without owners and permission bits. */
export function currentUser(): User | undefined {
  try {
    const id = process.geteuid?.()
    const group = process.getegid?.()
    return id === undefined || group === undefined ? undefined : { id, group }
  } catch {
    // Not allowed, as in Deno without --allow-sys. Then any root may be another user's.
    return { id: -1, group: -1 }
  }
}

/** The current state of the root: what is at its path, and where it leads if it is a link. */
interface Identity {
  link: FileStat | undefined
  target: FileStat | undefined
  /** Why the root can't be checked. */
  failure?: unknown
}

/**
 * The root of an open cache. It may be removed, replaced or taken over by another user at any time. Whoever can write to it can
 * forge what plugins read.
 */
export class Root {
  readonly #files: Files
  readonly #layout: Layout
  readonly #user: User | undefined
  #known: Identity = { link: undefined, target: undefined }
  /** Whether the last check failed, so that the root is checked again even if it is unchanged. */
  #isUnsure = false
  /** Whether the root was found to be a cache. */
  #isOurs = false
  /** Why the root can't be used, as of the last check; undefined if it can, or doesn't exist yet. */
  problem: CacheError | undefined
  /** Incremented when the root was replaced by another directory. */
  generation = 0

  /** If `user` is given, a root that others could write to is refused. */
  constructor(files: Files, layout: Layout, user: User | undefined) {
    this.#files = files
    this.#layout = layout
    this.#user = user
    this.#judge(this.#identify())
    this.generation = 0
  }

  /** Owner, group and mode of the directory. */
  get access(): FileStat | undefined {
    return this.#known.target
  }

  /** Checks whether anything about the root has changed since the last check. */
  hasChanged(): boolean {
    const now = this.#identify()
    // While the root can't be checked, nothing in it can be opened either.
    if (now.failure || (isSame(now, this.#known) && !this.#isUnsure)) return false
    this.#judge(now)
    return true
  }

  /**
   * Creates the root and writes its tag.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_ROOT` when it cannot be used, or something else has taken its place
   */
  prepare(): void {
    const { root, tag } = this.#layout
    this.assertOurs()
    if (this.#known.target && this.#files.stat(tag)) return
    this.#files.makeDirectory(root)
    // Another user may have created it between the two calls.
    this.assertOurs()
    this.#files.createFile(tag, CACHE_TAG)
  }

  /**
   * Call this before anything is created or removed in the root: the directory must not belong to someone else.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_ROOT`
   */
  assertOurs(): void {
    const now = this.#identify()
    if (now.failure) throw now.failure
    if (this.#isUnsure || !isSame(now, this.#known)) {
      const why = this.#whyRefused(now)
      this.#settle(now, why === undefined ? undefined : this.#refusal(why))
    }
    if (this.#isOurs) return
    if (this.problem) throw this.problem
    const why = this.#known.target
      ? whyNotOurs(this.#files, this.#layout)
      : dangerAbove(this.#files, this.#layout.root, this.#user)
    if (why) throw this.#refusal(why)
    this.#isOurs = this.#known.target !== undefined
  }

  #identify(): Identity {
    const { root } = this.#layout
    try {
      const link = this.#files.linkStat(root)
      return { link, target: link?.kind === 'other' ? this.#files.stat(root) : link }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return { link: undefined, target: undefined, failure: error }
    }
  }

  #judge(now: Identity): void {
    try {
      if (now.failure) throw now.failure
      const why = this.#whyRefused(now)
      this.#settle(now, why === undefined ? undefined : this.#refusal(why))
    } catch (error) {
      this.#settle(now, this.#refusal('cannot be read', error), true)
    }
  }

  #settle(now: Identity, problem: CacheError | undefined, isUnsure = false): void {
    if (!isSameDirectory(this.#known.target, now.target)) this.generation++
    this.#known = now
    this.#isOurs = false
    this.#isUnsure = isUnsure
    this.problem = problem
  }

  #refusal(why: string, cause?: unknown): CacheError {
    const { root } = this.#layout
    return new CacheError('ERR_CACHE_ROOT', `The cache directory ${root} ${why}.`, { value: root, cause })
  }

  #whyRefused({ link, target }: Identity): string | undefined {
    if (!link) return undefined
    if (target?.kind !== 'directory') return 'is not a directory'
    const danger = dangerOf(this.#user, target) ?? dangerOfLinks(this.#files, this.#layout.root, this.#user)
    if (danger) return `${danger}; ${HOW_TO_ALLOW}`
    const { version, tag } = this.#layout
    const isUsable = () => [version, tag].some(path => this.#files.linkStat(path)) || isBlank(this.#files, this.#layout)
    return isTrueOnRetry(isUsable) ? undefined : FOREIGN
  }
}

function isSame(now: Identity, before: Identity): boolean {
  if (errnoOf(now.failure) !== errnoOf(before.failure)) return false
  return isSameThing(now.link, before.link) && (now.link === now.target || isSameThing(now.target, before.target))
}

function isSameThing(now: FileStat | undefined, before: FileStat | undefined): boolean {
  return (
    isSameDirectory(now, before) &&
    now?.mode === before?.mode &&
    now?.owner === before?.owner &&
    now?.group === before?.group
  )
}

function isSameDirectory(now: FileStat | undefined, before: FileStat | undefined): boolean {
  return now?.inode === before?.inode && now?.device === before?.device && now?.kind === before?.kind
}
