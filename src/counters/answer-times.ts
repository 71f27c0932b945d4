// How long answers take, over all processes: counts of ranges, each sqrt(2) times as wide as the one before. Counts add up where
// percentiles don't.

import { ANSWER_TIMES, type AnswerTimeName, type Counts } from './names.js'

/** Where the second range begins; shorter times are in the first. */
const SHORTEST_MS = 0.125
const RANGES_IN_AN_OCTAVE = 2

/** The count that a time is added to. */
export function answerTimeName(ms: number): AnswerTimeName {
  const at = Math.floor(Math.log2(ms / SHORTEST_MS) * RANGES_IN_AN_OCTAVE) + 1
  // Not a number: a clock that has stood still.
  return nameAt(Math.min(Math.max(at || 0, 0), ANSWER_TIMES - 1))
}

/** What a share of the answers took at most, in ms: the middle of its range. Undefined where there was no answer. */
export function answerTimeOf(counts: Counts, share: number): number | undefined {
  const all = Array.from({ length: ANSWER_TIMES }, (_, at) => counts[nameAt(at)])
  const total = all.reduce((sum, count) => sum + count, 0)
  let soFar = 0
  const found = all.findIndex(count => {
    soFar += count
    return soFar > 0 && soFar >= share * total
  })
  return found < 0 ? undefined : SHORTEST_MS * 2 ** ((found - 0.5) / RANGES_IN_AN_OCTAVE)
}

function nameAt(at: number): AnswerTimeName {
  return `remote-took-${at}` as AnswerTimeName
}
