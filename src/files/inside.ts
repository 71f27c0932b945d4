// Wraps a disk so that changes are allowed in one root only. While the cache is open, a directory on the way to a file may be
// replaced by a link. Through that link, a gc would remove the files of another cache.
//
// Reads are not checked, and cost nothing more. An open file was checked before its first write, and its descriptor can't be
// redirected by a link.
//
// Not guaranteed: that nothing is swapped between the check and the call. Only the user's own processes can do that.

import { dirname, sep } from 'node:path'
import type { Files } from './files.js'

type Reason = 'ENOENT' | 'ENOTDIR' | undefined

/**
 * Says why a path doesn't lead to a file in the root: a directory on the way is missing or not a directory. Returns undefined
 * if it does.
 */
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

/** @throws errno-style errors if the path doesn't lead to a file in the root */
export function assertInside(files: Files, root: string, call: string, path: string): void {
  const code = whyNotInside(files, root, path)
  if (code) throw refusal(code, call, path)
}

function refusal(code: Reason, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: no place in the cache, ${call} '${path}'`), { code })
}

/** For all calls that change something, except `open` and `append`, a path outside of the root counts as missing. */
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
