// The tags in a cbor message.

import { revive } from './carriers.js'
import { Targets } from './targets.js'

export const TAG = { carrier: 27, leaf: 28, reference: 29, set: 258 } as const

/** After the codec byte, the length of the shapes' text: u16. */
export const SHAPES_START = 3

/** cbor-x calls back without a context. */
let targets: Targets | undefined

/** The same tags, with the table that references are resolved in. */
export function withTargets(readMessage: () => unknown): unknown {
  targets = new Targets()
  try {
    return targets.complete(readMessage())
  } finally {
    targets = undefined
  }
}

/** The values of the tags that the writer uses. */
export const READERS: Record<number, (item: unknown) => unknown> = {
  [TAG.carrier]: revive,
  [TAG.leaf]: value => (targets ?? fail()).addLeaf(value),
  [TAG.reference]: code => (targets ?? fail()).resolve(code),
  [TAG.set]: items => (Array.isArray(items) ? new Set(items) : fail()),
}

export function fail(): never {
  throw new Error('a tag that is never written')
}
