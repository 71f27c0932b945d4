// Faults at each call of an operation: how the store looks before, and what must hold after them, whatever the operation.

import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { beforeAll } from 'vitest'
import { CacheHandle } from '../../src/cache/cache.js'
import type { Files } from '../../src/files/files.js'
import type { Cache, CacheWarning, Namespace } from '../../src/index.js'
import { repeatedCodes } from '../support/caches.js'
import { type Fault, FaultyDisk } from '../support/files.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { counting } from '../support/torture.js'

export const count = counting()

const NOW = Date.now()
export const LARGE = Buffer.alloc(3000, 'large')

export const directory = join('/', 'disk')
export const source = join(directory, 'source.js')
export const neighbour = join(directory, 'neighbour.js')
export const work = join(directory, 'work')
/** The disk with a small store on it, to be cloned. */
export const filled = new MemoryDisk()

beforeAll(() => {
  filled.files.makeDirectory(directory)
  for (const file of [source, neighbour]) filled.write(file, Buffer.from('const a = 1'))
  const cache = open(filled.files)
  const entries = cache.namespace('tool')
  for (const [key, value] of Object.entries(ACKNOWLEDGED)) {
    entries.set(key, value, key === 'file' ? { files: [source, join(directory, 'missing')] } : {})
  }
  entries.set('gone', 1)
  entries.delete('gone')
  cache.namespace('other').set('key', 'other')
  cache.close()
  // Other times than were recorded, so that a hit has something to write.
  filled.write(source, Buffer.from('const a = 1'), 1000)
})

export const ACKNOWLEDGED: Record<string, unknown> = {
  object: { a: [1, 2, 3] },
  large: LARGE,
  file: 'bound to a file',
  ttl: 'ends late',
  plain: 'text',
}

export function open(files: Files, warnings: CacheWarning[] = [], readOnly = false): Cache {
  const onWarning = (warning: CacheWarning) => warnings.push(warning)
  return new CacheHandle(
    { dir: work, onWarning, mode: readOnly ? 'readonly' : 'readwrite', clock: () => NOW },
    { files },
  )
}

export interface Operation {
  name: string
  /** Done before there are faults. */
  before?(entries: Namespace): unknown
  run(entries: Namespace, cache: Cache): unknown
  /** What the operation may give, and what each key that it is about may then hold; all other keys hold what they held. */
  outcomes: { gives: unknown; holds?: Record<string, unknown[]> }[]
  /** The sources are on a disk that works. */
  isOfStoreAlone?: boolean
  /** The store is on a disk that works, and says nothing of what fails. */
  isOfSourceAlone?: boolean
}

export const ANYTHING = Symbol('whatever it gives')

export const FAULTS: Omit<Fault, 'at'>[] = [
  { code: 'ENOSPC', span: 'once' },
  { code: 'ENOSPC', span: 'lasting', writtenShare: 0.6 },
  { code: 'EIO', span: 'once', writtenShare: 1 },
  { code: 'EIO', span: 'lasting' },
  { code: 'EIO', span: 'lasting', writtenShare: 1 },
  { code: 'EACCES', span: 'once' },
  { code: 'EROFS', span: 'lasting' },
  { code: 'EMFILE', span: 'once' },
  { code: 'EMFILE', span: 'lasting' },
  { code: 'short write', span: 'once', isShort: true, writtenShare: 0.4 },
  { code: 'short write', span: 'lasting', isShort: true, writtenShare: 0 },
]

// A thousand times faster than `expect`, of which there would be a million here.
const matches = (actual: unknown, expected: unknown) => expected === ANYTHING || isDeepStrictEqual(actual, expected)

/** Runs the operation with a fault at each of its calls in turn; returns how many there were. */
export function sweep(operation: Operation, kind: Omit<Fault, 'at'>, isWarm: boolean): number {
  for (let at = 1; ; at++) {
    const where = `${operation.name}, ${kind.code} ${kind.span} at call ${at}${isWarm ? ', warm' : ''}`
    const memory = filled.clone()
    const disk = new FaultyDisk(memory)
    const warnings: CacheWarning[] = []
    const cache = open(disk.files, warnings)
    const entries = cache.namespace('tool')
    if (isWarm) {
      entries.get('plain')
      entries.set('plain', ACKNOWLEDGED.plain)
    }
    operation.before?.(entries)
    disk.fail({ ...kind, at, below: operation.isOfStoreAlone ? work : operation.isOfSourceAlone ? source : '' })
    let given: unknown
    try {
      given = operation.run(entries, cache)
    } catch (error) {
      throw new Error(`${where}: threw`, { cause: error })
    }
    const hasFailed = disk.hasFailed
    const outcome = operation.outcomes.find(({ gives }) => matches(given, gives))
    if (!outcome) throw new Error(`${where}: gave ${JSON.stringify(given)}`)
    if (!hasFailed && outcome !== operation.outcomes[0]) throw new Error(`${where}: failed without a fault`)
    const demand = (holds: boolean, what: string) => {
      if (!holds) throw new Error(`${where}: ${what}`, { cause: warnings })
    }
    demand(repeatedCodes(warnings).length === 0, 'warned twice')
    const isTold = warnings.length > 0 !== (operation.isOfSourceAlone === true)
    demand(!hasFailed || outcome === operation.outcomes[0] || isTold, 'failed without a warning, or with one')
    const other = open(memory.files)
    verify(other, outcome.holds ?? {}, `${where}, seen by another process while the fault lasts`)
    disk.heal()
    const isOpen = operation.name !== 'close'
    if (isOpen) verify(cache, outcome.holds ?? {}, `${where}, seen after it`)
    demand(other.namespace('tool').set('after', at), 'another process cannot set')
    if (isOpen) {
      demand(entries.set('after', -at), 'nothing can be set after it')
      demand(entries.get('after') === -at, 'what is set after it is lost')
      demand(cache.namespace('other').get('key') === 'other', 'another namespace is harmed')
      cache.close()
    }
    other.close()
    const last = open(memory.files)
    demand(last.namespace('tool').get('after') === (isOpen ? -at : at), 'what was set last is lost')
    last.close()
    count('faults')
    if (!hasFailed) return at - 1
  }
}

export function verify(cache: Cache, changed: Record<string, unknown[]>, where: string): void {
  const entries = cache.namespace('tool')
  for (const key of new Set([...Object.keys(ACKNOWLEDGED), ...Object.keys(changed)])) {
    const allowed = changed[key] ?? [ACKNOWLEDGED[key]]
    const actual = entries.get(key)
    if (!allowed.some(value => matches(actual, value))) throw new Error(`${where}: ${key} is ${JSON.stringify(actual)}`)
  }
}
