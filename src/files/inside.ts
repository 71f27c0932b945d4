// Wraps a disk so that changes are allowed in one root only. While the cache is open, a directory on the way to a file may be
// replaced by a link. Through that link, a gc would remove the files of another cache.
//
// Reads are not checked, and cost nothing more. An open file was checked before its first write, and its descriptor can't be
// redirected by a link.
//
// Not guaranteed: that nothing is swapped between the check and the call. Only the user's own processes can do that.

import { type Changes, changesInside } from './changes-inside.js'
import type { Files } from './files.js'

/** For all calls that change something, except `open` and `append`, a path outside of the root counts as missing. */
export function changingInside(files: Files, root: string): Files {
  let made: Changes | undefined
  const changes = () => {
    made ??= changesInside(files, root)
    return made
  }
  return {
    ...files,
    createFile: (path, content) => changes().createFile(path, content),
    makeDirectory: path => changes().makeDirectory(path),
    rename: (from, to) => changes().rename(from, to),
    link: (from, to) => changes().link(from, to),
    remove: path => changes().remove(path),
    removeDirectory: path => changes().removeDirectory(path),
    touch: path => changes().touch(path),
    setAccess: (path, access) => changes().setAccess(path, access),
  }
}
