// The root directory: where it is by default, whether it may be used, and how it is made.

import { basename, join } from 'node:path'
import { CacheError } from '../base/errors.js'
import { CACHE_TAG, type Layout } from '../base/layout.js'
import type { FileStat, Files } from '../files/files.js'

/**
 * `$WICKED_CACHE_DIR`, else `wicked-cache` in the platform's user cache directory: `$XDG_CACHE_HOME` or `~/.cache`,
 * `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows.
 */
export function defaultDir(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (env.WICKED_CACHE_DIR) return env.WICKED_CACHE_DIR
  const home = findHome()
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'wicked-cache')
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'wicked-cache', 'Cache')
  return join(env.XDG_CACHE_HOME || join(home, '.cache'), 'wicked-cache')
}

/** A user without a home directory gets one that cannot be made: the cache is broken then, its host is not. */
function findHome(): string {
  try {
    return process.getBuiltinModule('node:os').homedir()
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SYSTEM_ERROR') throw error
    return '/nonexistent'
  }
}

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

/**
 * Why the root cannot be used, undefined when it can or does not exist yet. A directory that holds anything else is
 * refused, because a gc removes files; with a `user`, so is one that others could put forged values into.
 */
export function rootProblem(files: Files, layout: Layout, user: User | undefined): CacheError | undefined {
  const refuse = (why: string, cause?: unknown) =>
    new CacheError('ERR_CACHE_ROOT', `The cache directory ${layout.root} ${why}.`, { value: layout.root, cause })
  try {
    const stat = files.stat(layout.root)
    if (!stat) return undefined
    if (stat.kind !== 'directory') return refuse('is not a directory')
    const danger = user && dangerOf(stat, user)
    if (danger) return refuse(`${danger}; trustRoot, or ${TRUST_ROOT}=1, allows it`)
    if (files.stat(layout.version) || files.stat(layout.tag)) return undefined
    // The configuration may be written before the cache is.
    const names = (files.list(layout.root) ?? []).filter(name => name !== basename(layout.config))
    // Another process may have made it between the two looks.
    const isOurs = names.length === 0 || [layout.version, layout.tag].some(path => names.includes(basename(path)))
    return isOurs ? undefined : refuse('holds other files and is no cache')
  } catch (error) {
    return refuse('cannot be read', error)
  }
}

const WRITABLE_BY_GROUP = 0o020
const WRITABLE_BY_OTHERS = 0o002

/**
 * Who else could write to the root, undefined for nobody: whoever can forge entries decides what plugins believe. The
 * superuser could anyway. A directory made under umask 002 is writable by its owner's private group, which has the owner's
 * number and nobody else in it; any other group counts as others. The sticky bit does not help: it keeps others from
 * removing what is there, not from making a version directory before this process does.
 */
function dangerOf({ owner, group, mode }: FileStat, user: User): string | undefined {
  if (owner !== user.id && owner !== 0) return `belongs to another user (${owner}, not ${user.id})`
  if (mode & WRITABLE_BY_OTHERS) return 'can be written to by every user'
  const isPrivateGroup = group === user.group && group === user.id
  return mode & WRITABLE_BY_GROUP && !isPrivateGroup ? `can be written to by group ${group}` : undefined
}

/**
 * Makes the root and tags it, so that backups skip it.
 *
 * @throws errno-style errors; CacheError `ERR_CACHE_ROOT` when something else has taken its place
 */
export function prepareRoot(files: Files, layout: Layout, user: User | undefined): void {
  const expectGood = () => {
    const problem = rootProblem(files, layout, user)
    if (problem) throw problem
  }
  expectGood()
  if (files.stat(layout.tag)) return
  files.makeDirectory(layout.root)
  // Somebody else may have made it between the two calls.
  expectGood()
  files.createFile(layout.tag, CACHE_TAG)
}
