// The root directory: where it is by default, whether it may be used, whether it is still the same one, and how it is made.

import { join, resolve, sep } from 'node:path'
import { CacheError, errnoOf } from '../base/errors.js'
import { CACHE_TAG, type Layout } from '../base/layout.js'
import type { FileStat, Files } from '../files/files.js'
import { dangerOf, dangerOfLinks, FOREIGN, HOW_TO_ALLOW, isTrueOnRetry, type User } from './dangers.js'
import { dangerAbove, isBlank, whyNotOurs } from './ownership.js'

/**
 * `$WICKED_CACHE_DIR`, else `wicked-cache` in the platform's user cache directory: `$XDG_CACHE_HOME` or `~/.cache`,
 * `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows. Only the first may be relative to the working directory: a
 * cache that is another one in each directory serves none of them, and a cloned repository could bring it along.
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

/** On any platform, so that the paths of each can be tested on all. */
function isAbsolute(path: string | undefined): boolean {
  return path !== undefined && /^(?:[\\/]|[a-z]:[\\/])/i.test(path)
}

/** As the option `dir`: a cache in memory, of this process and thread alone. */
export const MEMORY = ':memory:'
/** What roots of caches in memory begin with: paths where nothing is on the real disk. */
export const MEMORY_ROOTS = join(resolve('/'), MEMORY, sep)
let memoryRootCount = 0

export function newMemoryRoot(): string {
  return MEMORY_ROOTS + ++memoryRootCount
}

/** A user without a home directory gets one that cannot be made: the cache is broken then, its host is not. */
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

/** Undefined where files have no owner and no permission bits. */
export function currentUser(): User | undefined {
  try {
    const id = process.geteuid?.()
    const group = process.getegid?.()
    return id === undefined || group === undefined ? undefined : { id, group }
  } catch {
    // Not allowed, as in Deno without --allow-sys. Any root may be another user's then.
    return { id: -1, group: -1 }
  }
}

/** The root as it is now: what is at its path, and where that leads if it is a link. */
interface Identity {
  link: FileStat | undefined
  target: FileStat | undefined
  /** Why it cannot be looked at. */
  failure?: unknown
}

/**
 * The root of an open cache, which may be removed, replaced or taken over by another user at any time: whoever can put forged
 * entries into it decides what plugins believe.
 */
export class Root {
  readonly #files: Files
  readonly #layout: Layout
  readonly #user: User | undefined
  #known: Identity = { link: undefined, target: undefined }
  /** Whether the last look failed, so that the root is looked at again even if unchanged. */
  #isUnsure = false
  /** Whether it was found to be a cache's. */
  #isOurs = false
  /** Why it cannot be used, as of the last look; undefined when it can, or is not there yet. */
  problem: CacheError | undefined
  /** Goes up when another directory is found in its place. */
  generation = 0

  /** With a `user`, a root that others could write to is refused. */
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

  /** Looks whether anything about it has changed since the last look. */
  hasChanged(): boolean {
    const now = this.#identify()
    // While it cannot be looked at, nothing else can be opened in it either.
    if (now.failure || (isSame(now, this.#known) && !this.#isUnsure)) return false
    this.#judge(now)
    return true
  }

  /**
   * Makes the root and tags it as this library's.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_ROOT` when it cannot be used, or something else has taken its place
   */
  prepare(): void {
    const { root, tag } = this.#layout
    this.assertOurs()
    if (this.#known.target && this.#files.stat(tag)) return
    this.#files.makeDirectory(root)
    // Another user may have made it between the two calls.
    this.assertOurs()
    this.#files.createFile(tag, CACHE_TAG)
  }

  /**
   * Before anything is made or removed in it, which must not be done to a directory of somebody else.
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
