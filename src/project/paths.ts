// How the files of a project are named, so that the names hold in every checkout.

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
  // What `relative` would give, in a tenth of its time.
  if (sep === '/' && path.startsWith(dir) && path[dir.length] === '/')
    return { path: path.slice(dir.length + 1), isRelative: true }
  if (isWithin(path, dir) || isWithin(path, project.top))
    return { path: slashed(relative(dir, path)) || '.', isRelative: true }
  if (alias !== undefined && isWithin(path, alias))
    return { path: slashed(relative(alias, path)) || '.', isRelative: true }
  return { path, isRelative: false }
}

/** The absolute path; undefined for a relative one where the project is not known. */
export function resolvePath({ path, isRelative }: RecordedPath, dir: string | undefined): string | undefined {
  if (!isRelative) return path
  if (dir === undefined) return undefined
  // `join` would normalize once more what is normalized: that takes as long as a third of a get.
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
 * The working directory as the project sees it: its place in the project, or the whole path of one that is elsewhere. Empty
 * for one that was removed.
 */
export function workingPlace(project: Project | undefined): string {
  const cwd = workingDirectory()
  return cwd === undefined ? '' : recordPath(project, cwd).path
}

/** The directory of the working directory's project; empty where that is `dir`. */
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
