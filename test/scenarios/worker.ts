// A process of its own that uses the built library. With a channel to its parent, it opens the cache, says so, and takes the
// steps when told to, so that several such processes can begin at the same moment. Without one, it takes the steps that
// are on its input.

import { readFileSync } from 'node:fs'
import type { openCacheSync } from '../../src/index.js'
import type { Assignment, Report } from './assignment.js'
import type { Outcome } from './outcome.js'
import { Performer } from './performer.js'

const send = (report: Report) => new Promise<void>(resolve => process.send?.(report, () => resolve()))
const nextMessage = <T>() => new Promise<T>(resolve => process.once('message', resolve as (message: unknown) => void))
const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))

const hasParent = process.send !== undefined
const { setting, steps, end }: Assignment = hasParent ? await nextMessage() : JSON.parse(readFileSync(0, 'utf8'))
const { openCacheSync: open }: { openCacheSync: typeof openCacheSync } = await import(setting.library)
const performer = new Performer(open, setting)
if (hasParent) {
  performer.ready()
  const go = nextMessage()
  await send({ isReady: true })
  await go
}
const outcomes: Outcome[] = []
for (const { step, isNewTurn } of steps) {
  if (isNewTurn) await nextTurn()
  const outcome = performer.perform(step)
  outcomes.push(outcome instanceof Promise ? await outcome : outcome)
}
if (end === 'close') performer.close()
if (!hasParent) process.stdout.write(JSON.stringify(outcomes))
else await send({ outcomes })
// One that is to be killed must still be there then, so something has to keep it waiting.
if (end === 'kill') process.channel?.ref()
else if (hasParent) process.disconnect()
