// Says what an entry belongs to: how its key is shown to people, and what its inputs are resolved against.

import { isAbsolute, join } from 'node:path'
import type { EntryInfo } from '../api/index.js'
import { CODEC } from '../encoding/codecs.js'
import type { Asker } from '../inputs/snapshot.js'
import type { Entry } from './entry.js'
import type { KeyParts } from './key-parts.js'

/** The key in the form that people know: for an analysis its name and file, for a call the function's name and its arguments. */
export function labelOf({ kind, key }: Pick<KeyParts, 'kind' | 'key'>): string {
  if (kind === 'plain') return key
  const at = key.indexOf('\0')
  const [name, rest] = [key.slice(0, at), key.slice(at + 1)]
  if (kind === 'analysis') return `${name} ${rest}`
  return `${name}(${argumentsText(rest)})`
}

/** The arguments of a call as JSON without the brackets, if they are JSON. Those with objects are stored in base64. */
function argumentsText(stored: string): string {
  if (stored.startsWith('[')) return stored.slice(1, -1)
  const [, base64] = /^base64url (.+)$/.exec(stored) ?? []
  const bytes = Buffer.from(base64 ?? '', 'base64url')
  return bytes[0] === CODEC.json ? bytes.toString('utf8', 2, bytes.length - 1) : stored
}

/** Of an analysis or a wrapped function. */
export function nameOf({ kind, key }: Pick<KeyParts, 'kind' | 'key'>): string | undefined {
  return kind === 'plain' ? undefined : key.slice(0, key.indexOf('\0'))
}

export function originOf(
  { kind }: Pick<KeyParts, 'kind'>,
  { computeMs }: Pick<Entry, 'computeMs'>,
): EntryInfo['origin'] {
  if (kind === 'analysis') return 'analyze'
  if (kind === 'call') return 'wrap'
  return computeMs === undefined ? 'set' : 'getOrSet'
}

/**
 * The directories that an entry's inputs are resolved against: those of its project, or of the checkout in which a portable
 * entry was last stored.
 */
export function askerOf({ scope, kind, project, key }: KeyParts, { seenIn }: Pick<Entry, 'seenIn'>): Asker {
  const dir = scope === 'project' ? project : scope === 'portable' ? seenIn : undefined
  const path = kind === 'analysis' ? key.slice(key.indexOf('\0') + 1) : undefined
  const file = path === undefined || isAbsolute(path) ? path : dir === undefined ? undefined : join(dir, path)
  return { dir, place: '', home: '', location: path ?? '', file, text: undefined, now: Date.now }
}
