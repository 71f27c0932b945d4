// What the golden store of format version 1 holds. Written once by `make.ts`; later versions must still read it.

import type { Cache } from '../../src/index.js'

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
}

const PARENT = { type: 'Block' }
/** Values of many objects. */
export const TREES: Record<string, unknown> = {
  plain: Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? { type: 'Name', name: 'é' } : { type: 'Call', of: [i] })),
  shared: Array.from({ length: 80 }, (_, i) => ({ type: 'Name', name: `n${i}`, parent: PARENT })),
}

export const LARGE_COUNT = 4200

/** Fills an empty cache whose clock stands at CREATED_AT. */
export function fill(cache: Cache, base: string): void {
  const values = cache.namespace('values', { version: '1.0.0' })
  for (const [key, value] of Object.entries(VALUES)) values.set(key, value)
  cache.namespace('twin').set('text', VALUES.text)
  cache.namespace('@scope/Modes').set('ttl', 'an hour', { ttlMs: 3_600_000 })
  cache.namespace('@scope/Modes', { base }).set('file', 'no config', { files: [`${base}/absent.json`] })
  cache.namespace('@scope/Modes').set('gone', 'deleted')
  cache.namespace('@scope/Modes').delete('gone')
  cache.namespace('cyclic', { cyclic: true }).set('cycle', CYCLIC)
  const large = cache.namespace('large')
  for (let i = 0; i < LARGE_COUNT; i++) large.set(`key ${i}`, `value ${i % 10}`)
  const trees = cache.namespace('trees', { cyclic: true })
  for (const [key, tree] of Object.entries(TREES)) trees.set(key, tree)
}
