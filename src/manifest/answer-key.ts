// The keys of answers and nodes: that of their head, with a digest.

import { DIGEST_BYTES, IS_ANSWER, keyStart } from './key.js'

/** The key of an answer, or a node, of the head with this key. */
export function answerBytes(head: Buffer, digest: Buffer): Buffer {
  const start = keyStart(head)
  const bytes = Buffer.concat([head.subarray(0, start), digest, head.subarray(start)])
  const flagsAt = 1 + (head[0] as number)
  bytes[flagsAt] = (head[flagsAt] as number) | IS_ANSWER
  return bytes
}

/** The key of the head that an answer's key belongs to. */
export function headBytes(answer: Buffer): Buffer {
  const start = keyStart(answer)
  const bytes = Buffer.concat([answer.subarray(0, start - DIGEST_BYTES), answer.subarray(start)])
  const flagsAt = 1 + (answer[0] as number)
  bytes[flagsAt] = (answer[flagsAt] as number) & ~IS_ANSWER
  return bytes
}
