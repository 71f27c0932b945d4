// The changes of what is in a root, each after a look at where its path leads. See `changingInside`.

import type { Files } from './files.js'
import { assertInside, refusal, whyNoDirectory, whyNotInside } from './places.js'

/** What `changingInside` puts in the place of these calls. */
export type Changes = Pick<
  Files,
  'createFile' | 'makeDirectory' | 'rename' | 'link' | 'remove' | 'removeDirectory' | 'touch' | 'setAccess'
>

export function changesInside(files: Files, root: string): Changes {
  const isInside = (path: string) => whyNotInside(files, root, path) === undefined
  return {
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
