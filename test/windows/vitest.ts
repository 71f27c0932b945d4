// What the tests import as `vitest` where Vitest itself doesn't run: its runner and its assertions, which are plain JavaScript, in
// a bundle with one file of tests. The results go to a file: under Wine, output can be neither a pipe nor a file.

import { appendFileSync } from 'node:fs'
import {
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import { startTests, type Task, type VitestRunner } from '@vitest/runner'
import { fn, restoreAllMocks, spyOn } from '@vitest/spy'

export { afterAll, afterEach, beforeAll, beforeEach, describe, onTestFinished, test } from '@vitest/runner'
export { expect, vi }

const { expect } = createExpect()

function createExpect() {
  for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin)
  const assertion = ((value: unknown, message?: string) => {
    const { assertionCalls } = getState(assertion as never)
    setState({ assertionCalls: assertionCalls + 1 }, assertion as never)
    return chai.expect(value, message)
  }) as unknown as Record<string, unknown> & ((value: unknown, message?: string) => unknown)
  Object.assign(assertion, chai.expect, {
    getState: () => getState(assertion as never),
    extend: (matchers: unknown) =>
      (chai.expect as unknown as { extend: (...args: unknown[]) => void }).extend(assertion, matchers),
    setState: (state: object) => setState(state, assertion as never),
  })
  ;(assertion.extend as (matchers: unknown) => void)(customMatchers)
  Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: assertion, configurable: true })
  setState({ assertionCalls: 0, isExpectingAssertions: false }, assertion as never)
  return { expect: assertion }
}

const stubbed = new Map<string, string | undefined>()

function assign(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

const vi = {
  /** The bundle has done it. */
  mock: () => undefined,
  fn,
  spyOn,
  restoreAllMocks,
  stubEnv(name: string, value: string | undefined): void {
    if (!stubbed.has(name)) stubbed.set(name, process.env[name])
    assign(name, value)
  },
  unstubAllEnvs(): void {
    for (const [name, value] of stubbed) assign(name, value)
    stubbed.clear()
  },
}

export interface Result {
  name: string
  state: string
  ms?: number
  error?: string
}

function resultsOf(task: Task, parents: string): Result[] {
  const name = parents === '' ? task.name : `${parents} > ${task.name}`
  const errors = task.result?.errors?.map(({ message, stack, diff }) => [stack ?? message, diff].join('\n')) ?? []
  const state = task.result?.state ?? task.mode
  if (task.type !== 'suite')
    return [{ name, state, ms: Math.round(task.result?.duration ?? 0), error: errors.join('\n') }]
  const own = errors.length > 0 ? [{ name, state: 'fail', error: errors.join('\n') }] : []
  return [...own, ...task.tasks.flatMap(each => resultsOf(each, name))]
}

/** Runs the tests that `load` defines; each result is a line of the file, and the last one says that it is whole. */
export async function runTests(path: string, results: string, load: () => Promise<unknown>): Promise<void> {
  const write = (line: unknown) => appendFileSync(results, `${JSON.stringify(line)}\n`)
  const runner: VitestRunner = {
    config: {
      root: '/',
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: process.env.TEST_NAME ? new RegExp(process.env.TEST_NAME) : undefined,
      allowOnly: false,
      sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 4,
      // Under Wine a process takes a second to start, on a busy machine several.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    },
    importFile: async () => load(),
    onBeforeTryTask(test) {
      setState({ assertionCalls: 0, testPath: path, currentTestName: fullName(test) }, expect as never)
    },
    onAfterRunTask(test) {
      for (const result of resultsOf(test, test.suite ? fullName(test.suite) : '')) write(result)
    },
  }
  // A test may wait for what does not keep a process alive, such as a watcher.
  const living = setInterval(() => undefined, 1000)
  const files = await startTests([path], runner)
  clearInterval(living)
  for (const file of files) {
    for (const { name, state, error } of resultsOf(file, ''))
      if (state === 'skip' || state === 'todo') write({ name, state, error })
    for (const error of file.result?.errors ?? [])
      write({ name: file.name, state: 'fail', error: error.stack ?? error.message })
  }
  write({ isWhole: true })
}

function fullName(task: { name: string; suite?: { name: string } | undefined }): string {
  const names: string[] = []
  // Without the name of the file.
  for (let each: { name: string; suite?: unknown } | undefined = task; each; each = each.suite as typeof each)
    names.unshift(each.name)
  return names.slice(1).join(' > ')
}
