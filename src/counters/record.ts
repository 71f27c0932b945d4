// The record that holds a process's counts.

import { writeU48 } from '../base/u48.js'
import { u32, viewOf } from '../log/frames.js'
import { type Change, changeOf, type Position } from '../log-map/record.js'
import { COUNT_BYTES, COUNTER_NAMES, type CounterName } from './names.js'

export const KEY_BYTES = 8

/** A record's key is its hash and tag. */
export function countersPosition(key: Buffer): Position | undefined {
  return key.length === KEY_BYTES ? { hash: u32(key, 0), tag: u32(key, 4) } : undefined
}

/**
 * The record of counts that were written on this day. `project` is the directory of the project whose counts these are, `''` for
 * none; `mark` says how they count.
 */
export function recordOf(
  key: Buffer,
  counts: ReadonlyMap<string, number>,
  day: number,
  project = '',
  mark = 'project',
): Change {
  const path = Buffer.from(project)
  const all = new Map(counts).set('day', day).set(mark, path.length)
  const bytes = Buffer.allocUnsafe(COUNT_BYTES * COUNTER_NAMES.length)
  const view = viewOf(bytes)
  let length = 0
  for (let index = 0; index < COUNTER_NAMES.length; index++) {
    const count = all.get(COUNTER_NAMES[index] as CounterName)
    if (!count) continue
    bytes[length] = index
    writeU48(view, length + 1, Math.min(count, 2 ** 48 - 1))
    length += COUNT_BYTES
  }
  return changeOf('put', countersPosition(key) as Position, key, Buffer.concat([bytes.subarray(0, length), path]))
}
