// What the model test does to a cache, as plain data, so that a failure shrinks to the few operations that it takes.

import fc from 'fast-check'

/** By index: of the two processes, the namespaces, versions, keys, values and sources of the test. */
interface Place {
  process: number
  namespace: number
  version: number
  key: number
}

export interface Life {
  ttlMs?: number
  files?: number[]
}

export interface Item {
  key: number
  value: number
  life: Life
}

type Target = Omit<Place, 'key'>

export type Operation =
  | ({ do: 'set'; value: number; life: Life } & Place)
  | ({ do: 'setMany'; items: Item[] } & Target)
  /** Many entries with long keys, so that files fill up and are divided. */
  | ({ do: 'fill'; from: number; count: number } & Target)
  | ({ do: 'get' | 'has' | 'explain' | 'find' } & Place)
  | ({ do: 'delete' | 'invalidate' } & Place)
  | ({ do: 'getMany'; keys: number[] } & Target)
  /** `reads`: sources that the computation looks at; `edits`: one that is changed while it runs. */
  | ({ do: 'getOrSet'; value: number; life: Life; reads: number[]; edits?: number; isSync: boolean } & Place)
  | ({ do: 'analyze'; file: number; kind: 'alone' | 'path' | 'with'; isSync: boolean } & Target)
  | ({ do: 'wrap'; argument: number } & Target)
  | ({ do: 'clear' } & Target)
  | ({ do: 'list' | 'stats' } & Target)
  | { do: 'gc'; process: number }
  /** `isKill`: without a close. */
  | { do: 'reopen'; process: number; isKill: boolean }
  /** The process is killed at its n-th file call from here on, and opened again. */
  | { do: 'kill'; at: number; share: number; during: Write }
  | { do: 'lookReadOnly' }
  | { do: 'clock'; byMs: number }
  | { do: 'fileClock'; byMs: number }
  | { do: 'edit'; file: number; content: number; how: 'replace' | 'in place' | 'touch' | 'remove' }

type With<Names> = Operation extends infer Each
  ? Each extends { do: infer Name }
    ? Name extends Names
      ? Each
      : never
    : never
  : never
export type Write = With<'set' | 'setMany' | 'fill' | 'delete' | 'invalidate' | 'clear'>
export type Read = With<'get' | 'getMany' | 'has' | 'explain' | 'find' | 'list' | 'stats' | 'wrap'>

export const PROCESSES = 2
export const NAMESPACES = ['one', 'two']
export const VERSIONS = ['', '2']
export const KEYS = ['a', 'key', 'src/file.js', 'é', 'long '.padEnd(300, 'x'), '__proto__']
export const VALUES: readonly unknown[] = [
  1,
  'text',
  'text ',
  null,
  { a: [1, { b: 'text' }] },
  ['x'.repeat(500)],
  'y'.repeat(20_000),
  { '-0': -0, big: 10n },
]
export const FILES = ['a.js', 'b.js', 'c.d.ts', 'not there.js']
/** The directory of the files can be a source, too. */
export const DIRECTORY = FILES.length
/** Some of one length: then only times or bytes tell them apart. */
export const CONTENTS = ['const a = 1', 'const a = 2', 'const b = 1', 'longer than the others', '']

const index = (list: readonly unknown[]) => fc.nat(list.length - 1)
const source = fc.nat(FILES.length)
const target = { process: fc.nat(PROCESSES - 1), namespace: index(NAMESPACES), version: index(VERSIONS) }
const place = { ...target, key: index(KEYS) }
const life: fc.Arbitrary<Life> = fc.oneof(
  fc.constant({}),
  fc.record({ ttlMs: fc.constantFrom(1, 1000, 100_000) }),
  fc.record({ files: fc.uniqueArray(source, { minLength: 1, maxLength: 3 }) }),
  fc.record({ ttlMs: fc.constantFrom(1000, 100_000), files: fc.uniqueArray(source, { minLength: 1, maxLength: 2 }) }),
)
const item = fc.record({ key: index(KEYS), value: index(VALUES), life })
const does = <Name extends string>(name: Name) => fc.constant(name)

const set = fc.record({ do: does('set'), ...place, value: index(VALUES), life })
const setMany = fc.record({ do: does('setMany'), ...target, items: fc.array(item, { maxLength: 6 }) })
/** Of two values for one key in a batch that was killed, either may be there. */
const killedSetMany = fc.record({
  do: does('setMany'),
  ...target,
  items: fc.uniqueArray(item, { maxLength: 6, selector: ({ key }) => key }),
})
const fill = fc.record({ do: does('fill'), ...target, from: fc.nat(90), count: fc.integer({ min: 1, max: 90 }) })
const removal = fc.record({ do: fc.constantFrom('delete' as const, 'invalidate' as const), ...place })
const clear = fc.record({ do: does('clear'), ...target })

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: set },
  { weight: 4, arbitrary: setMany },
  { weight: 1, arbitrary: fill },
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom('get', 'has', 'explain', 'find'), ...place }) },
  { weight: 4, arbitrary: removal },
  {
    weight: 3,
    arbitrary: fc.record({ do: does('getMany'), ...target, keys: fc.array(index(KEYS), { maxLength: 6 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        do: does('getOrSet'),
        ...place,
        value: index(VALUES),
        life,
        reads: fc.uniqueArray(source, { maxLength: 3 }),
        edits: index(FILES),
        isSync: fc.boolean(),
      },
      { requiredKeys: ['do', 'process', 'namespace', 'version', 'key', 'value', 'life', 'reads', 'isSync'] },
    ),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: does('analyze'),
      ...target,
      file: source,
      kind: fc.constantFrom('alone' as const, 'path' as const, 'with' as const),
      isSync: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: does('wrap'), ...target, argument: fc.nat(2) }) },
  { weight: 2, arbitrary: clear },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('list', 'stats'), ...target }) },
  { weight: 2, arbitrary: fc.record({ do: does('gc'), process: target.process }) },
  { weight: 3, arbitrary: fc.record({ do: does('reopen'), process: target.process, isKill: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: does('kill'),
      at: fc.integer({ min: 1, max: 25 }),
      share: fc.constantFrom(0, 0.3, 0.9, 1),
      during: fc.oneof(set, killedSetMany, fill, removal, clear),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: does('lookReadOnly') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: does('clock'),
      byMs: fc.oneof(fc.constantFrom(1, 999, 1000, 100_000, -1, -50_000, -70_000), fc.nat(10_000)),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: does('fileClock'), byMs: fc.constantFrom(1, 1999, 2001, 60_000) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: does('edit'),
      file: index(FILES),
      content: index(CONTENTS),
      how: fc.constantFrom('replace', 'in place', 'touch', 'remove'),
    }),
  },
) as fc.Arbitrary<Operation>

export const operations = fc.array(operation, { maxLength: 80, size: 'max' })
