// Turns changes of a manifest into changes of its log map.

import { type Change, changeOf } from '../log-map/record.js'
import type { Entry, Removal } from './entry.js'
import { encodeHead, encodeNode } from './entry-encoding.js'
import type { EntryChange, EntryKey, StoredEntry } from './records.js'

/** Removes the entry, but keeps what its answers need of the head. */
export function removalChange({ key, head, hasAnswers, check }: StoredEntry, removal: Removal): EntryChange {
  const change = hasAnswers ? { head: { epoch: head.epoch, removal } } : { removal }
  return { key, ...change, expected: check }
}

/** Puts an entry without answers. */
export function putOf(key: EntryKey, entry: Entry): Change {
  return changeOf('put', key, key.bytes, encodeHead({ epoch: entry.epoch, entry }))
}

export function toChange(change: EntryChange): Change {
  const { key, expected } = change
  if ('removal' in change) {
    return changeOf('remove', key, key.bytes, encodeHead({ epoch: 0, removal: change.removal }), expected)
  }
  const value =
    'head' in change
      ? encodeHead(change.head)
      : 'answer' in change
        ? encodeHead({ epoch: change.answer.epoch, entry: change.answer })
        : encodeNode(change.node, change.epoch)
  return changeOf('put', key, key.bytes, value, expected)
}
