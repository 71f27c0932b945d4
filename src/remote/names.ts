// Names of answers in a store: SHA-256 over everything that makes a question, as 64 hexadecimal digits.
//
// The first name of a question holds its latest answer with the inputs that it saw. If these inputs differ here, the second
// name is made of the question and the current state of the same inputs. So a branch that changes a configuration finds its
// own answers with one more request.

import { createHash } from 'node:crypto'
import { FORMAT_VERSION } from '../base/layout.js'
import { type Input, nameOf } from '../inputs/input.js'
import { encodeInputs } from '../inputs/input-bytes.js'

const FORMAT = `wicked-cache remote 1, values ${FORMAT_VERSION}`

export interface QuestionParts {
  scope: string
  epoch: string
  namespace: string
  /** Version, kind and key, as in the manifest. */
  key: Uint8Array
  /** Digest of the declared files and inputs. */
  digest: Uint8Array | undefined
  /** The SHA-256 of the analyzed file's contents. */
  content: Uint8Array | undefined
}

export function questionName({ scope, epoch, namespace, key, digest, content }: QuestionParts): string {
  return nameFrom(['question', scope, epoch, namespace, key, digest, content])
}

/** The name of an answer for one state of its inputs. */
export function stateName(question: string, inputs: readonly Input[]): string {
  const sorted = [...inputs].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
  return nameFrom(['state', question, encodeInputs(sorted, 'state')])
}

export function fullDigest(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest()
}

/**
 * Each part is prefixed with its length; a missing part has a prefix of its own. So different lists never give equal bytes.
 */
function nameFrom(parts: readonly (string | Uint8Array | undefined)[]): string {
  const hash = createHash('sha256').update(FORMAT)
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    const length = Buffer.alloc(5)
    if (bytes) length.writeUInt8(1, length.writeUInt32LE(bytes.length, 0))
    hash.update(length)
    if (bytes) hash.update(bytes)
  }
  return hash.digest('hex')
}
