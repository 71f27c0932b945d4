// The disk as verify sees it: files and directories below one root. Whoever can write to the root could put a link in
// the place of a file or of a directory on the way to it; such a thing is as good as missing here, so that nothing
// outside of the root is read, and nothing outside is written to by a repair.
//
// Not guaranteed: that it stays so between the look and the call. Whoever can swap them in that instant is the user.

import { dirname } from 'node:path'
import { errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'

export function confine(files: Files, root: string): Files {
  const kindOf = (path: string) => {
    if (path === root) return files.stat(root)?.kind
    for (let each = dirname(path); each.length > root.length; each = dirname(each)) {
      if (files.linkStat(each)?.kind !== 'directory') return undefined
    }
    return files.linkStat(path)?.kind
  }
  const missing = (call: string, path: string) =>
    Object.assign(new Error(`ENOENT: no file of the cache, ${call} '${path}'`), { code: 'ENOENT' })
  /** For what makes or removes names: the directory must be one. */
  const expectPlace = (call: string, path: string) => {
    const directory = dirname(path)
    if (kindOf(directory) !== 'directory') throw missing(call, path)
  }
  return {
    ...files,
    open(path, mode) {
      const kind = kindOf(path)
      if (kind !== 'file' && !(kind === undefined && mode === 'create')) throw missing('open', path)
      if (kind === undefined) expectPlace('open', path)
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
    createFile(path, content) {
      expectPlace('open', path)
      return files.createFile(path, content)
    },
    makeDirectory(path) {
      for (let each = path; each.length > root.length; each = dirname(each)) {
        const kind = files.linkStat(each)?.kind
        if (kind !== undefined && kind !== 'directory') throw missing('mkdir', path)
      }
      files.makeDirectory(path)
    },
    rename(from, to) {
      expectPlace('rename', from)
      expectPlace('rename', to)
      files.rename(from, to)
    },
    remove(path) {
      expectPlace('unlink', path)
      return files.remove(path)
    },
  }
}
