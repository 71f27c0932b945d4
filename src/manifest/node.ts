// The bytes of a node.

import type { Input } from '../inputs/input.js'
import { decodeInputs } from '../inputs/input-bytes.js'
import { HEAD_BYTES, IS_NODE, type Node } from './entry.js'

/** Decodes a node. Returns undefined if the record is an answer. @throws RangeError for bytes that are neither */
export function decodeNode(bytes: Buffer, start = 0, end = bytes.length): Node | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  if ((view.getUint8(0) & IS_NODE) === 0) return undefined
  const lists: Input[][] = []
  let at = HEAD_BYTES + 1
  for (let left = view.getUint8(HEAD_BYTES); left > 0; left--) {
    const { inputs, end: listEnd } = decodeInputs(view, at, 'reference')
    lists.push(inputs)
    at = listEnd
  }
  return { lists }
}
