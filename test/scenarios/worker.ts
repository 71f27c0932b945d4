// A process of its own that uses the built library: opens the cache, says so, and does the steps when told to, so that
// several such processes can begin at the same moment.

import type { openCacheSync } from '../../src/index.js'
import { clockOf } from './clock.js'
import { perform } from './perform.js'
import type { Assignment, Report } from './processes.js'

const send = (report: Report) => new Promise<void>(resolve => process.send?.(report, () => resolve()))
const nextMessage = <T>() => new Promise<T>(resolve => process.once('message', resolve as (message: unknown) => void))
const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))

const { library, dir, clock, steps, end } = await nextMessage<Assignment>()
const imported: { openCacheSync: typeof openCacheSync } = await import(library)
const open = () =>
  imported.openCacheSync({
    dir,
    clock: clockOf(clock),
    // Whatever is written to stderr fails the scenario, also when the process is already on its way out.
    onWarning: ({ code, message }) => process.stderr.write(`${code}: ${message}\n`),
  })
let cache = open()
const go = nextMessage()
await send({ isReady: true })
await go
const outcomes = []
for (const { step, isNewTurn } of steps) {
  if (isNewTurn) await nextTurn()
  const outcome = perform(cache, step)
  outcomes.push(outcome instanceof Promise ? await outcome : outcome)
  if (step.step === 'close') cache = open()
}
if (end === 'close') cache.close()
await send({ outcomes })
// One that is to be killed must still be there then, so something has to keep it waiting.
if (end === 'kill') process.channel?.ref()
else process.disconnect()
