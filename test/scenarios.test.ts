// The scenarios in fixtures/scenarios/, in each mode. Their README says how to read and write one.

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, test } from 'vitest'
import { loadScenario, namesOfScenarios } from './scenarios/load.js'
import { buildWorker } from './scenarios/processes.js'
import { modesOf, runScenario } from './scenarios/runner.js'

const dir = fileURLToPath(new URL('../fixtures/scenarios', import.meta.url))
// No scenario takes that long: this is for machines with much else to do.
const TIMEOUT_MS = 900_000

let worker: Awaited<ReturnType<typeof buildWorker>>
beforeAll(async () => {
  worker = await buildWorker()
})
afterAll(() => worker.remove())

const runs = namesOfScenarios(dir).flatMap(name => {
  const scenario = loadScenario(dir, name)
  return modesOf(scenario).map(mode => ({ scenario, mode }))
})
// In this process, a scenario moves the working directory: one after the other. Processes have one each.
const [inProcesses, inThisProcess] = [true, false].map(isElsewhere =>
  runs.filter(({ mode }) => (mode === 'each step in a process of its own') === isElsewhere),
)
for (const { scenario, mode } of inThisProcess ?? []) {
  test(`${scenario.name}, ${mode}`, { timeout: TIMEOUT_MS }, async ({ signal }) => {
    await runScenario(scenario, { mode, worker: worker.path, signal })
  })
}
for (const { scenario, mode } of inProcesses ?? []) {
  test.concurrent(`${scenario.name}, ${mode}`, { timeout: TIMEOUT_MS }, async ({ signal }) => {
    await runScenario(scenario, { mode, worker: worker.path, signal })
  })
}
