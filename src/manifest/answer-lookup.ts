import type { LogMap } from '../log-map/log-map.js'
import type { Entry, Node } from './entry.js'
import { decodeNode } from './node.js'
import { type EntryKey, headIn } from './records.js'

/** A node, or an answer's entry. */
export interface LookedAnswer {
  node?: Node | undefined
  entry?: Entry | undefined
  check: number
}

/** Looks up an answer's key. @throws errno-style errors; RangeError for a record that is neither */
export function lookAnswer(map: LogMap, key: EntryKey): LookedAnswer | undefined {
  const found = map.get(key, key.bytes)
  if (!found?.isPut) return undefined
  const node = decodeNode(found.bytes, found.valueStart, found.end)
  return { node, entry: node ? undefined : headIn(found).entry, check: found.check }
}
