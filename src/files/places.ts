// Whether a path leads to a file in a root, through no link.

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

/** The same of a directory. */
export function whyNoDirectory(files: Files, root: string, path: string): Reason {
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

export function refusal(code: Reason, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: no place in the cache, ${call} '${path}'`), { code })
}
