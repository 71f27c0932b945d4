// Encodes the keys of a manifest: version and project come first, the caller's key last.
//
//   version length u8 | version | flags u8 | project length u16 | project | [digest 16] | key

import { CacheError } from '../base/errors.js'
import { MAX_KEY_BYTES } from '../base/layout.js'
import { SCOPES, type Scope } from '../project/project.js'

/** What a key is made of: a caller's text, a name and a file, or a name and arguments. */
export const KEY_KINDS = ['plain', 'analysis', 'call'] as const
export type KeyKind = (typeof KEY_KINDS)[number]

/** What keys of one kind have in common. */
export interface KeySpace {
  version: string
  scope: Scope
  kind: KeyKind
  /** The project's directory; empty but for keys of a project. */
  project: string
}

export const SCOPE_MASK = 3
export const KIND_SHIFT = 2
export const KIND_MASK = 3
export const IS_ANSWER = 16
export const DIGEST_BYTES = 16
const MAX_VERSION_BYTES = 255

/** @throws CacheError `ERR_CACHE_OPTION` */
export function encodePrefix({ version, scope, kind, project }: KeySpace): Buffer {
  const bytes = typeof version === 'string' && version.isWellFormed() ? Buffer.from(version) : undefined
  if (!bytes || bytes.length > MAX_VERSION_BYTES) {
    const message = `A namespace version must be a well-formed string of at most ${MAX_VERSION_BYTES} bytes.`
    throw new CacheError('ERR_CACHE_OPTION', message, { value: version })
  }
  const directory = Buffer.from(project)
  const prefix = Buffer.allocUnsafe(1 + bytes.length + 1 + 2 + directory.length)
  prefix[0] = bytes.length
  bytes.copy(prefix, 1)
  prefix[1 + bytes.length] = SCOPES.indexOf(scope) | (KEY_KINDS.indexOf(kind) << KIND_SHIFT)
  prefix.writeUInt16LE(directory.length, 2 + bytes.length)
  directory.copy(prefix, 4 + bytes.length)
  return prefix
}

/** @throws CacheError `ERR_CACHE_KEY` */
export function keyBytes(prefix: Buffer, key: unknown): Buffer {
  const refuse = (why: string) => new CacheError('ERR_CACHE_KEY', `A key ${why}.`, { value: key })
  if (typeof key !== 'string') throw refuse('must be a string')
  if (key === '') throw refuse('must not be empty')
  if (!key.isWellFormed()) throw refuse('must not contain lone surrogates')
  const start = prefix.length
  const bytes = Buffer.allocUnsafe(start + Buffer.byteLength(key))
  if (bytes.length - start > MAX_KEY_BYTES) throw refuse(`must not be longer than ${MAX_KEY_BYTES} bytes`)
  bytes.set(prefix)
  bytes.write(key, start)
  return bytes
}

/** The offset at which the caller's key begins. */
export function keyStart(bytes: Buffer): number {
  const flagsAt = 1 + (bytes[0] ?? 0)
  if (flagsAt + 3 > bytes.length) return bytes.length
  const project = (bytes[flagsAt + 1] as number) | ((bytes[flagsAt + 2] as number) << 8)
  const digest = (bytes[flagsAt] as number) & IS_ANSWER ? DIGEST_BYTES : 0
  return Math.min(flagsAt + 3 + project + digest, bytes.length)
}
