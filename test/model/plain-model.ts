// What plain sets and gets give, of keys that nothing computes: a map in memory.

import { join } from 'node:path'
import type { Handle, Program, Turn } from './program.js'
import { projectOf } from './tree.js'

interface Value {
  value: string
  setAtMs: number
  ttl: number | undefined
  /** Whether it may be gone because a file changed. */
  hasFiles: boolean
}

export class PlainModel {
  readonly #base: string
  readonly #program: Program
  /** By namespace and project, then by version and key. */
  readonly #spaces = new Map<string, Map<string, Value>>()

  constructor(base: string, program: Program) {
    this.#base = base
    this.#program = program
  }

  /** @throws if what the plain operations of a turn gave isn't what the map gives */
  check({ actions, cwd }: Turn, given: readonly unknown[], nowMs: number): void {
    let at = 0
    for (const action of actions) {
      if (action.do !== 'plain') continue
      const { operation, key } = action
      const { namespace, version, isUser } = this.#program.handles[action.handle] as Handle
      const project = isUser ? 'user' : projectOf(this.#base, action.at, cwd)
      const space = this.#spaceOf(`${namespace} ${join(project)}`)
      const name = `${version} ${key}`
      const known = space.get(name)
      const isThere = known !== undefined && (known.ttl === undefined || nowMs - known.setAtMs < known.ttl)
      const result = given[at++]
      let expected: unknown = result
      if (operation.do === 'set') {
        space.set(name, {
          value: operation.value,
          setAtMs: nowMs,
          ttl: operation.ttl,
          hasFiles: operation.files !== undefined,
        })
        expected = true
      } else if (operation.do === 'get') expected = isThere ? known.value : null
      else if (operation.do === 'has') expected = isThere
      else if (operation.do === 'clear') space.clear()
      else {
        expected = known !== undefined
        space.delete(name)
      }
      // A key that a flight computes is not for this map; nor whether a file has changed.
      if (key.startsWith('flight') || (known?.hasFiles && operation.do !== 'set' && !result)) continue
      if (result !== expected)
        throw new Error(`${operation.do} of ${key} in ${project} gave ${String(result)}, not ${String(expected)}`)
    }
  }

  #spaceOf(name: string): Map<string, Value> {
    const space = this.#spaces.get(name) ?? new Map<string, Value>()
    this.#spaces.set(name, space)
    return space
  }
}
