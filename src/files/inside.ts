// The disk with changes allowed in one root alone. A link could stand in the place of a directory on the way to a file, put there
// while the cache is open: through it, a gc would remove the files of another cache.
//
// Reading is as before, and costs nothing more. What is open was checked when it was first written to; after that no link can
// lead its descriptor elsewhere.
//
// Not guaranteed: that it stays so between the look and the call. A process that can swap them in that instant is the user's own.

import { dirname, sep } from 'node:path'
import type { Files } from './files.js'

type Reason = 'ENOENT' | 'ENOTDIR' | undefined

/** Why a path leads to no place in the root: a directory on the way is missing, or is none; undefined where it does. */
export function whyNotInside(files: Files, root: string, path: string): Reason {
  return path.startsWith(root.endsWith(sep) ? root : root + sep)
    ? whyNoDirectory(files, root, dirname(path))
    : 'ENOTDIR'
}

function whyNoDirectory(files: Files, root: string, path: string): Reason {
  let why: Reason
  for (let each = path; each.length > root.length; each = dirname(each)) {
    const kind = files.linkStat(each)?.kind
    if (kind === undefined) why = 'ENOENT'
    else if (kind !== 'directory') return 'ENOTDIR'
  }
  return why
}

/** @throws errno-style errors where the path leads to no place in the root */
export function assertInside(files: Files, root: string, call: string, path: string): void {
  const code = whyNotInside(files, root, path)
  if (code) throw refusal(code, call, path)
}

function refusal(code: Reason, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: no place in the cache, ${call} '${path}'`), { code })
}

/** For all calls that change something, but for `open` and `append`, what is outside of the root is as good as missing. */
export function changingInside(files: Files, root: string): Files {
  const isInside = (path: string) => whyNotInside(files, root, path) === undefined
  return {
    ...files,
    createFile(path, content) {
      assertInside(files, root, 'open', path)
      return files.createFile(path, content)
    },
    makeDirectory(path) {
      if (whyNoDirectory(files, root, path) === 'ENOTDIR') throw refusal('ENOTDIR', 'mkdir', path)
      return files.makeDirectory(path)
    },
    rename(from, to) {
      for (const path of [from, to]) assertInside(files, root, 'rename', path)
      files.rename(from, to)
    },
    link: (from, to) => isInside(from) && isInside(to) && files.link(from, to),
    remove: path => isInside(path) && files.remove(path),
    removeDirectory: path => isInside(path) && files.removeDirectory(path),
    touch(path) {
      assertInside(files, root, 'utime', path)
      files.touch(path)
    },
    setAccess(path, access) {
      if (path === root || isInside(path)) files.setAccess(path, access)
    },
  }
}
