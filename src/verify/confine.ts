// The disk as verify sees it: files and directories below one root. A link could stand in the place of a file or of a directory
// on the way to it; such a thing is as good as missing here, so that nothing outside of the root is read. What changes something
// goes by the same rule everywhere, see `changingInside`.
//
// Not guaranteed: that it stays so between the look and the call. A process that can swap them in that instant is the user's own.

import { errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'
import { whyNotInside } from '../files/inside.js'

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
        // The survey reports it; for all others its buckets are missing.
        if (errnoOf(error) === undefined) throw error
        return undefined
      }
    },
    readFile: path => (kindOf(path) === 'file' ? files.readFile(path) : undefined),
  }
}
