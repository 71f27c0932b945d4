// The root directory: where it is by default, whether it may be used, whether it is still the same one, and how it is made.

import { basename, dirname, join } from 'node:path'
import { CacheError, errnoOf } from '../base/errors.js'
import { CACHE_TAG, FRAME, FRAME_MAGIC, type Layout } from '../base/layout.js'
import type { FileStat, Files } from '../files/files.js'

/**
 * `$WICKED_CACHE_DIR`, else `wicked-cache` in the platform's user cache directory: `$XDG_CACHE_HOME` or `~/.cache`,
 * `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows. Only the first may be relative to the working directory: a
 * cache that is another one in each directory serves none of them, and a cloned repository could bring it along.
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

/** The environment's way to allow a root that is not this user's alone. */
export const TRUST_ROOT = 'WICKED_CACHE_TRUST_ROOT'

/** Who this process acts as. */
export interface User {
  id: number
  group: number
}

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
  /** Whether it could not be judged, and is to be looked at again even if it has not changed. */
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
    const why = this.#known.target ? this.#whyNotOurs() : this.#dangerAbove()
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
    const danger = this.#dangerOf(target) ?? this.#dangerOfLinks()
    if (danger) return `${danger}; trustRoot, or ${TRUST_ROOT}=1, allows it`
    const { version, tag } = this.#layout
    const isUsable = () => [version, tag].some(path => this.#files.linkStat(path)) || this.#isBlank()
    return isTrueAtLast(isUsable) ? undefined : FOREIGN
  }

  /**
   * Who else could write to it, undefined for nobody; the superuser could anyway. A group counts as others even where it has
   * the user's number: an access list that lets others in shows as the group's bits. The sticky bit does not help: it keeps
   * others from removing what is there, not from making what is not.
   */
  #dangerOf({ owner, group, mode }: FileStat): string | undefined {
    const user = this.#user
    if (!user) return undefined
    if (owner !== user.id && owner !== 0) return `belongs to another user (${owner}, not ${user.id})`
    if (mode & WRITABLE_BY_OTHERS) return 'can be written to by every user'
    return mode & WRITABLE_BY_GROUP ? `can be written to by group ${group}` : undefined
  }

  /** Another user's link could lead to a directory of this user's that holds forged values, such as an unpacked archive. */
  #dangerOfLinks(): string | undefined {
    const user = this.#user
    if (!user) return undefined
    for (let path = this.#layout.root; ; path = dirname(path)) {
      const stat = this.#unlessHidden(path, () => this.#files.linkStat(path))
      if (stat?.kind === 'other' && stat.owner !== user.id && stat.owner !== 0) {
        return `is reached through a link of another user (${stat.owner}, not ${user.id})`
      }
      if (dirname(path) === path) return undefined
    }
  }

  /** What a permission model hides from this process above the root can't be judged. */
  #unlessHidden(path: string, look: () => FileStat | undefined): FileStat | undefined {
    try {
      return look()
    } catch (error) {
      if (errnoOf(error) === 'ERR_ACCESS_DENIED' && path !== this.#layout.root) return undefined
      throw error
    }
  }

  /** Of a root that is to be made: its place must not be one that others could take, nor another user's. */
  #dangerAbove(): string | undefined {
    const danger = this.#dangerOfLinks()
    if (danger) return `${danger}; trustRoot, or ${TRUST_ROOT}=1, allows it`
    for (let path = dirname(this.#layout.root); ; path = dirname(path)) {
      const stat = this.#unlessHidden(path, () => this.#files.stat(path))
      if (stat) {
        // In a sticky directory nobody can take what is another's.
        const above = this.#dangerOf(stat.mode & STICKY ? { ...stat, mode: 0 } : stat)
        return above && `cannot be made: ${path} ${above}; trustRoot, or ${TRUST_ROOT}=1, allows it`
      }
      if (dirname(path) === path) return undefined
    }
  }

  /** A directory is a cache's root when its tag or a pack in it says so: a gc removes files, a repair moves them. */
  #whyNotOurs(): string | undefined {
    const isOurs = () => this.#isTagged() || this.#isBlank() || this.#hasOwnPack()
    return isTrueAtLast(isOurs) ? undefined : FOREIGN
  }

  #isTagged(): boolean {
    const { tag } = this.#layout
    const stat = this.#files.linkStat(tag)
    const isReadable = stat?.kind === 'file' && stat.sizeBytes <= MAX_TAG_BYTES
    return isReadable && this.#files.readFile(tag)?.includes('wicked-cache') === true
  }

  /** Whether there is nothing in it but what comes with a volume, or is written before the cache is. */
  #isBlank(): boolean {
    const { root, tag, config, version } = this.#layout
    // The tag's maker has not written it yet, or was killed.
    const isEmptyTag = this.#files.linkStat(tag)?.sizeBytes === 0
    const own = [basename(config), ...(isEmptyTag ? [basename(tag), basename(version)] : [])]
    return (this.#files.list(root) ?? []).every(name => own.includes(name) || COMES_WITH_A_VOLUME.test(name))
  }

  #hasOwnPack(): boolean {
    const { packs } = this.#layout
    return (this.#files.list(packs) ?? []).some(name => {
      const stat = this.#files.linkStat(join(packs, name))
      if (stat?.kind !== 'file') return false
      const fd = this.#files.open(join(packs, name), 'read')
      try {
        const start = Buffer.alloc(OPEN_FRAME_BYTES)
        this.#files.read(fd, start, 0, start.length, 0)
        return start.readUInt16LE(4) === FRAME_MAGIC && start[6] === FRAME.open && start.includes('blobs/packs/')
      } finally {
        this.#files.close(fd)
      }
    })
  }
}

/** Another process may be making it between two looks: so what seems foreign is looked at again. */
function isTrueAtLast(look: () => boolean): boolean {
  return look() || look()
}

const FOREIGN = 'holds other files and is no cache'
const WRITABLE_BY_GROUP = 0o020
const WRITABLE_BY_OTHERS = 0o002
const STICKY = 0o1000
const MAX_TAG_BYTES = 65_536
const OPEN_FRAME_BYTES = 64
/** Of file systems, file managers and version control. */
const COMES_WITH_A_VOLUME =
  /^(?:lost\+found|\.DS_Store|\.git(?:keep|ignore)|\.keep|Thumbs\.db|desktop\.ini|\.Trash(?:es|-\d+)|\.fseventsd|\.Spotlight-V100|\.TemporaryItems|System Volume Information|\$RECYCLE\.BIN|\.nfs[0-9a-f]+|\.snapshots?)$/i

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
