// Decodes the bytes of a key.

import { SCOPES } from '../project/project.js'
import {
  DIGEST_BYTES,
  IS_ANSWER,
  KEY_KINDS,
  type KeySpace,
  KIND_MASK,
  KIND_SHIFT,
  keyStart,
  SCOPE_MASK,
} from './key.js'

export interface KeyParts extends KeySpace {
  key: string
  /** Whether the key is that of an answer or a node. */
  isAnswer: boolean
}

export function parseKey(bytes: Buffer): KeyParts {
  const flagsAt = 1 + (bytes[0] ?? 0)
  const flags = bytes[flagsAt] ?? 0
  const start = keyStart(bytes)
  const isAnswer = (flags & IS_ANSWER) !== 0
  return {
    version: bytes.toString('utf8', 1, flagsAt),
    scope: SCOPES[flags & SCOPE_MASK] ?? 'user',
    kind: KEY_KINDS[(flags >> KIND_SHIFT) & KIND_MASK] ?? 'plain',
    project: bytes.toString('utf8', flagsAt + 3, start - (isAnswer ? DIGEST_BYTES : 0)),
    isAnswer,
    key: bytes.toString('utf8', start),
  }
}
