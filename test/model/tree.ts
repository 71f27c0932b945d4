// The files of a program: two projects, a worktree of one of them, packages in both of these, a link to one, and a directory
// that belongs to no project.

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { At, Cwd, Edit, PathRef, Root } from './program.js'

const DIRECTORIES: Record<Root, string> = {
  a: 'a',
  b: 'b',
  w: 'w',
  p: 'a/packages/p',
  q: 'a/packages/q',
  wp: 'w/packages/p',
  link: 'link',
  shared: 'shared',
}
/** Where a working directory is, and the project that it belongs to. */
const WORKING: Record<Cwd, { path: string; project: Root }> = {
  a: { path: 'a', project: 'a' },
  b: { path: 'b', project: 'b' },
  w: { path: 'w', project: 'w' },
  p: { path: 'a/packages/p', project: 'p' },
  wp: { path: 'w/packages/p', project: 'wp' },
  link: { path: 'link', project: 'a' },
  'a/src': { path: 'a/src', project: 'a' },
  'p/src': { path: 'a/packages/p/src', project: 'p' },
  'link/src': { path: 'link/src', project: 'a' },
}
export const CWDS = Object.keys(WORKING) as Cwd[]
export const FILES = ['src/x.js', 'src/y.js', 'src/deep/z.js', 'conf.json', '.rc']
export const CONTENTS = ['c0', 'c1', 'c2', 'longer 3', '']
const LONG_AGO = new Date(2020, 1, 1)

export function createTree(base: string): void {
  const put = (path: string, content: string) => {
    mkdirSync(dirname(join(base, path)), { recursive: true })
    writeFileSync(join(base, path), content)
    utimesSync(join(base, path), LONG_AGO, LONG_AGO)
  }
  for (const project of ['a', 'b', 'w', 'a/packages/p', 'a/packages/q', 'w/packages/p', 'w/packages/q']) {
    put(`${project}/package.json`, '{}')
    for (const [at, file] of FILES.entries()) put(`${project}/${file}`, CONTENTS[at % 3] as string)
  }
  put('a/.git/HEAD', 'ref')
  put('w/.git', 'gitdir: ../a/.git/worktrees/w')
  put('w/src/y.js', 'c2')
  put('shared/src/x.js', 'c0')
  symlinkSync(join(base, 'a'), join(base, 'link'))
}

export function workingDirectory(base: string, cwd: Cwd): string {
  return join(base, WORKING[cwd].path)
}

/** The directory of the test that a working directory is in, and where in it. */
export function placeOf(cwd: Cwd): { root: Root; below: string } {
  const { project, path } = WORKING[cwd]
  return { root: project, below: path.endsWith('/src') ? 'src' : '' }
}

/** The real directory of the project of a handle. */
export function projectOf(base: string, at: At, cwd: Cwd): string {
  const root = at === 'cwd' ? WORKING[cwd].project : at === 'link' ? 'a' : at
  return join(base, DIRECTORIES[root])
}

export function directoryOf(base: string, root: Root): string {
  return join(base, DIRECTORIES[root])
}

/** `own`: the project's directory. */
export function pathOf(base: string, { from, rel }: PathRef, own: string): string {
  if (rel === '/dev/null') return rel
  if (from === 'cwd') return rel
  return join(from === 'own' ? own : directoryOf(base, from), rel)
}

export function givenPathOf(base: string, path: PathRef, own: string): string | URL {
  const given = pathOf(base, path, own)
  return path.asUrl && given.startsWith('/') ? pathToFileURL(given) : given
}

/** Changes files; what is in the way is removed. */
export function applyEdit(base: string, edit: Edit): void {
  const path = pathOf(base, edit.path, '')
  switch (edit.do) {
    case 'write': {
      makeParent(path)
      const before = statOf(path)
      if (!before?.isFile()) remove(path)
      if (edit.isReplaced) {
        writeFileSync(`${path}~`, edit.content)
        renameSync(`${path}~`, path)
      } else {
        writeFileSync(path, edit.content)
      }
      if (edit.keepsTime && before) utimesSync(path, before.atime, before.mtime)
      return
    }
    case 'remove':
      remove(path)
      return
    case 'directory':
      makeParent(path)
      remove(path)
      mkdirSync(path)
      return
    case 'loop':
      makeParent(path)
      remove(path)
      symlinkSync(path, path)
      return
    case 'touch':
    case 'future': {
      const time = edit.do === 'touch' ? new Date() : new Date(Date.now() + 86_400_000)
      if (statOf(path)?.isFile()) utimesSync(path, time, time)
      return
    }
    case 'rename': {
      const to = pathOf(base, edit.to, '')
      if (!statOf(path)?.isFile() || to === path) return
      makeParent(to)
      remove(to)
      renameSync(path, to)
    }
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error
  }
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** What is no directory on the way is removed. */
function makeParent(path: string): void {
  const parent = dirname(path)
  if (statOf(parent)?.isDirectory()) return
  try {
    unlinkSync(parent)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
  }
  makeParent(parent)
  mkdirSync(parent)
}

type State = Map<string, { kind: 'file' | 'directory' | 'link'; content: string }>

/** What there is below a directory. */
export function readState(base: string, at = '', state: State = new Map()): State {
  for (const item of readdirSync(join(base, at), { withFileTypes: true })) {
    const path = join(at, item.name)
    if (path === 'cache') continue
    if (item.isDirectory()) {
      state.set(path, { kind: 'directory', content: '' })
      readState(base, path, state)
    } else if (item.isFile()) state.set(path, { kind: 'file', content: readFileSync(join(base, path), 'utf8') })
    else state.set(path, { kind: 'link', content: readlinkSync(join(base, path)) })
  }
  return state
}

/** Makes the directory what it was: what is as it was is left alone, as by a version control system. */
export function restoreState(base: string, state: State): void {
  const now = readState(base)
  for (const path of now.keys()) if (!state.has(path)) remove(join(base, path))
  for (const [path, was] of state) {
    const is = now.get(path)
    if (is?.kind === was.kind && is.content === was.content) continue
    makeParent(join(base, path))
    if (is?.kind !== 'file' || was.kind !== 'file') remove(join(base, path))
    if (was.kind === 'file') writeFileSync(join(base, path), was.content)
    else if (was.kind === 'directory') mkdirSync(join(base, path))
    else symlinkSync(was.content, join(base, path))
  }
}
