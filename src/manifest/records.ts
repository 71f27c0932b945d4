// The records of a manifest, as they are looked up, changed and listed.

import type { Environment } from '../log/environment.js'
import { hashedPosition, type Position, type RecordView } from '../log-map/record.js'
import type { Entry, Head, Node, Removal } from './entry.js'
import { decodeHead } from './head.js'
import { keyStart } from './key.js'
import type { KeyParts } from './key-parts.js'

/** A key as the manifest looks it up. */
export interface EntryKey extends Position {
  bytes: Buffer
}

/** The record of a key. `check` is the record's checksum; 0 if there is no record, or a removal. */
export interface Lookup {
  head: Head | undefined
  entry: Entry | undefined
  removal: Removal | undefined
  check: number
  record: RecordView | undefined
}

export interface ListedEntry extends KeyParts {
  /** The bytes of the record's key, as a view. */
  keyBytes: Buffer
  entry: Entry
  check: number
}

export type EntryChange = { key: EntryKey } & (
  | { head: Head }
  | { answer: Entry }
  | { node: Node; epoch: number }
  | { removal: Removal }
) & { expected?: number | undefined }

/** An entry as it lies in its bucket; the buffers are views that the next call on the manifest may overwrite. */
export interface StoredEntry {
  key: EntryKey
  parts: KeyParts
  head: Head
  entry: Entry
  check: number
  /** Length of the record's frame in the file. */
  frameBytes: number
  /** Whether the head has answers or nodes, which are void without it. */
  hasAnswers: boolean
}

/** A record that holds no entry: a node, a lease, or what is left of a head. */
export interface StoredRest {
  key: EntryKey
  check: number
  frameBytes: number
  /** Whether it serves an entry, or a computation that may still be running. */
  isOfUse: boolean
}

export interface StoredPart {
  entries: StoredEntry[]
  rest: StoredRest[]
  unreadableCount: number
  next: number
  share: number
}

/** The position of a key. All versions of a key, in all projects, share a bucket. */
export function entryPosition(environment: Pick<Environment, 'hashing' | 'hashSeed'>, bytes: Buffer): Position {
  return hashedPosition(environment, bytes, keyStart(bytes))
}

export function headIn({ bytes, valueStart, end }: RecordView): Head {
  return decodeHead(bytes, valueStart, end)
}
