// What the golden store of format version 1 holds: entries of each scope and kind, with inputs of each form.

import type { Cache, ComputeContext, Namespace } from '../../src/index.js'

/** All times in the store are this one. */
export const CREATED_AT = Date.UTC(2026, 0, 1)

export const CYCLIC: { name: string; self?: unknown } = { name: 'cycle' }
CYCLIC.self = CYCLIC

export const VALUES: Record<string, unknown> = {
  text: 'a value',
  summary: { file: 'src/a.js', functions: ['main', 'help'], lines: 42, ratio: 0.5, missing: null },
  list: [1, -1, 2 ** 40, 1.5, true, false, null, 'é', '😀'],
  containers: { map: new Map([[1, 'one']]), set: new Set(['x']), bytes: new Uint8Array([1, 2, 3]), date: new Date(0) },
  big: 12345678901234567890n,
  odd: { minusZero: -0, ['__proto__' as string]: 1 },
  node: {
    type: 'Literal',
    value: /é+/gu,
    raw: undefined,
    size: -(2n ** 70n),
    mean: 0.5,
    text: 'long text '.repeat(500),
  },
}

const PARENT = { type: 'Block' }
const DATED = Array.from({ length: 80 }, (_, i) => ({ type: 'Change', at: new Date(i * 1000) }))
/** Values of many objects, in records and in cbor. */
export const TREES: Record<string, unknown> = {
  plain: Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? { type: 'Name', name: 'é' } : { type: 'Call', of: [i] })),
  shared: Array.from({ length: 80 }, (_, i) => ({ type: 'Name', name: `n${i}`, parent: PARENT })),
  dated: DATED,
  sharedDates: [DATED, DATED[0], new Map([[DATED[1], PARENT]])],
  sharedMaps: [VALUES.containers, VALUES.containers],
}

export const LARGE_COUNT = 8000

/** A directory that is on no machine. */
export const PROJECT = '/nowhere/project'
const VARIABLES = Array.from({ length: 6 }, (_, i) => `WICKED_CACHE_GOLDEN_${i}`)
/** States of the environment, each of which has an answer. */
export const STATES = ['one', 'two']

/** Calls `fn` while all variables have this value. */
function inState<T>(state: string, fn: () => T): T {
  for (const name of VARIABLES) process.env[name] = state
  try {
    return fn()
  } finally {
    for (const name of VARIABLES) delete process.env[name]
  }
}

/** What is computed by each call; `compute` gives the value. */
export function computedBy(cache: Cache, compute: (value: unknown) => unknown): unknown[] {
  const plain = cache.namespace('computed', { project: PROJECT })
  const portable = cache.namespace('portable', { project: PROJECT, portable: true })
  const read = (entries: Namespace, state: string, ...args: [(context: ComputeContext) => unknown, object?]) =>
    inState(state, () => entries.getOrSetSync('key', ...args))
  // Its text doesn't depend on what compiles it.
  const wrapped = Object.assign((of: string) => compute([of]), { toString: () => 'of => [of]' })
  return STATES.flatMap(state => [
    read(plain, state, ctx => compute([VARIABLES.map(ctx.env), ctx.exists(`${PROJECT}/a`)])),
    read(portable, state, ctx => compute([VARIABLES.slice(0, 2).map(ctx.env), ctx.exists(`${PROJECT}/a`)]), {
      inputs: { strict: true },
      ttl: '30d',
    }),
    plain.wrapSync('wrapped', wrapped)(state),
    inState(state, () =>
      plain.analyzeSync('shout', { path: `${PROJECT}/src/a.js`, source: state }, ({ source, env }) =>
        compute([source, env(VARIABLES[0] as string)]),
      ),
    ),
  ])
}

export const COMPUTED = STATES.flatMap(state => [
  [VARIABLES.map(() => state), false],
  [[state, state], false],
  [state],
  [state, state],
])

/** Fills an empty cache whose clock stands at CREATED_AT. */
export function fill(cache: Cache): void {
  computedBy(cache, value => value)
  const values = cache.namespace('values', { version: '1.0.0', project: PROJECT })
  for (const [key, value] of Object.entries(VALUES)) values.set(key, value)
  cache.namespace('twin', { project: false }).set('text', VALUES.text)
  const modes = cache.namespace('@scope/Modes', { project: PROJECT })
  modes.set('ttl', 'an hour', { ttl: 3_600_000 })
  modes.set('file', 'no config', { files: [`${PROJECT}/absent.json`] })
  modes.set('gone', 'deleted')
  modes.delete('gone')
  modes.in(`${PROJECT}/packages/a`).set('ttl', 'of another project')
  cache.namespace('cyclic', { cyclic: true, project: false }).set('cycle', CYCLIC)
  const large = cache.namespace('large', { project: false })
  for (let i = 0; i < LARGE_COUNT; i++) large.set(`key ${i}`, `value ${i % 10}`)
  const trees = cache.namespace('trees', { cyclic: true, project: false })
  for (const [key, tree] of Object.entries(TREES)) trees.set(key, tree)
}
