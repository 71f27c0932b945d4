import { sep } from 'node:path'
import type { Files } from './files.js'

/** Returns a disk that hides one directory, which must not be read: nothing is found in it. */
export function blind(files: Files, directory: string): Files {
  const isHidden = (path: string) => path === directory || path.startsWith(directory + sep)
  return {
    ...files,
    open(path, mode) {
      if (!isHidden(path)) return files.open(path, mode)
      throw Object.assign(new Error(`ENOENT: ${path} is not looked at`), { code: 'ENOENT' })
    },
    stat: path => (isHidden(path) ? undefined : files.stat(path)),
    linkStat: path => (isHidden(path) ? undefined : files.linkStat(path)),
    list: path => (isHidden(path) ? undefined : files.list(path)),
    listKinds: path => (isHidden(path) ? undefined : files.listKinds(path)),
    readFile: path => (isHidden(path) ? undefined : files.readFile(path)),
  }
}
