// Cycles and shared references. A message that has any is [leaves, root, contents]. A value that occurs more than once is in
// one of the two lists, and references to it are written elsewhere. cbor-x's own structured clone isn't used: its 16-bit ids
// overflow silently, it decodes cycles through a Map or Set wrongly, and it recurses as deep as the graph is long.

import { type Context, prepare, prepareContents } from './prepare.js'
import { isError, isMap, isSet } from './realms.js'
import { Refusal, reasonOf, refusalIn, type Segment } from './refusal.js'
import { KIND, KINDS, kindOf } from './targets.js'
/** Tag 29 around id * KINDS + kind. The kind lets a reader create the target before it reads the contents. */
export class Reference {
  readonly code: number

  constructor(id: number, kind: number) {
    this.code = id * KINDS + kind
  }
}

/** Tag 28 around a value that can't contain others, so it is complete before anything refers to it. */
export class Leaf {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

interface Origin {
  parent: object | undefined
  segment: Segment
  isShared: boolean
}

/** The message for a value with shared references; undefined if it has none. @throws Refusal */
export function prepareShared(root: unknown, context: Context): unknown[] | undefined {
  if (typeof root !== 'object' || root === null) return undefined
  const origins = findOrigins(root)
  const leaves: object[] = []
  const containers: object[] = []
  const references = new Map<object, Reference>()
  for (const [object, { isShared }] of origins) {
    if (!isShared) continue
    const kind = kindOf(object)
    const list = kind === KIND.leaf ? leaves : containers
    references.set(object, new Reference(list.length, kind))
    list.push(object)
  }
  if (references.size === 0) return undefined
  context.references = references
  const contentsOf = (object: object) => {
    try {
      return prepareContents(object, 1, context)
    } catch (error) {
      throw refusalFrom(error, object, origins)
    }
  }
  return [leaves.map(leaf => new Leaf(contentsOf(leaf))), prepare(root, 1, context), containers.map(contentsOf)]
}

/** Every object in the value with the path where it was first seen, in an order that depends on the value alone. */
function findOrigins(root: object): Map<object, Origin> {
  const origins = new Map<object, Origin>([[root, { parent: undefined, segment: '', isShared: false }]])
  let parent = root
  const visit = (child: unknown, segment: Segment) => {
    if (typeof child !== 'object' || child === null) return
    const known = origins.get(child)
    if (known) known.isShared = true
    else origins.set(child, { parent, segment, isShared: false })
  }
  // A Map also iterates over entries added during the loop. So this is a breadth-first walk of any depth, without recursion.
  for (parent of origins.keys()) {
    try {
      visitChildren(parent, visit)
    } catch (error) {
      throw refusalFrom(new Refusal(reasonOf(error), parent, error), parent, origins)
    }
  }
  return origins
}

function visitChildren(object: object, visit: (child: unknown, segment: Segment) => void): void {
  if (Array.isArray(object)) {
    for (let i = 0; i < object.length; i++) {
      // `prepare` refuses holes later. Until then, a sparse array of four billion elements must not keep this loop busy.
      if (object[i] === undefined && !Object.hasOwn(object, i)) return
      visit(object[i], i)
    }
  } else if (isMap(object)) {
    let i = 0
    for (const [key, item] of object) {
      visit(key, ['keys', i])
      visit(item, ['values', i++])
    }
  } else if (isSet(object)) {
    let i = 0
    for (const item of object) visit(item, ['values', i++])
  } else if (!ArrayBuffer.isView(object)) {
    const keys = isError(object) ? Object.getOwnPropertyNames(object) : Object.keys(object)
    for (const key of keys) visit((object as Record<string, unknown>)[key], key)
  }
}

function refusalFrom(error: unknown, object: object, origins: ReadonlyMap<object, Origin>): unknown {
  let refusal = error
  let origin = origins.get(object)
  while (origin?.parent) {
    refusal = refusalIn(refusal, origin.parent, origin.segment)
    origin = origins.get(origin.parent)
  }
  return refusal
}
