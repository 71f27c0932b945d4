// Rounds of random tests. In `npm test` there are a few; `npm run torture` repeats them with new seeds until a test's share of
// the time is used up. A round depends on its seed alone, and the seed given is that of the first round: so whichever fails
// can be had again. What was tried is counted, printed once for each file, and added up by the script.

import { appendFileSync } from 'node:fs'
import { relative } from 'node:path'
import { afterAll, expect } from 'vitest'
import { projectRoot } from './children.js'
import { printedSeed, randomFrom } from './random.js'

const minutes = Number(process.env.TORTURE_MINUTES) || 0

export interface Rounds {
  /** How many there are in `npm test`. */
  short: number
  /** Of the time of a long run. */
  share: number
}

/** Runs the body with a seed for each round; a failure says how to see it again. */
export async function inRounds({ short, share }: Rounds, body: (seed: number) => unknown): Promise<void> {
  const { currentTestName = '', testPath = '' } = expect.getState()
  const name = currentTestName.split(' > ').at(-1) as string
  const first = printedSeed(name)
  const next = randomFrom(first)
  const deadline = performance.now() + minutes * 60_000 * share
  for (let round = 0; minutes > 0 ? performance.now() < deadline || round === 0 : round < short; round++) {
    const seed = round === 0 ? first : next(0x7fffffff) + 1
    try {
      await body(seed)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const file = relative(projectRoot, testPath)
      const replay = `TEST_SEED=${seed} npx vitest run ${file} -t '${name}'`
      throw new Error(`In round ${round}: ${message}\nTo see it again: ${replay}`, { cause: error })
    }
  }
}

export type Count = (what: string, by?: number) => void

/** Counts what the tests of a file try. */
export function counting(): Count {
  const counts = new Map<string, number>()
  afterAll(() => {
    const file = relative(projectRoot, expect.getState().testPath ?? '')
    const parts = Array.from(counts, ([what, count]) => `${count.toLocaleString('en')} ${what}`)
    process.stdout.write(`${file}: ${parts.join(', ')}\n`)
    const tally = process.env.TORTURE_TALLY
    if (tally) appendFileSync(tally, `${JSON.stringify(Object.fromEntries(counts))}\n`)
  })
  return (what, by = 1) => {
    counts.set(what, (counts.get(what) ?? 0) + by)
  }
}
