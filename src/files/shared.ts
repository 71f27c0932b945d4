// The disk for a root that several users share: new files get the permissions of the root directory, so that the others can use
// them.

import type { Access, Files } from './files.js'

const READ_WRITE = 0o666
/** Mode bits that files don't get: setgid and sticky. */
const DIRECTORY_BITS = 0o3777

/** `accessOf` returns the owner and mode of the root directory; undefined while there is none. */
export function likeRoot(files: Files, accessOf: () => Access | undefined): Files {
  const adopt = (path: string, bits: number) => {
    const access = accessOf()
    const stat = access && files.linkStat(path)
    if (!access || !stat || stat.kind === 'other') return
    const mode = access.mode & bits
    if (stat.mode === mode && stat.owner === access.owner && stat.group === access.group) return
    files.setAccess(path, { ...access, mode })
  }
  return {
    ...files,
    open(path, mode) {
      const fd = files.open(path, mode)
      if (mode === 'create' && files.fstat(fd).sizeBytes === 0) adopt(path, READ_WRITE)
      return fd
    },
    createFile(path, content) {
      const isMade = files.createFile(path, content)
      if (isMade) adopt(path, READ_WRITE)
      return isMade
    },
    makeDirectory(path) {
      const first = files.makeDirectory(path)
      if (first === undefined) return first
      for (let made = path; made.length >= first.length; made = parentOf(made)) adopt(made, DIRECTORY_BITS)
      return first
    },
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'), 0))
}
