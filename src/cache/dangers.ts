// Checks who could put forged entries into an existing root.

import { dirname } from 'node:path'
import { errnoOf } from '../base/errors.js'
import type { FileStat, Files } from '../files/files.js'

/** The environment variable that allows a root which other users can write to. */
export const TRUST_ROOT = 'WICKED_CACHE_TRUST_ROOT'

export const HOW_TO_ALLOW = `trustRoot, or ${TRUST_ROOT}=1, allows it`
export const FOREIGN = 'holds other files and is no cache'

const WRITABLE_BY_GROUP = 0o020
const WRITABLE_BY_OTHERS = 0o002

/** The user and groups that this process acts as. */
export interface User {
  id: number
  group: number
}

/**
 * Says who else could write to the directory; undefined for no one. The superuser always could. Group permissions count even if
 * the group has the user's number, because an access control list shows up as the group's bits. The sticky bit doesn't help: it
 * keeps others from removing files, not from creating them.
 */
export function dangerOf(user: User | undefined, { owner, group, mode }: FileStat): string | undefined {
  if (!user) return undefined
  if (owner !== user.id && owner !== 0) return `belongs to another user (${owner}, not ${user.id})`
  if (mode & WRITABLE_BY_OTHERS) return 'can be written to by every user'
  return mode & WRITABLE_BY_GROUP ? `can be written to by group ${group}` : undefined
}

/** A link of another user could point to a directory of this user that holds forged values, such as an unpacked archive. */
export function dangerOfLinks(files: Files, root: string, user: User | undefined): string | undefined {
  if (!user) return undefined
  for (let path = root; ; path = dirname(path)) {
    const stat = unlessHidden(root, path, () => files.linkStat(path))
    if (stat?.kind === 'other' && stat.owner !== user.id && stat.owner !== 0) {
      return `is reached through a link of another user (${stat.owner}, not ${user.id})`
    }
    if (dirname(path) === path) return undefined
  }
}

/** Directories above the root that a permission model hides from this process can't be checked. */
export function unlessHidden(root: string, path: string, look: () => FileStat | undefined): FileStat | undefined {
  try {
    return look()
  } catch (error) {
    if (errnoOf(error) === 'ERR_ACCESS_DENIED' && path !== root) return undefined
    throw error
  }
}

/** Another process may be creating the root right now, so a root that seems foreign is checked a second time. */
export function isTrueOnRetry(look: () => boolean): boolean {
  return look() || look()
}
