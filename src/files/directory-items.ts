// Lists the items of a directory with their kinds.

import { type Dirent, MISSING, readdirSync, unless } from './node-fs.js'

export interface DirectoryItem {
  /** The form of a name that isn't UTF-8: a NUL, then one character for each byte, so that two such names always differ. */
  name: string
  kind: 'file' | 'directory' | 'link' | 'other'
}

export function listKinds(path: string): DirectoryItem[] | undefined {
  return unless(MISSING, () => readdirSync(path, { withFileTypes: true, encoding: 'buffer' }).map(toItem))
}

function toItem(entry: Dirent<Buffer>): DirectoryItem {
  const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'other'
  const text = entry.name.toString()
  const name = Buffer.from(text).equals(entry.name) ? text : `\0${entry.name.toString('latin1')}`
  return { name, kind }
}
