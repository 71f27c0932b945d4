// The disk as verify sees it: files and directories below one root. A link in place of a file, or of a directory on the way to
// it, counts as missing, so that nothing outside of the root is read. For changes, `changingInside` has the same rule
// everywhere.
//
// Not guaranteed: that nothing is swapped between the check and the call. Only the user's own processes can do that.

import { errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'
import { whyNotInside } from '../files/places.js'

export function confine(files: Files, root: string): Files {
  const kindOf = (path: string) => {
    if (path === root) return files.stat(root)?.kind
    return whyNotInside(files, root, path) ? undefined : files.linkStat(path)?.kind
  }
  return {
    ...files,
    open(path, mode) {
      const kind = kindOf(path)
      const isNew = kind === undefined && mode === 'create' && !whyNotInside(files, root, path)
      if (kind !== 'file' && !isNew) {
        throw Object.assign(new Error(`ENOENT: no file of the cache, open '${path}'`), { code: 'ENOENT' })
      }
      return files.open(path, mode)
    },
    stat: path => (kindOf(path) === undefined ? undefined : files.linkStat(path)),
    linkStat: path => (kindOf(path) === undefined ? undefined : files.linkStat(path)),
    list(path) {
      if (kindOf(path) !== 'directory') return undefined
      try {
        return files.list(path)
      } catch (error) {
        // The survey reports the link. For everything else, its buckets are missing.
        if (errnoOf(error) === undefined) throw error
        return undefined
      }
    },
    readFile: path => (kindOf(path) === 'file' ? files.readFile(path) : undefined),
  }
}
