// The operations that a client can request.

import type { Cache, Namespace } from '../../src/index.js'
import { type Analysis, getAnalysis, setAnalysis } from './analyses.js'
import { type Handles, HandleTable } from './handles.js'
import { assertPath, type Request, RequestError } from './request.js'

export interface Answer {
  members: Record<string, unknown>
  /** Bytes of JSON for the member `value`. */
  value?: Uint8Array | undefined
}

type Members = Record<string, unknown>

interface Operation {
  /** The members besides `id` and `op`. */
  members: readonly string[]
  run(handles: Handles, members: Members, value: Buffer | undefined): Answer
}

const PLACE = ['namespace', 'version', 'project']
const ANALYSIS = ['name', 'file', 'source', 'inputs']

const OPERATIONS: Readonly<Record<string, Operation>> = {
  get: {
    members: [...PLACE, 'key', ...ANALYSIS],
    run({ json }, members) {
      const value = 'name' in members ? getAnalysis(json, analysisOf(members)) : json.get(keyOf(members))
      return { members: { hit: value !== undefined }, value }
    },
  },
  set: {
    members: [...PLACE, 'key', 'value', 'ttl', 'files', ...ANALYSIS],
    run({ json }, members, value) {
      if (!value) throw new RequestError('set needs a value.')
      if ('name' in members) {
        textOf(members, 'source')
        return { members: { existed: setAnalysis(json, analysisOf(members), value) } }
      }
      return { members: { stored: json.set(keyOf(members), value, lifetimeOf(members)) } }
    },
  },
  has: {
    members: [...PLACE, 'key'],
    run: ({ plain }, members) => ({ members: { has: plain.has(keyOf(members)) } }),
  },
  delete: {
    members: [...PLACE, 'key'],
    run: ({ plain }, members) => ({ members: { removed: plain.delete(keyOf(members)) } }),
  },
  invalidate: {
    members: [...PLACE, 'key'],
    run: ({ plain }, members) => ({ members: { removed: plain.invalidate(keyOf(members)) } }),
  },
  clear: {
    members: [...PLACE, 'allProjects'],
    run: ({ plain }, members) => ({ members: { count: plain.clear(optionsOf(members, ['allProjects'])) } }),
  },
  list: {
    members: [...PLACE, 'allProjects', 'allVersions'],
    run({ plain }, members) {
      const entries = [...plain.entries(optionsOf(members, ['allProjects', 'allVersions']))]
      return { members: { entries: entries.sort((a, b) => a.createdAt - b.createdAt) } }
    },
  },
  stats: {
    members: PLACE,
    run: ({ plain }) => ({ members: { stats: statsOf(plain) } }),
  },
  explain: {
    members: [...PLACE, 'key', 'name', 'file'],
    run({ plain }, members) {
      const { name, file } = 'name' in members ? analysisOf(members) : {}
      const key = name === undefined || file === undefined ? keyOf(members) : { name, file }
      return { members: { explanation: plain.explain(key) } }
    },
  },
  analyses: {
    members: [...PLACE, 'name', 'file'],
    run({ plain }, members) {
      const { name } = members
      const file = pathOf(members, 'file')
      const analyses = plain.find(name === undefined ? { file } : { file, name: textOf(members, 'name') })
      return { members: { analyses } }
    },
  },
}

/** Executes requests. */
export class Operations {
  readonly #handles: HandleTable
  readonly #cache: Cache

  constructor(cache: Cache) {
    this.#cache = cache
    this.#handles = new HandleTable(cache)
  }

  /** @throws RequestError; CacheError */
  run({ members, value }: Request): Answer {
    const { op } = members
    if (op === 'namespaces') {
      assertMembers('namespaces', members)
      return { members: { namespaces: this.#cache.namespaces() } }
    }
    const operation = typeof op === 'string' && Object.hasOwn(OPERATIONS, op) ? OPERATIONS[op] : undefined
    if (!operation) {
      const known = [...Object.keys(OPERATIONS), 'namespaces', 'close'].join(', ')
      throw new RequestError(`There is no operation ${JSON.stringify(op)}; there are ${known}.`)
    }
    assertMembers(String(op), members, operation.members)
    return operation.run(this.#handles.of(members), members, value)
  }
}

/** @throws RequestError */
export function assertMembers(op: string, members: Members, known: readonly string[] = []): void {
  const unknown = Object.keys(members).find(name => name !== 'id' && name !== 'op' && !known.includes(name))
  if (unknown !== undefined) {
    throw new RequestError(
      `${op} has no member ${JSON.stringify(unknown)}; there are ${['id', 'op', ...known].join(', ')}.`,
    )
  }
}

function textOf(members: Members, name: string): string {
  const text = members[name]
  if (typeof text !== 'string') throw new RequestError(`${name} must be a text.`)
  return text
}

const pathOf = (members: Members, name: string) => assertPath(members[name])

/** @throws RequestError */
function refuseMembers(what: string, members: Members, names: readonly string[]): void {
  const given = names.find(name => name in members)
  if (given !== undefined) throw new RequestError(`${what} takes no member ${given}.`)
}

function analysisOf(members: Members): Analysis {
  refuseMembers('An analysis', members, ['key', 'ttl', 'files'])
  return {
    name: textOf(members, 'name'),
    file: pathOf(members, 'file'),
    ...('source' in members ? { source: textOf(members, 'source') } : {}),
    inputs: members.inputs,
  }
}

function keyOf(members: Members): string {
  refuseMembers('An entry by its key', members, ['file', 'source', 'inputs'])
  return textOf(members, 'key')
}

function lifetimeOf({ ttl, files }: Members) {
  if (files !== undefined && !Array.isArray(files)) throw new RequestError('files must be a list of paths.')
  return {
    ...(ttl === undefined ? {} : { ttl: ttl as number | string }),
    ...(files === undefined ? {} : { files: files.map(assertPath) }),
  }
}

function optionsOf(members: Members, names: readonly string[]): Record<string, boolean> {
  const given = names.filter(name => name in members)
  return Object.fromEntries(given.map(name => [name, members[name] as boolean]))
}

/** Statistics of the whole namespace; `here` has those of the client's own keys and the portable ones. */
function statsOf(plain: Namespace) {
  const stats = plain.stats()
  const { entryCount, totalSize, oldestEntryAgeMs } = stats
  if (plain.project === null && Object.keys(stats.projects).length === 0) {
    return { ...stats, here: { entryCount, totalSize, oldestEntryAgeMs } }
  }
  const here = { entryCount: 0, totalSize: 0, oldestEntryAgeMs: null as number | null }
  for (const { sizeBytes, ageMs } of plain.entries({ allVersions: true })) {
    here.entryCount++
    here.totalSize += sizeBytes
    here.oldestEntryAgeMs = Math.max(here.oldestEntryAgeMs ?? 0, ageMs)
  }
  return { ...stats, here }
}
