// Leaves out of a failing program what it can do without.

import type { Program } from './program.js'

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
    // Each list of the program, the outer ones first; in each, large parts first.
    for (let nth = 0; nth < listsOf(best).length; nth++) {
      const length = listsOf(best)[nth]?.length ?? 0
      for (let size = length; size >= 1; size = Math.floor(size / 2)) {
        for (let at = 0; at < (listsOf(best)[nth]?.length ?? 0); ) {
          if (performance.now() > deadline) return best
          const smaller = structuredClone(best)
          listsOf(smaller)[nth]?.splice(at, size)
          if (await fails(smaller)) {
            best = smaller
            isSmaller = true
          } else {
            at += size
          }
        }
      }
    }
  }
  return best
}

/** Lists that may be shorter, in an order that stays the same when one of them is. */
function listsOf({ phases, questions }: Program): unknown[][] {
  const outer: unknown[][] = [phases]
  const middle: unknown[][] = []
  const inner: unknown[][] = []
  for (const phase of phases) {
    if ('edits' in phase) middle.push(phase.edits)
    if (!('turns' in phase)) continue
    middle.push(phase.turns)
    for (const { actions } of phase.turns) {
      inner.push(actions)
      for (const action of actions) if ('asks' in action) inner.push(action.asks)
    }
  }
  for (const { steps } of questions) {
    inner.push(steps)
    for (const step of steps) if (step.do === 'when') inner.push(step.even, step.odd)
  }
  return [...outer, ...middle, ...inner]
}
