// Rounds written out: every `repeat` becomes its steps, with `{counter}` replaced by the number of the round.

import type { ActorStep, ProcessGroup, ProcessStep, Step } from './format.js'

export type PlainStep<S> = Exclude<S, { step: 'repeat' }>

export interface Placed<S> {
  step: S
  /** Where it stands, in words: `step 3, round 2, step 1`. */
  place: string
  /** Rounds begin in a turn of the event loop of their own, so that both cases occur: within a turn and across turns. */
  isNewTurn: boolean
}

export function expand<S extends Step | ProcessStep>(steps: readonly S[], before = ''): Placed<PlainStep<S>>[] {
  return steps.flatMap((step, index) => {
    const place = `${before}step ${index + 1}`
    if (step.step !== 'repeat') return [{ step: step as PlainStep<S>, place, isNewTurn: false }]
    return Array.from({ length: step.times }, (_, round) => {
      const number = round + 1
      const inner = fill(step.steps as S[], step.counter, number)
      return expand(inner, `${place}, round ${number}, `).map((each, at) => ({
        ...each,
        isNewTurn: at === 0 || each.isNewTurn,
      }))
    }).flat()
  })
}

export interface ExpandedProcess {
  steps: readonly Placed<ActorStep>[]
  end: NonNullable<ProcessGroup['end']>
}

export function expandProcesses(groups: readonly ProcessGroup[], before: string): ExpandedProcess[] {
  return groups
    .flatMap(group => {
      const { count = 1, counter, steps, end = 'exit' } = group
      return Array.from({ length: count }, (_, index) => ({
        end,
        steps: counter === undefined ? steps : fill(steps, counter, index + 1),
      }))
    })
    .map(({ steps, end }, index) => ({ end, steps: expand(steps, `${before}, process ${index + 1}, `) }))
}

function fill<T>(value: T, counter: string, number: number): T {
  const inText = (text: string) => text.replaceAll(`{${counter}}`, String(number))
  const inAny = (each: unknown): unknown => {
    if (typeof each === 'string') return inText(each)
    if (Array.isArray(each)) return each.map(inAny)
    if (typeof each !== 'object' || each === null) return each
    return Object.fromEntries(Object.entries(each).map(([name, inner]) => [inText(name), inAny(inner)]))
  }
  return inAny(value) as T
}
