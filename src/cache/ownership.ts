// Checks whether a directory is a cache, or may become one, before anything is created or removed in it.

import { basename, dirname, join } from 'node:path'
import { FRAME, FRAME_MAGIC, type Layout } from '../base/layout.js'
import type { Files } from '../files/files.js'
import { dangerOf, dangerOfLinks, FOREIGN, HOW_TO_ALLOW, isTrueOnRetry, type User, unlessHidden } from './dangers.js'

const STICKY = 0o1000
const MAX_TAG_BYTES = 65_536
const OPEN_FRAME_BYTES = 64
/** Names that file systems, file managers and version control create. */
const COMES_WITH_A_VOLUME =
  /^(?:lost\+found|\.DS_Store|\.git(?:keep|ignore)|\.keep|Thumbs\.db|desktop\.ini|\.Trash(?:es|-\d+)|\.fseventsd|\.Spotlight-V100|\.TemporaryItems|System Volume Information|\$RECYCLE\.BIN|\.nfs[0-9a-f]+|\.snapshots?)$/i

/** Says why a root must not be created here: others could replace it, or the directory belongs to another user. */
export function dangerAbove(files: Files, root: string, user: User | undefined): string | undefined {
  const danger = dangerOfLinks(files, root, user)
  if (danger) return `${danger}; ${HOW_TO_ALLOW}`
  for (let path = dirname(root); ; path = dirname(path)) {
    const stat = unlessHidden(root, path, () => files.stat(path))
    if (stat) {
      // In a sticky directory, no one can remove or replace another user's files.
      const above = dangerOf(user, stat.mode & STICKY ? { ...stat, mode: 0 } : stat)
      return above && `cannot be made: ${path} ${above}; ${HOW_TO_ALLOW}`
    }
    if (dirname(path) === path) return undefined
  }
}

/** Whether the directory has the tag of a cache, or a pack in it. Checked because a gc removes files and a repair moves them. */
export function whyNotOurs(files: Files, layout: Layout): string | undefined {
  const isOurs = () => isTagged(files, layout) || isBlank(files, layout) || hasOwnPack(files, layout)
  return isTrueOnRetry(isOurs) ? undefined : FOREIGN
}

function isTagged(files: Files, { tag }: Layout): boolean {
  const stat = files.linkStat(tag)
  const isReadable = stat?.kind === 'file' && stat.sizeBytes <= MAX_TAG_BYTES
  return isReadable && files.readFile(tag)?.includes('wicked-cache') === true
}

/** Whether the directory is empty, apart from files that come with a volume or are written before the cache is. */
export function isBlank(files: Files, { root, tag, config, version }: Layout): boolean {
  // The process that created the tag has not written it yet, or was killed.
  const isEmptyTag = files.linkStat(tag)?.sizeBytes === 0
  const own = [basename(config), ...(isEmptyTag ? [basename(tag), basename(version)] : [])]
  return (files.list(root) ?? []).every(name => own.includes(name) || COMES_WITH_A_VOLUME.test(name))
}

function hasOwnPack(files: Files, { packs }: Layout): boolean {
  return (files.list(packs) ?? []).some(name => {
    const stat = files.linkStat(join(packs, name))
    if (stat?.kind !== 'file') return false
    const fd = files.open(join(packs, name), 'read')
    try {
      const start = Buffer.alloc(OPEN_FRAME_BYTES)
      files.read(fd, start, 0, start.length, 0)
      return start[0] === FRAME_MAGIC && start[1] === FRAME.open && start.includes('blobs/packs/')
    } finally {
      files.close(fd)
    }
  })
}
