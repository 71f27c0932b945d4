// Leaves out of a failing program what it can do without.

import type { Action, Phase, Program, Step } from './program.js'

/** The smallest program found that `fails`, in the time given. */
export async function shrink(
  program: Program,
  fails: (program: Program) => Promise<boolean>,
  patienceMs: number,
): Promise<Program> {
  const deadline = performance.now() + patienceMs
  let best = program
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false
    for (const smaller of smallerOnes(best)) {
      if (performance.now() > deadline) return best
      if (!(await fails(smaller))) continue
      best = smaller
      isSmaller = true
      break
    }
  }
  return best
}

function* smallerOnes(program: Program): Iterable<Program> {
  const { phases, questions } = program
  for (let size = Math.ceil(phases.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < phases.length; at += size) {
      yield { ...program, phases: [...phases.slice(0, at), ...phases.slice(at + size)] }
    }
  }
  for (const [at, phase] of phases.entries()) {
    for (const smaller of smallerPhases(phase)) yield { ...program, phases: replaced(phases, at, smaller) }
  }
  for (const [at, question] of questions.entries()) {
    for (const steps of smallerSteps(question.steps)) {
      yield { ...program, questions: replaced(questions, at, { ...question, steps }) }
    }
  }
}

function* smallerPhases(phase: Phase): Iterable<Phase> {
  if ('edits' in phase) for (const edits of withoutOne(phase.edits)) yield { ...phase, edits }
  if (!('turns' in phase)) return
  if (phase.turns.length > 1) for (const turns of withoutOne(phase.turns)) yield { ...phase, turns }
  for (const [at, turn] of phase.turns.entries()) {
    for (const actions of withoutOne(turn.actions))
      yield { ...phase, turns: replaced(phase.turns, at, { ...turn, actions }) }
    for (const [nth, action] of turn.actions.entries()) {
      for (const smaller of smallerActions(action)) {
        const actions = replaced(turn.actions, nth, smaller)
        yield { ...phase, turns: replaced(phase.turns, at, { ...turn, actions }) }
      }
    }
  }
}

function* smallerActions(action: Action): Iterable<Action> {
  if (action.do !== 'together' && action.do !== 'snapshot') return
  for (const ask of action.asks) yield { do: 'ask', ask }
  if (action.asks.length > 1) for (const asks of withoutOne(action.asks)) yield { ...action, asks }
}

function* smallerSteps(steps: readonly Step[]): Iterable<Step[]> {
  yield* withoutOne(steps)
  for (const [at, step] of steps.entries()) {
    if (step.do !== 'when') continue
    for (const even of withoutOne(step.even)) yield replaced(steps, at, { ...step, even })
    for (const odd of withoutOne(step.odd)) yield replaced(steps, at, { ...step, odd })
  }
}

function* withoutOne<T>(list: readonly T[]): Iterable<T[]> {
  for (const at of list.keys()) yield list.filter((_, index) => index !== at)
}

function replaced<T>(list: readonly T[], at: number, by: T): T[] {
  return list.map((each, index) => (index === at ? by : each))
}
