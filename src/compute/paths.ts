// Checks and resolves the paths that callers pass.

import { basename, dirname, join, resolve } from 'node:path'
import type { PathLike } from '../api/index.js'
import { errnoOf } from '../base/errors.js'
import { refuseOption } from '../base/options.js'
import type { Files } from '../files/files.js'
import { isPlainPath } from './plain-path.js'

/** Whether a path is relative is part of what a computation depends on. */
export interface GivenPath {
  /** The path as the caller passed it, for `node:fs`. */
  given: string
  absolute: string
  isRelative: boolean
  /** Whether the path goes up from the target of a link. It leads elsewhere once the link changes, so it can't be recorded. */
  isThroughLink: boolean
}

/** A name, then `..`. */
const GOES_DOWN_AND_UP = /[^/]\/+(?:\.\/+)*\.\.(?:\/|$)/
const LEADING_UPS = /^\/*(?:\.{1,2}\/+)*/

/** @throws CacheError `ERR_CACHE_OPTION` for what is no path */
export function givenPath(files: Files, path: unknown): GivenPath {
  const given = pathText(path)
  // As node:fs does with text that isn't well-formed.
  const text = given.isWellFormed() ? given : given.toWellFormed()
  const absolute = resolved(text)
  const isRelative = !isAbsoluteLike(text, absolute)
  const elsewhere = mayPassLink(text) ? placeThroughLinks(files, text, absolute) : noDirectory(files, text, absolute)
  return { given, absolute: elsewhere ?? absolute, isRelative, isThroughLink: elsewhere !== undefined }
}

/** Windows removes `..` and the name before it without checking what the name is. */
function mayPassLink(path: string): boolean {
  return path.includes('..') && process.platform !== 'win32' && GOES_DOWN_AND_UP.test(path.replace(LEADING_UPS, ''))
}

/** A slash at the end asks for a directory. If the path is a file, it leads nowhere. */
function noDirectory(files: Files, path: string, absolute: string): string | undefined {
  if (!/[\\/]\.?$/.test(path)) return undefined
  try {
    return files.stat(absolute)?.kind === 'file' ? `\0${path}` : undefined
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}

/**
 * Where the system resolves the path; undefined if that is what the text says. A name that no file can have stands for nothing.
 */
function placeThroughLinks(files: Files, path: string, absolute: string): string | undefined {
  const isUp = basename(path) === '..'
  const [directory, expected] = isUp ? [path, absolute] : [dirname(path), dirname(absolute)]
  try {
    const found = files.realPath(directory)
    if (found === files.realPath(expected)) return undefined
    return found === undefined ? `\0${path}` : isUp ? found : join(found, basename(path))
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return `\0${path}`
  }
}

/** If the working directory was removed, a relative path leads nowhere. A name that no file can have stands for it. */
function resolved(path: string): string {
  // A third of the time that the general way takes.
  if (isPlainPath(path)) return path
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

/** Whether a value is a URL of any realm. */
function isUrl(value: unknown): value is URL {
  if (typeof value !== 'object' || value === null) return false
  const { href, protocol } = value as Partial<URL>
  return typeof href === 'string' && typeof protocol === 'string'
}

/** One path, or many. @throws CacheError `ERR_CACHE_OPTION` */
export function givenPaths(files: Files, paths: PathLike | Iterable<PathLike>): GivenPath[] {
  const isMany = typeof paths === 'object' && paths !== null && !isUrl(paths) && Symbol.iterator in paths
  const list: PathLike[] = isMany ? [...(paths as Iterable<PathLike>)] : [paths as PathLike]
  // The content of a data: URL is part of the URL.
  return list.filter(path => !(isUrl(path) && path.protocol === 'data:')).map(path => givenPath(files, path))
}
