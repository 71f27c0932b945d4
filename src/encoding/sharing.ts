// Cycles and shared references. A message with any is [leaves, root, contents]: whatever is met more than once stands in
// one of the two lists, and everywhere else a reference stands in for it. cbor-x's own structured clone has 16-bit ids
// that overflow in silence, decodes cycles through a Map or Set wrongly, and nests as deep as the graph is long.

import { bareError, defineOwn, ERROR_CLASSES } from './carriers.js'
import { type Context, prepare, prepareContents } from './prepare.js'
import { Refusal, reasonOf, refusalIn, type Segment } from './refusal.js'

/** On the wire: tag 29 around id * KINDS + kind. The kind lets a reader make the target before it has read its contents. */
export class Reference {
  readonly code: number

  constructor(id: number, kind: number) {
    this.code = id * KINDS + kind
  }
}

/** On the wire: tag 28 around a value that cannot hold others, so that it is complete before anything refers to it. */
export class Leaf {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

const KIND = { object: 0, array: 1, map: 2, set: 3, leaf: 4, firstError: 5 } as const
const KINDS = 16

interface Origin {
  parent: object | undefined
  segment: Segment
  isShared: boolean
}

/** What to write for a value in which references may be shared; undefined when none is. @throws Refusal */
export function prepareShared(root: unknown, classInstances: Context['classInstances']): unknown[] | undefined {
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
  const context: Context = { classInstances, references }
  const contentsOf = (object: object) => {
    try {
      return prepareContents(object, 1, context)
    } catch (error) {
      throw refusalFrom(error, object, origins)
    }
  }
  return [leaves.map(leaf => new Leaf(contentsOf(leaf))), prepare(root, 1, context), containers.map(contentsOf)]
}

/** The targets of one message's references while it is read. */
export class Targets {
  readonly #leaves: unknown[] = []
  readonly #containers = new Map<number, object>()

  addLeaf(value: unknown): unknown {
    this.#leaves.push(value)
    return value
  }

  resolve(code: unknown): unknown {
    if (typeof code !== 'number' || !Number.isSafeInteger(code) || code < 0) throw new Error('a reference is malformed')
    const kind = code % KINDS
    const id = (code - kind) / KINDS
    if (kind === KIND.leaf) {
      if (id >= this.#leaves.length) throw new Error('a reference has no target')
      return this.#leaves[id]
    }
    const target = this.#containers.get(id) ?? emptyOf(kind)
    if (kindOf(target) !== kind) throw new Error('two references disagree about their target')
    this.#containers.set(id, target)
    return target
  }

  /** The root of a decoded [leaves, root, contents], once every target has its contents. */
  complete(message: unknown): unknown {
    if (!Array.isArray(message) || message.length !== 3) throw new Error('a message with references is malformed')
    const [leaves, root, contents] = message
    if (!Array.isArray(leaves) || !Array.isArray(contents) || contents.length !== this.#containers.size)
      throw new Error('the references and their targets do not match')
    for (const target of [...this.#leaves, ...this.#containers.values()]) {
      // cbor-x keeps the reader of a record on the array of its keys, and a malformed message can refer to that array.
      if (Object.hasOwn(target as object, 'read')) throw new Error('a reference stands for the keys of a record')
    }
    for (const [id, target] of this.#containers) fill(target, contents[id])
    return root
  }
}

/** Every object in the value, in an order that depends on nothing else, with the place where it was first met. */
function findOrigins(root: object): Map<object, Origin> {
  const origins = new Map<object, Origin>([[root, { parent: undefined, segment: '', isShared: false }]])
  let parent = root
  const visit = (child: unknown, segment: Segment) => {
    if (typeof child !== 'object' || child === null) return
    const known = origins.get(child)
    if (known) known.isShared = true
    else origins.set(child, { parent, segment, isShared: false })
  }
  // A Map iterates over what is added meanwhile too: this is breadth-first, at any depth, without recursion.
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
      // The walk refuses a hole; a sparse array of four billion must not keep this one busy before it.
      if (object[i] === undefined && !Object.hasOwn(object, i)) return
      visit(object[i], i)
    }
  } else if (object instanceof Map) {
    let i = 0
    for (const [key, item] of object) {
      visit(key, ['keys', i])
      visit(item, ['values', i++])
    }
  } else if (object instanceof Set) {
    let i = 0
    for (const item of object) visit(item, ['values', i++])
  } else if (!ArrayBuffer.isView(object)) {
    const keys = object instanceof Error ? Object.getOwnPropertyNames(object) : Object.keys(object)
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

function kindOf(object: unknown): number {
  if (Array.isArray(object)) return KIND.array
  if (object instanceof Map) return KIND.map
  if (object instanceof Set) return KIND.set
  if (object instanceof Error) {
    const index = ERROR_CLASSES.findIndex(ErrorClass => ErrorClass.prototype === Object.getPrototypeOf(object))
    return index < 0 ? KIND.object : KIND.firstError + index
  }
  const isLeaf =
    ArrayBuffer.isView(object) || object instanceof ArrayBuffer || object instanceof Date || object instanceof RegExp
  return isLeaf ? KIND.leaf : KIND.object
}

function emptyOf(kind: number): object {
  switch (kind) {
    case KIND.object:
      return {}
    case KIND.array:
      return []
    case KIND.map:
      return new Map()
    case KIND.set:
      return new Set()
    default:
      return bareError(kind - KIND.firstError)
  }
}

function fill(target: object, contents: unknown): void {
  if (typeof contents !== 'object' || contents === null || kindOf(contents) !== kindOf(target) || contents === target)
    throw new Error('a reference and its target are of different kinds')
  if (Array.isArray(target)) {
    for (const item of contents as unknown[]) target.push(item)
  } else if (target instanceof Map) {
    for (const [key, item] of contents as Map<unknown, unknown>) target.set(key, item)
  } else if (target instanceof Set) {
    for (const item of contents as Set<unknown>) target.add(item)
  } else if (target instanceof Error) {
    Object.defineProperties(target, Object.getOwnPropertyDescriptors(contents))
  } else if (Object.hasOwn(contents, '__proto__')) {
    for (const [key, item] of Object.entries(contents)) defineOwn(target, key, item)
  } else {
    Object.assign(target, contents)
  }
}
