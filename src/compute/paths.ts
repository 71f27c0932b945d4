// Paths as callers give them.

import { resolve } from 'node:path'
import type { PathLike } from '../api/index.js'
import { errnoOf } from '../base/errors.js'
import { refuseOption } from '../base/options.js'

/** Whether a path is relative is part of what a computation depends on. */
export interface GivenPath {
  /** As it was given, for `node:fs`. */
  given: string
  absolute: string
  isRelative: boolean
}

/** @throws CacheError `ERR_CACHE_OPTION` for what is no path */
export function givenPath(path: unknown): GivenPath {
  const given = pathText(path)
  // As node:fs does with what is no well-formed text.
  const text = given.isWellFormed() ? given : given.toWellFormed()
  const absolute = resolved(text)
  return { given, absolute, isRelative: !isAbsoluteLike(text, absolute) }
}

/** In a working directory that was removed, a relative path is that of nothing: a name that no file can have stands for it. */
function resolved(path: string): string {
  try {
    return resolve(path)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return `\0${path}`
  }
}

function isAbsoluteLike(text: string, absolute: string): boolean {
  if (process.platform !== 'win32') return text.startsWith('/')
  // `\\dir` and `C:dir` depend on the working directory as well.
  return /^(?:[a-z]:[\\/]|[\\/]{2})/i.test(text) || text === absolute
}

function pathText(path: unknown): string {
  if (typeof path === 'string') {
    if (path !== '') return path
  } else if (isUrl(path)) {
    if (path.protocol === 'file:') return process.getBuiltinModule('node:url').fileURLToPath(path)
    throw refuseOption('A file must be given as a path or as a file: URL.', path.href)
  }
  throw refuseOption('A file must be given as a path or as a file: URL.', path)
}

/** Of any realm. */
function isUrl(value: unknown): value is URL {
  if (typeof value !== 'object' || value === null) return false
  const { href, protocol } = value as Partial<URL>
  return typeof href === 'string' && typeof protocol === 'string'
}

/** One path, or many. @throws CacheError `ERR_CACHE_OPTION` */
export function givenPaths(paths: PathLike | Iterable<PathLike>): GivenPath[] {
  const isMany = typeof paths === 'object' && paths !== null && !isUrl(paths) && Symbol.iterator in paths
  const list: PathLike[] = isMany ? [...(paths as Iterable<PathLike>)] : [paths as PathLike]
  // What a data: URL holds stands in itself.
  return list.filter(path => !(isUrl(path) && path.protocol === 'data:')).map(givenPath)
}
