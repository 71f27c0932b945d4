// The root directory: where it is by default, whether it may be used, and how it is made.

import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { CacheError, errnoOf } from '../base/errors.js'
import { CACHE_TAG, type Layout } from '../base/layout.js'
import type { Files } from '../files/files.js'

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
    return homedir()
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SYSTEM_ERROR') throw error
    return '/nonexistent'
  }
}

/**
 * Why the root cannot be used, undefined when it can or does not exist yet. A directory that holds anything else is
 * refused, because a gc removes files.
 */
export function rootProblem(files: Files, layout: Layout): CacheError | undefined {
  const refuse = (why: string, cause?: unknown) =>
    new CacheError('ERR_CACHE_ROOT', `The cache directory ${layout.root} ${why}.`, { value: layout.root, cause })
  try {
    const stat = files.stat(layout.root)
    if (!stat) return undefined
    if (stat.kind !== 'directory') return refuse('is not a directory')
    if (files.stat(layout.version) || files.stat(layout.tag)) return undefined
    const names = files.list(layout.root) ?? []
    // Another process may have made it between the two looks.
    const isOurs = names.length === 0 || [layout.version, layout.tag].some(path => names.includes(basename(path)))
    return isOurs ? undefined : refuse('holds other files and is no cache')
  } catch (error) {
    return refuse('cannot be read', error)
  }
}

/**
 * Makes the root and tags it, so that backups skip it.
 *
 * @throws errno-style errors; CacheError `ERR_CACHE_ROOT` when something else has taken its place
 */
export function prepareRoot(files: Files, layout: Layout): void {
  if (files.stat(layout.tag)) return
  const problem = rootProblem(files, layout)
  if (problem) throw problem
  files.makeDirectory(layout.root)
  try {
    files.createFile(layout.tag, CACHE_TAG)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}
