// What a scenario may say. `fixtures/scenarios/README.md` tells the same to those who write them.

import { parseComparison } from './compare.js'
import {
  type Check,
  count,
  flag,
  json,
  list,
  named,
  number,
  object,
  oneOf,
  pattern,
  refuse,
  someOf,
  text,
  word,
  yes,
} from './schema.js'

const errorCode = pattern(/^ERR_CACHE_[A-Z_]+$/, 'an error code like ERR_CACHE_KEY')
const duration = pattern(/^-?\d+ (ms|s|min|h|days)$/, 'a duration like "90 s" (ms, s, min, h, days)')
// None at all would be a step that expects nothing.
const oneOrMore: Check<number> = (value, at) => count(value, at) || refuse(at, 'must be 1 or more')
const counterName = pattern(/^[a-z]+$/, 'a name of small letters')

const quantity: Check<number | string> = (value, at) => {
  if (typeof value === 'number' || (typeof value === 'string' && parseComparison(value))) return value
  return refuse(at, `must be a number or a comparison like ">= 1" or "= 2 * one copy", not ${JSON.stringify(value)}`)
}
const quantityOrNull: Check<number | string | null> = (value, at) => (value === null ? null : quantity(value, at))

/** A path below the scenario's tree, with `/` between its parts. */
const path: Check<string> = (value, at) => {
  const checked = text(value, at)
  const isInside = checked !== '' && !checked.startsWith('/') && !checked.split('/').includes('..')
  return isInside ? checked : refuse(at, `must be a path inside the tree, not "${checked}"`)
}

const missReasons = named(quantity)
const namespaceStats = {
  entryCount: quantity,
  hitCount: quantity,
  missCount: quantity,
  missReasons,
  setCount: quantity,
  totalSize: quantity,
  oldestEntryAgeMs: quantityOrNull,
  diskBytes: quantity,
}
const cacheStats = {
  ...namespaceStats,
  namespaces: named(someOf(namespaceStats)),
  uniqueSize: quantity,
  savedBytes: quantity,
}
const gcReport = {
  expiredEntries: quantity,
  staleEntries: quantity,
  keptEntries: quantity,
  removedBlobs: quantity,
  keptBlobs: quantity,
  diskBytesBefore: quantity,
  diskBytesAfter: quantity,
}
const expectedEntry = object(
  { key: text },
  {
    version: text,
    mode: word('manual', 'ttl', 'file'),
    valid: flag,
    sizeBytes: quantity,
    ageMs: quantity,
    expiresInMs: quantity,
    files: list(path, 0),
  },
)

const lifetime = { mode: word('manual', 'ttl', 'file'), ttlMs: number, files: list(path, 0) }
const note = { note: text }
const inCache = { ...note, handle: text }
const inNamespace = { ...inCache, version: text, base: path }
const memo = pattern(/^[a-z][a-z ]*$/, 'a name of small letters and spaces')

/** Steps that use the cache: in one process, or each in a process of its own. */
export const CACHE_STEPS = {
  set: object(
    { namespace: text, key: text, value: json },
    { ...inNamespace, ...lifetime, expect: oneOf({ stored: flag, error: errorCode }) },
  ),
  'set many': object(
    { namespace: text, entries: list(object({ key: text, value: json }, lifetime), 0) },
    { ...inNamespace, expect: oneOf({ count, error: errorCode }) },
  ),
  get: object(
    {
      namespace: text,
      key: text,
      expect: oneOf({ value: json, valueOneOf: list(json, 2), remembered: memo, miss: yes, error: errorCode }),
    },
    { ...inNamespace, remember: memo },
  ),
  'get many': object(
    {
      namespace: text,
      keys: list(text),
      expect: oneOf({ results: list(oneOf({ value: json, miss: yes })), error: errorCode }),
    },
    inNamespace,
  ),
  has: object({ namespace: text, key: text, expect: oneOf({ found: flag, error: errorCode }) }, inNamespace),
  delete: object({ namespace: text, key: text, expect: oneOf({ removed: flag, error: errorCode }) }, inNamespace),
  invalidate: object({ namespace: text, key: text, expect: oneOf({ removed: flag, error: errorCode }) }, inNamespace),
  clear: object({ namespace: text, expect: oneOf({ count, error: errorCode }) }, inNamespace),
  list: object(
    { namespace: text, expect: oneOf({ entries: list(expectedEntry, 0), error: errorCode }) },
    { ...inNamespace, allVersions: yes },
  ),
  find: object(
    { namespace: text, key: text, expect: oneOf({ entries: list(expectedEntry, 0), error: errorCode }) },
    inNamespace,
  ),
  keys: object({ namespace: text, expect: oneOf({ keys: list(text, 0), error: errorCode }) }, inNamespace),
  namespaces: object({ expect: oneOf({ names: list(text, 0) }) }, inCache),
  stats: object(
    { namespace: text, expect: oneOf({ stats: someOf(namespaceStats), error: errorCode }) },
    { ...inNamespace, remember: named(word(...(Object.keys(namespaceStats) as (keyof typeof namespaceStats)[]))) },
  ),
  'stats of all': object(
    { expect: oneOf({ stats: someOf(cacheStats) }) },
    { ...inCache, remember: named(word(...(Object.keys(cacheStats) as (keyof typeof cacheStats)[]))) },
  ),
  gc: object({ expect: oneOf({ report: someOf(gcReport), error: errorCode }) }, inCache),
  close: object({}, inCache),
}

/** Steps of the world around the cache, done by the runner itself. */
const WORLD_STEPS = {
  'write file': object({ file: path, text }, note),
  'edit file': object({ file: path, text }, { ...note, keepTimes: yes }),
  'touch file': object({ file: path }, note),
  'remove file': object({ file: path }, note),
  'make folder': object({ folder: path }, note),
  rename: object({ from: path, to: path }, note),
  'advance clock': object({ by: duration }, note),
  'run cli': object(
    {
      command: list(text),
      expect: object(
        { exitCode: count },
        { stdout: text, stdoutHas: list(text), stderrHas: list(text), json, jsonLines: list(json, 0) },
      ),
    },
    { ...note, stdin: text },
  ),
}

const end = word('exit', 'close', 'kill')

type StepOf<S extends Record<string, Check<unknown>>> = {
  [K in keyof S]: { step: K } & (S[K] extends Check<infer T> ? T : never)
}[keyof S]

export type CacheStep = StepOf<typeof CACHE_STEPS>
export type WorldStep = StepOf<typeof WORLD_STEPS>
export type CacheStepOf<K extends CacheStep['step']> = Extract<CacheStep, { step: K }>
export type End = 'exit' | 'close' | 'kill'

/** Text in braces, `{n}`, stands for the number of the round or of the process. */
interface Repeat<S> {
  step: 'repeat'
  times: number
  counter: string
  steps: S[]
  note?: string
}

export type ProcessStep = CacheStep | Repeat<ProcessStep>

export interface ProcessGroup {
  steps: ProcessStep[]
  count?: number
  counter?: string
  end?: End
}

export type Step =
  | CacheStep
  | WorldStep
  | Repeat<Step>
  | { step: 'together'; steps: ProcessStep[]; note?: string }
  | ({ step: 'another process'; note?: string } & Pick<ProcessGroup, 'steps' | 'end'>)
  | { step: 'processes at once'; note?: string; processes: ProcessGroup[] }

const checkNested = <S>(steps: () => Check<S>) => list<S>((value, at) => steps()(value, at), 1, 'step')
const processSteps = checkNested<ProcessStep>(() => processStep)

const repeatOf = <S>(step: () => Check<S>) =>
  object({ times: oneOrMore, counter: counterName, steps: checkNested(step) }, note)

const processStep: Check<ProcessStep> = stepOf<ProcessStep>(() => ({
  ...CACHE_STEPS,
  repeat: repeatOf<ProcessStep>(() => processStep),
}))

const anyStep: Check<Step> = stepOf<Step>(() => ({
  ...CACHE_STEPS,
  ...WORLD_STEPS,
  repeat: repeatOf<Step>(() => anyStep),
  together: object({ steps: processSteps }, note),
  'another process': object({ steps: processSteps }, { ...note, end }),
  'processes at once': object(
    { processes: list(object({ steps: processSteps }, { count: oneOrMore, counter: counterName, end })) },
    note,
  ),
}))

function stepOf<S>(kinds: () => Record<string, Check<unknown>>): Check<S> {
  return (value, at) => {
    const { step, ...fields } = (value ?? {}) as Record<string, unknown>
    const known = kinds()
    const check = typeof step === 'string' && Object.hasOwn(known, step) ? known[step] : undefined
    if (!check) {
      const names = Object.keys(known).map(name => `"${name}"`)
      return refuse(at, `"step" must be one of ${names.join(', ')}, not ${JSON.stringify(step)}`)
    }
    return { step, ...(check(fields, `${at} (${step})`) as object) } as S
  }
}

export interface Part {
  title: string
  steps: Step[]
}

export interface Scenario {
  title: string
  parts: Part[]
  about?: string[]
  /** Still: begins at a fixed time and moves only by steps. Running: the real time plus what steps added. */
  clock?: 'still' | 'running'
  criteria?: { claim: string; shownBy: number[] }[]
}

export const checkScenario: Check<Scenario> = object(
  {
    title: text,
    parts: list(object({ title: text, steps: list(anyStep, 1, 'step') }, {}), 1, 'part'),
  },
  {
    about: list(text),
    clock: word('still', 'running'),
    criteria: list(object({ claim: text, shownBy: list(count) }, {})),
  },
)
