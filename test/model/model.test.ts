// A random program of computations, by four actors over changing files, gives the same results as without a cache. If nothing
// changed, it computes nothing.

import { test } from 'vitest'
import { counting, inRounds } from '../support/torture.js'
import { createProgram } from './generate.js'
import { Runner } from './runner.js'

const count = counting()
/** For making the program that failed smaller. */
const SHRINKING_MS = 60_000
const TIMEOUT_MS = (Number(process.env.TORTURE_MINUTES) || 0) * 60_000 + 4 * SHRINKING_MS

test('a random program gives the same results as without a cache', { timeout: TIMEOUT_MS }, async () => {
  const runner = new Runner()
  await inRounds({ short: 6, share: 0.3 }, async seed => {
    const program = createProgram(seed)
    let played: Awaited<ReturnType<Runner['play']>>
    try {
      played = await runner.play(program)
    } catch (error) {
      const failure = error as Error
      const small = await runner.shrunk(program, failure, SHRINKING_MS)
      throw new Error(`${failure.message}\nwhat is left of the program: ${small}`, { cause: failure })
    }
    count('programs')
    count('questions', played.questions)
    count('questions asked again', played.repeated)
    count('hits among these', played.hits)
  })
})
