// Resolves references while a message is read; `sharing` writes them. A reference gives the kind of its target, so the target
// can be created before its contents are known.

import { bareError } from './carriers.js'
import { defineOwn } from './define-own.js'
import { errorClassOf, isError, isLeaf, isMap, isSet } from './realms.js'

export const KIND = { object: 0, array: 1, map: 2, set: 3, leaf: 4, firstError: 5 } as const
export const KINDS = 16

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

  /** Fills all targets and returns the root of a decoded [leaves, root, contents]. */
  complete(message: unknown): unknown {
    if (!Array.isArray(message) || message.length !== 3) throw new Error('a message with references is malformed')
    const [leaves, root, contents] = message
    if (!Array.isArray(leaves) || !Array.isArray(contents) || contents.length !== this.#containers.size)
      throw new Error('the references and their targets do not match')
    for (const [id, target] of this.#containers) fill(target, contents[id])
    return root
  }
}

export function kindOf(object: unknown): number {
  if (Array.isArray(object)) return KIND.array
  if (isMap(object)) return KIND.map
  if (isSet(object)) return KIND.set
  if (isError(object)) {
    const index = errorClassOf(object)
    return index < 0 ? KIND.object : KIND.firstError + index
  }
  return isLeaf(object) ? KIND.leaf : KIND.object
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
