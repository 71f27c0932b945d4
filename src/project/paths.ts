// Names the files of a project, so that the names are valid in every checkout.

import { isAbsolute, join, parse, relative, sep } from 'node:path'
import { type Project, type Projects, workingDirectory } from './project.js'

const IGNORES_CASE = process.platform === 'win32'

/** How a path is recorded. */
export interface RecordedPath {
  /** From the project's directory, with `/` between its parts; or absolute. */
  path: string
  isRelative: boolean
}

/** How an absolute, normalized path is recorded for the project. */
export function recordPath(project: Project | undefined, path: string): RecordedPath {
  if (!project) return { path, isRelative: false }
  const { dir, alias } = project
  // Like `relative`, in a tenth of its time.
  if (sep === '/' && path.startsWith(dir) && path[dir.length] === '/')
    return { path: path.slice(dir.length + 1), isRelative: true }
  if (isWithin(path, dir) || isWithin(path, project.top))
    return { path: slashed(relative(dir, path)) || '.', isRelative: true }
  if (alias !== undefined && isWithin(path, alias))
    return { path: slashed(relative(alias, path)) || '.', isRelative: true }
  return { path, isRelative: false }
}

/** Returns the absolute path; undefined for a relative path without a known project. */
export function resolvePath({ path, isRelative }: RecordedPath, dir: string | undefined): string | undefined {
  if (!isRelative) return path
  if (dir === undefined) return undefined
  // `join` would normalize the path again, which takes a third of the time of a get.
  const isPlain = sep === '/' && !path.startsWith('.') && dir !== '/'
  return isPlain ? `${dir}/${path}` : join(dir, path)
}

/** Whether the path is the directory's or lies below it; both absolute and normalized. */
export function isWithin(path: string, directory: string): boolean {
  const isBelow = IGNORES_CASE
    ? path.slice(0, directory.length).toLowerCase() === directory.toLowerCase()
    : path.startsWith(directory)
  if (!isBelow) return false
  return path.length === directory.length || directory.endsWith(sep) || path[directory.length] === sep
}

/**
 * The working directory as the project sees it: relative to the project's directory, or absolute if it is elsewhere; empty if
 * it was removed.
 */
export function workingPlace(project: Project | undefined): string {
  const cwd = workingDirectory()
  return cwd === undefined ? '' : recordPath(project, cwd).path
}

/** The directory of the working directory's project; empty if that is `dir`. */
export function homeFor(projects: Projects, dir: string | undefined): string {
  const cwd = workingDirectory()
  const home = cwd === undefined ? undefined : projects.of(cwd)?.dir
  return home === dir ? '' : (home ?? parse(cwd ?? sep).root)
}

/** Whether the path leads out of the project's directory. */
export function leadsOut({ path, isRelative }: RecordedPath): boolean {
  return !isRelative || path === '..' || path.startsWith('../') || isAbsolute(path)
}

function slashed(path: string): string {
  return sep === '/' ? path : path.split(sep).join('/')
}
