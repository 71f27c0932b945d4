// Who could put forged entries into a root that is there.

import { dirname } from 'node:path'
import { errnoOf } from '../base/errors.js'
import type { FileStat, Files } from '../files/files.js'

/** The environment's way to allow a root that is not this user's alone. */
export const TRUST_ROOT = 'WICKED_CACHE_TRUST_ROOT'

export const HOW_TO_ALLOW = `trustRoot, or ${TRUST_ROOT}=1, allows it`
export const FOREIGN = 'holds other files and is no cache'

const WRITABLE_BY_GROUP = 0o020
const WRITABLE_BY_OTHERS = 0o002

/** Who this process acts as. */
export interface User {
  id: number
  group: number
}

/**
 * Who else could write to it, undefined for nobody; the superuser could anyway. A group counts as others even where it has
 * the user's number: an access list that lets others in shows as the group's bits. The sticky bit does not help: it keeps
 * others from removing what is there, not from making what is not.
 */
export function dangerOf(user: User | undefined, { owner, group, mode }: FileStat): string | undefined {
  if (!user) return undefined
  if (owner !== user.id && owner !== 0) return `belongs to another user (${owner}, not ${user.id})`
  if (mode & WRITABLE_BY_OTHERS) return 'can be written to by every user'
  return mode & WRITABLE_BY_GROUP ? `can be written to by group ${group}` : undefined
}

/** Another user's link could lead to a directory of this user's that holds forged values, such as an unpacked archive. */
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

/** What a permission model hides from this process above the root can't be judged. */
export function unlessHidden(root: string, path: string, look: () => FileStat | undefined): FileStat | undefined {
  try {
    return look()
  } catch (error) {
    if (errnoOf(error) === 'ERR_ACCESS_DENIED' && path !== root) return undefined
    throw error
  }
}

/** Another process may be making it between two looks: so what seems foreign is looked at again. */
export function isTrueOnRetry(look: () => boolean): boolean {
  return look() || look()
}
