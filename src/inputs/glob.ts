// Globs as inputs. A glob depends on the names in each directory that it searches, filtered by its patterns. A file that
// doesn't match never makes a result stale. A new match, or a new directory to search, does.

import { join, resolve } from 'node:path'
import picomatch from 'picomatch'
import type { GlobOptions, PathLike } from '../api/index.js'
import { errnoOf } from '../base/errors.js'
import { assertOptions, refuseOption } from '../base/options.js'
import type { DirectoryItem, Files } from '../files/files.js'

/** One directory that a glob looks into; as JSON the `detail` of an input. */
interface GlobAt {
  /** The directory as the patterns see it: relative to the directory in which they start, with `/`; '' for that directory. */
  at: string
  patterns: readonly string[]
}

interface Matcher {
  isMatch(path: string): boolean
  /** Whether a directory may hold matches, in itself or below. */
  isOnTheWay(path: string): boolean
  /** The directories in which the search starts. */
  starts: string[]
}

const matchers = new Map<string, Matcher>()
const MAX_MATCHERS = 64

/** A backslash is no separator to picomatch on any system, so that equal patterns mean the same everywhere. */
const OPTIONS = { windows: false }

/**
 * The pattern with `/` between its parts. On Windows, one that begins like an absolute path with backslashes has them between
 * all of its parts: `C:\src\*.js`, `\\server\share\*.js`. In other patterns a backslash takes the meaning away from what follows.
 */
export function withSlashes(pattern: string, isWindows = process.platform === 'win32'): string {
  if (!isWindows || !/^!?(?:[a-z]:\\|\\\\)/i.test(pattern)) return pattern
  const [, not, path] = pattern.match(/^(!?)(.*)$/s) as [string, string, string]
  const plain = path.replace(/^\\\\\?\\unc\\/i, '\\\\').replace(/^\\\\\?\\/, '')
  return not + plain.replaceAll('\\', '/')
}

/** Whether a pattern, or a path in it, is absolute. */
export function isAbsolutePattern(pattern: string, isWindows = process.platform === 'win32'): boolean {
  return pattern.startsWith('/') || (isWindows && /^[a-z]:\//i.test(pattern))
}

export function globDetail(at: string, patterns: readonly string[]): string {
  return JSON.stringify({ at, patterns } satisfies GlobAt)
}

/** The patterns of a call, with slashes. @throws CacheError `ERR_CACHE_OPTION` */
export function checkPatterns(patterns: unknown): string[] {
  const given: unknown[] = typeof patterns === 'string' ? [patterns] : Array.isArray(patterns) ? patterns : ['']
  return given.map(pattern => {
    if (typeof pattern === 'string' && pattern !== '') return withSlashes(pattern)
    throw refuseOption('Glob patterns must be texts.', patterns)
  })
}

/** The directory that a call's patterns are from. @throws CacheError `ERR_CACHE_OPTION` */
export function checkDirectory(options: GlobOptions | undefined): PathLike {
  const { cwd = '.' } = assertOptions('glob', options, ['cwd'])
  if (cwd === '') throw refuseOption('cwd must be the path of a directory.', cwd)
  return cwd
}

/** The files that match, sorted. `select` is what `selectFrom` gives for the directory at the path. */
export function matchesBelow(
  directory: string,
  patterns: readonly string[],
  select: (path: string, at: string, matcher: Matcher) => readonly string[],
): string[] {
  const matcher = matcherOf(patterns)
  const found = new Set<string>()
  const walk = (at: string) => {
    const path = isAbsolutePattern(at) ? resolve(directory, at) : join(directory, at)
    for (const name of select(path, at, matcher)) {
      if (name.endsWith('/')) walk(joined(at, name.slice(0, -1)))
      else found.add(joined(at, name))
    }
  }
  for (const start of matcher.starts) walk(start)
  return [...found].sort()
}

/** The files that match, without recording inputs. A directory that can't be listed has none. */
export function plainGlob(files: Files, patterns: unknown, options?: GlobOptions): string[] {
  const cwd = checkDirectory(options)
  const directory = resolve(typeof cwd === 'string' ? cwd : process.getBuiltinModule('node:url').fileURLToPath(cwd))
  return matchesBelow(directory, checkPatterns(patterns), (path, at, matcher) => {
    try {
      return selectFrom(files.listKinds(path) ?? [], at, matcher)
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return []
    }
  })
}

/**
 * The items of a directory that an input with this detail depends on: matching files, and directories with `/` after their
 * names.
 */
export function selectByDetail(detail: string): (items: readonly DirectoryItem[]) => string[] {
  const { at, patterns } = JSON.parse(detail) as GlobAt
  const matcher = matcherOf(patterns)
  return items => selectFrom(items, at, matcher)
}

/** The directories in which a glob's search starts, as the patterns name them. */
export function startsOf(patterns: readonly string[]): string[] {
  return matcherOf(patterns).starts
}

export function selectFrom(items: readonly DirectoryItem[], at: string, matcher: Matcher): string[] {
  return items
    .flatMap(({ name, kind }) => {
      const path = joined(at, name)
      if (kind === 'directory') return matcher.isOnTheWay(path) ? `${name}/` : []
      return matcher.isMatch(path) ? name : []
    })
    .sort()
}

export function joined(at: string, name: string): string {
  return at === '' ? name : at.endsWith('/') ? `${at}${name}` : `${at}/${name}`
}

export function matcherOf(patterns: readonly string[]): Matcher {
  const key = JSON.stringify(patterns)
  const known = matchers.get(key)
  if (known) return known
  if (matchers.size >= MAX_MATCHERS) matchers.clear()
  const matcher = createMatcher(patterns)
  matchers.set(key, matcher)
  return matcher
}

function createMatcher(patterns: readonly string[]): Matcher {
  const negative = patterns.filter(isExclusion).map(pattern => pattern.slice(1))
  const positive = patterns.filter(pattern => !isExclusion(pattern)).map(pattern => pattern.replace(/^(?:\.\/)+/, ''))
  const includes = positive.map(includeOf)
  const excludes = negative.map(pattern => picomatch(pattern, { ...OPTIONS, dot: true }))
  const closed = negative.flatMap(pattern =>
    pattern.endsWith('/**') ? picomatch(pattern.slice(0, -3), { ...OPTIONS, dot: true }) : [],
  )
  const ways = positive.map(wayOf)
  return {
    isMatch: path => includes.some(matches => matches(path)) && !excludes.some(matches => matches(path)),
    isOnTheWay: path => ways.some(isOn => isOn(path)) && !closed.some(matches => matches(path)),
    starts: [...new Set(positive.map(startOf))],
  }
}

/** `!(a)` is a part of a pattern. */
function isExclusion(pattern: string): boolean {
  return pattern.startsWith('!') && !pattern.startsWith('!(')
}

/** A relative pattern finds nothing where an absolute one leads. */
function includeOf(pattern: string): (path: string) => boolean {
  const matches = picomatch(pattern, OPTIONS)
  const isAbsolute = isAbsolutePattern(pattern)
  return path => isAbsolutePattern(path) === isAbsolute && matches(path)
}

/** The part of a pattern before its first special character. */
function startOf(pattern: string): string {
  const { base, glob } = picomatch.scan(pattern)
  const escaped = glob === '' ? base.slice(0, Math.max(base.lastIndexOf('/'), 0)) : base
  const start = escaped.replace(/\\(?=[^/])/g, '')
  // The root of a drive or file system keeps its slash. Without it, it would be the working directory.
  return isAbsolutePattern(pattern) && /^(?:[a-z]:)?$/i.test(start) ? `${start}/` : start
}

/** Whether a directory is one that the pattern leads through. */
function wayOf(pattern: string): (path: string) => boolean {
  const isAbsolute = isAbsolutePattern(pattern)
  // If braces or parentheses contain a slash, the parts can't be told apart: every directory may be on the way.
  if (/[{(][^})]*\//.test(pattern)) return path => isAbsolutePattern(path) === isAbsolute
  const parts = pattern.replace(/^\/+/, '').split('/')
  // A slash at the end asks for a directory, which is no file.
  const matchesPart = parts.map(part =>
    part === '**' ? undefined : part === '' ? () => false : picomatch(part, OPTIONS),
  )
  const isOn = (names: readonly string[], nameAt: number, partAt: number): boolean => {
    if (nameAt === names.length) return partAt < parts.length
    if (partAt >= parts.length) return false
    const matches = matchesPart[partAt]
    if (matches) return matches(names[nameAt] as string) && isOn(names, nameAt + 1, partAt + 1)
    const isHidden = (names[nameAt] as string).startsWith('.')
    return isOn(names, nameAt, partAt + 1) || (!isHidden && isOn(names, nameAt + 1, partAt))
  }
  return path => isAbsolutePattern(path) === isAbsolute && isOn(path.replace(/^\/+/, '').split('/'), 0, 0)
}
