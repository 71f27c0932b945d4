// What a scenario may say about a computation: how it is asked for, and what its function does.

import { namespaceFields, oneOrMore, path, place } from './fields.js'
import type { ActorStep } from './format.js'
import { type Check, json, list, object, refuse, text, word, yes } from './schema.js'

const otherEntry = { namespace: text, version: text, project: path, userWide: yes }
type OtherEntry = { namespace?: string; version?: string; project?: string; userWide?: true }

/** One thing that a computation's function does. What it gives becomes a part of the result. */
export type Action =
  | { say: string }
  | { read: string }
  | { 'try to read': string }
  | { 'read directly': string }
  | { exists: string }
  | { list: string }
  | { glob: string[]; from?: string }
  | { variable: string }
  | { ask: string; quietly?: true }
  | ({ get: string } & OtherEntry)
  | ({ has: string } & OtherEntry)
  | { 'list keys': string }
  | { 'name late': string[] }
  | { take: 'source' | 'relativePath' | 'path' }
  | { argument: number }
  | { untracked: Action[] }
  | { 'while computing': ActorStep[] }
  | { meet: string; of: number }
  | { throw: string }

const actions: Check<Action[]> = (value, at) => list(action, 1, 'action')(value, at)

type Verbs = Record<string, [check: Check<unknown>, others?: Record<string, Check<unknown>>]>

/** The steps of `while computing` are those of `together`, which can hold computations again. */
let stepsWhileComputing: Check<ActorStep[]> = (_, at) => refuse(at, 'is not known here')

export function defineStepsWhileComputing(check: Check<ActorStep[]>): void {
  stepsWhileComputing = check
}

const VERBS: Verbs = {
  say: [text],
  read: [place],
  'try to read': [place],
  'read directly': [place],
  exists: [place],
  list: [place],
  glob: [list(text), { from: place }],
  variable: [text],
  ask: [text, { quietly: yes }],
  get: [text, otherEntry],
  has: [text, otherEntry],
  'list keys': [text],
  'name late': [list(place)],
  take: [word('source', 'relativePath', 'path')],
  argument: [oneOrMore],
  untracked: [actions],
  'while computing': [(value, at) => stepsWhileComputing(value, at)],
  meet: [text, { of: oneOrMore }],
  throw: [text],
}

const action: Check<Action> = (value, at) => {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const verb = names.find(name => Object.hasOwn(VERBS, name)) ?? ''
  const [check, others = {}] = VERBS[verb] ?? refuse(at, `must have one of ${Object.keys(VERBS).join(', ')}`)
  return object({ [verb]: check }, others)(value, at) as unknown as Action
}

/** What the text of a wrapped function is, where it isn't said: all of them would have the same. */
const DEFAULT_TEXT = 'function'

const fields = object(
  { namespace: text, does: actions },
  {
    ...namespaceFields,
    key: text,
    analysis: object({ name: text, file: place }, { text, anywhere: yes }),
    function: object({ name: text, arguments: list(json, 0) }, { text }),
    ttl: (value, at) => (typeof value === 'number' ? value : text(value, at)),
    files: list(place, 0),
    inputs: json,
    form: word('sync'),
  },
)

export type Computation = ReturnType<typeof fields>

const KINDS = ['key', 'analysis', 'function'] as const

export const computation: Check<Computation> = (value, at) => {
  const checked = fields(value, at)
  const kinds = KINDS.filter(kind => Object.hasOwn(checked, kind))
  if (kinds.length !== 1) refuse(at, `must have exactly one of "key", "analysis", "function"`)
  return checked
}

export function functionText({ function: called }: Computation): string {
  return called?.text ?? DEFAULT_TEXT
}
