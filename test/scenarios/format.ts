// What a scenario may say. `fixtures/scenarios/README.md` tells the same to those who write them.

import { type Computation, computation, defineStepsWhileComputing } from './computations.js'
import {
  counterName,
  duration,
  errorCode,
  expectedFields,
  inCache,
  inNamespace,
  lifetime,
  memoryName,
  note,
  oneOrMore,
  path,
  place,
  quantity,
  statistics,
} from './fields.js'
import {
  type Check,
  count,
  flag,
  json,
  list,
  named,
  object,
  oneOf,
  pattern,
  refuse,
  someOf,
  text,
  word,
  yes,
} from './schema.js'

const gcReport = {
  expiredEntries: quantity,
  staleEntries: quantity,
  keptEntries: quantity,
  removedBlobs: quantity,
  keptBlobs: quantity,
  diskBytesBefore: quantity,
  diskBytesAfter: quantity,
}
const cacheStats = {
  ...statistics.cache,
  namespaces: named(someOf(statistics.namespace)),
  uniqueSize: quantity,
  savedBytes: quantity,
}
const expectedEntry = object({ key: text }, expectedFields)
const entries = list(expectedEntry, 0)
const listing = { allVersions: yes, allProjects: yes }
const namesOf = <F extends object>(fields: F) => named(word(...(Object.keys(fields) as (keyof F & string)[])))

/** What an asking step may expect; see `answer`. */
const answerFields = object(
  {},
  {
    value: text,
    valueOneOf: list(text, 2),
    fails: text,
    computed: (value, at) => (typeof value === 'boolean' ? value : list(text, 0)(value, at)),
    reason: text,
    files: list(path, 0),
  },
)
type Answer = ReturnType<typeof answerFields>

const answer: Check<Answer> = (value, at) => {
  const checked = answerFields(value, at)
  const outcomes = ['value', 'valueOneOf', 'fails'].filter(name => Object.hasOwn(checked, name))
  if (outcomes.length !== 1) refuse(at, 'must have exactly one of "value", "valueOneOf", "fails"')
  return checked
}

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
      expect: oneOf({ value: json, valueOneOf: list(json, 2), remembered: memoryName, miss: yes, error: errorCode }),
    },
    { ...inNamespace, remember: memoryName },
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
  clear: object({ namespace: text, expect: oneOf({ count, error: errorCode }) }, { ...inNamespace, allProjects: yes }),
  list: object({ namespace: text, expect: oneOf({ entries, error: errorCode }) }, { ...inNamespace, ...listing }),
  find: object({ namespace: text, key: text, expect: oneOf({ entries, error: errorCode }) }, inNamespace),
  keys: object(
    { namespace: text, expect: oneOf({ keys: list(text, 0), error: errorCode }) },
    { ...inNamespace, ...listing },
  ),
  ask: object({ for: text, expect: answer }, { ...inCache, project: path }),
  'ask at once': object({ for: list(text, 2), expect: object({ answers: list(answer, 2) }, {}) }, inCache),
  explain: object(
    {
      namespace: text,
      expect: someOf({ isHit: flag, reason: text, file: path, input: text, otherProjects: list(path, 0) }),
    },
    { ...inNamespace, key: text, analysis: object({ name: text, file: place }, {}) },
  ),
  namespaces: object({ expect: oneOf({ names: list(text, 0) }) }, inCache),
  stats: object(
    { namespace: text, expect: oneOf({ stats: someOf(statistics.namespace), error: errorCode }) },
    { ...inNamespace, remember: namesOf(statistics.namespace) },
  ),
  'stats of all': object(
    { expect: oneOf({ stats: someOf(cacheStats) }) },
    { ...inCache, remember: namesOf(cacheStats) },
  ),
  gc: object({ expect: oneOf({ report: someOf(gcReport), error: errorCode }) }, inCache),
  close: object({}, inCache),
}

/** Steps that change files. */
const TREE_STEPS = {
  'write file': object({ file: path, text }, note),
  'edit file': object({ file: path, text }, { ...note, keepTimes: yes }),
  'touch file': object({ file: path }, note),
  'remove file': object({ file: path }, note),
  'make folder': object({ folder: path }, note),
  'make link': object({ link: path, to: text }, note),
  rename: object({ from: path, to: path }, note),
}

/** Steps of the world around the cache, done by the runner itself. */
const WORLD_STEPS = {
  'advance clock': object({ by: duration }, note),
  'set variable': object({ name: pattern(/^[A-Z_]+$/, 'a name in capitals'), value: text }, note),
  'remove variable': object({ name: pattern(/^[A-Z_]+$/, 'a name in capitals') }, note),
  'let files age': object({}, note),
  'move to another machine': object({}, note),
  'run cli': object(
    {
      command: list(text),
      expect: object(
        { exitCode: count },
        { stdout: text, stdoutHas: list(text), stderrHas: list(text), json, jsonLines: list(json, 0) },
      ),
    },
    { ...note, stdin: text, cwd: path },
  ),
}

const end = word('exit', 'close', 'kill')

type StepOf<S extends Record<string, Check<unknown>>> = {
  [K in keyof S]: { step: K } & (S[K] extends Check<infer T> ? T : never)
}[keyof S]

export type CacheStep = StepOf<typeof CACHE_STEPS>
export type TreeStep = StepOf<typeof TREE_STEPS>
export type WorldStep = StepOf<typeof WORLD_STEPS>
export type CacheStepOf<K extends CacheStep['step']> = Extract<CacheStep, { step: K }>
export type ExpectedAnswer = Answer
export type End = 'exit' | 'close' | 'kill'

/** Text in braces, `{n}`, stands for the number of the round or of the process. */
interface Repeat<S> {
  step: 'repeat'
  times: number
  counter: string
  steps: S[]
  note?: string
}

/** Another process that is waited for, by a process that does nothing else meanwhile. */
export interface ChildStep {
  step: 'another process'
  steps: ProcessStep[]
  end?: End
  note?: string
}

/** A step of one process. */
export type ActorStep = CacheStep | TreeStep | ChildStep
export type ProcessStep = ActorStep | Repeat<ProcessStep>

export interface ProcessGroup {
  steps: ProcessStep[]
  count?: number
  counter?: string
  end?: End
}

export type Step =
  | ActorStep
  | WorldStep
  | Repeat<Step>
  | { step: 'together'; steps: ProcessStep[]; note?: string }
  | { step: 'processes at once'; note?: string; processes: ProcessGroup[] }

const checkNested = <S>(steps: () => Check<S>) => list<S>((value, at) => steps()(value, at), 1, 'step')
const processSteps = checkNested<ProcessStep>(() => processStep)
const anotherProcess = object({ steps: processSteps }, { ...note, end })

const repeatOf = <S>(step: () => Check<S>) =>
  object({ times: oneOrMore, counter: counterName, steps: checkNested(step) }, note)

const actorStep: Check<ActorStep> = stepOf<ActorStep>(() => ({
  ...CACHE_STEPS,
  ...TREE_STEPS,
  'another process': anotherProcess,
}))
defineStepsWhileComputing(checkNested(() => actorStep))

const processStep: Check<ProcessStep> = stepOf<ProcessStep>(() => ({
  ...CACHE_STEPS,
  ...TREE_STEPS,
  'another process': anotherProcess,
  repeat: repeatOf<ProcessStep>(() => processStep),
}))

const anyStep: Check<Step> = stepOf<Step>(() => ({
  ...CACHE_STEPS,
  ...TREE_STEPS,
  ...WORLD_STEPS,
  repeat: repeatOf<Step>(() => anyStep),
  together: object({ steps: processSteps }, note),
  'another process': anotherProcess,
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

export type Computations = Record<string, Computation>

export interface Part {
  title: string
  steps: Step[]
  computations?: Computations
}

export interface Scenario {
  title: string
  parts: Part[]
  about?: string[]
  /** Still: begins at a fixed time and moves only by steps. Running: the real time plus what steps added. */
  clock?: 'still' | 'running'
  /** For all parts. */
  computations?: Computations
  criteria?: { claim: string; shownBy: number[] }[]
}

export const checkScenario: Check<Scenario> = object(
  {
    title: text,
    parts: list(
      object({ title: text, steps: list(anyStep, 1, 'step') }, { computations: named(computation) }),
      1,
      'part',
    ),
  },
  {
    about: list(text),
    clock: word('still', 'running'),
    computations: named(computation),
    criteria: list(object({ claim: text, shownBy: list(count) }, {})),
  },
)
