import { stat } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { monotonicMs } from '../../src/base/monotonic.js'
import { deadline } from '../../src/remote/deadline.js'

/** Keeps the thread busy for the time, with a turn of the event loop after each `everyMs`. */
async function work(ms: number, everyMs: number): Promise<void> {
  const end = monotonicMs() + ms
  while (monotonicMs() < end) {
    const pause = monotonicMs() + everyMs
    while (monotonicMs() < pause);
    await nextTurn()
  }
  // Timers that are due have run once this resolves.
  await nextTurn()
}

test('an idle process sees the timeout on time', async () => {
  const start = monotonicMs()
  await new Promise<void>(resolve => deadline(50, () => resolve()))
  expect(monotonicMs() - start).toBeGreaterThanOrEqual(49)
})

test.each([
  ['without interruption', 1000],
  ['in short pieces', 5],
])('a process that is busy %s for longer than the timeout sees it only after a pause', async (_, everyMs) => {
  let isLate = false
  const late = new Promise<void>(resolve => {
    deadline(300, () => {
      isLate = true
      resolve()
    })
  })
  await work(1000, everyMs)
  expect(isLate).toBe(false)
  await late
})

test('a process that never pauses sees the timeout in the end', async () => {
  let isLate = false
  deadline(20, () => {
    isLate = true
  })
  await work(400, 1)
  expect(isLate).toBe(true)
})

test('a timeout repeats while its function returns true, until it is cancelled', async () => {
  let calls = 0
  await new Promise<void>(resolve => {
    const cancel = deadline(5, () => {
      if (++calls === 3) {
        cancel()
        setTimeout(resolve, 50)
      }
      return calls < 3
    })
  })
  expect(calls).toBe(3)
})

test('an answer that arrives while the host is busy is in time, also where busy time is not measured', async () => {
  vi.spyOn(performance, 'eventLoopUtilization').mockReturnValue({ active: 0, idle: 0, utilization: 0 })
  let isLate = false
  // After an immediate, timers run before answers are read.
  await nextTurn()
  deadline(50, () => {
    isLate = true
  })
  const wasLate = new Promise(resolve => stat(import.meta.filename, () => resolve(isLate)))
  const end = monotonicMs() + 500
  while (monotonicMs() < end);
  expect(await wasLate).toBe(false)
  vi.restoreAllMocks()
})
