// How answers are named in a store: by SHA-256 over all that makes a question. A name is 64 hexadecimal digits.
//
// A question has one name, and under it is its latest answer, with the inputs that led to it. Where these are others here, they
// also say where to look: the second name is that of the question and what the inputs are now. So a branch that changes a
// configuration finds its own answers, with one more request.

import { createHash } from 'node:crypto'
import { FORMAT_VERSION } from '../base/layout.js'
import { type Input, nameOf } from '../inputs/input.js'
import { encodeInputs } from '../inputs/input-bytes.js'

const FORMAT = `wicked-cache remote 1, values ${FORMAT_VERSION}`

export interface QuestionParts {
  scope: string
  epoch: string
  namespace: string
  /** Of the manifest: version, kind and key. */
  key: Uint8Array
  /** Of declared files and inputs. */
  digest: Uint8Array | undefined
  /** The SHA-256 of the analyzed file, all of it. */
  content: Uint8Array | undefined
}

export function questionName({ scope, epoch, namespace, key, digest, content }: QuestionParts): string {
  return nameFrom(['question', scope, epoch, namespace, key, digest, content])
}

/** Of an answer for one state of its inputs. */
export function stateName(question: string, inputs: readonly Input[]): string {
  const sorted = [...inputs].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
  return nameFrom(['state', question, encodeInputs(sorted, 'state')])
}

export function fullDigest(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest()
}

/** Each part has its length before it, and one that is missing has none: no two lists of parts are written alike. */
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
