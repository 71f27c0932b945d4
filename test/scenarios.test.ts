// The scenarios in fixtures/scenarios/, each in both modes. Their README says how to read and write one.

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, test } from 'vitest'
import { loadScenario, namesOfScenarios } from './scenarios/load.js'
import { buildWorker } from './scenarios/processes.js'
import { MODES, runScenario } from './scenarios/runner.js'

const dir = fileURLToPath(new URL('../fixtures/scenarios', import.meta.url))
// Nobody waits that long for a scenario: this is for machines with much else to do.
const TIMEOUT_MS = 300_000

let worker: Awaited<ReturnType<typeof buildWorker>>
beforeAll(async () => {
  worker = await buildWorker()
})
afterAll(() => worker.remove())

for (const name of namesOfScenarios(dir)) {
  for (const mode of MODES) {
    test.concurrent(`${name}, ${mode}`, { timeout: TIMEOUT_MS }, async ({ signal }) => {
      await runScenario(loadScenario(dir, name), { mode, worker: worker.path, signal })
    })
  }
}
