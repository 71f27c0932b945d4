// Drives a scenario: all of it in this process, on the sources, or each step in a process of its own, on the build. All
// ways must meet the same expectations, and at the end the store must be whole and nothing may lie outside of it.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { openCacheSync } from '../../src/index.js'
import { differencesIn, differencesInCli } from './check.js'
import type { ClockState } from './clock.js'
import type { Memory } from './compare.js'
import { describe } from './describe.js'
import { StepError } from './errors.js'
import { type ExpandedProcess, expand, expandProcesses, type Placed, type PlainStep } from './expand.js'
import type { ActorStep, Computations, Scenario, Step } from './format.js'
import type { LoadedScenario } from './load.js'
import type { Outcome } from './outcome.js'
import { Performer, type Setting } from './performer.js'
import { BUILT_LIBRARY, runCli, runWorkers } from './processes.js'
import { isTreeStep, pathIn } from './tree.js'
import { problemsAtEnd } from './whole.js'
import { World } from './world.js'

export const MODES = ['in one process', 'in one process, synchronously', 'each step in a process of its own'] as const
export type RunMode = (typeof MODES)[number]

/** The synchronous one only where something is computed: it asks by the calls whose names end in Sync. */
export function modesOf({ computations, parts }: Scenario): RunMode[] {
  const hasComputations = [{ computations }, ...parts].some(each => each.computations !== undefined)
  return MODES.filter(mode => hasComputations || mode !== 'in one process, synchronously')
}

export interface RunOptions {
  mode: RunMode
  /** Path of the built worker. */
  worker: string
  /** Ends the child processes when the test is over. */
  signal: AbortSignal
}

/** @throws Error that says in words where the scenario and the cache part ways */
export async function runScenario(scenario: LoadedScenario, options: RunOptions): Promise<void> {
  const world = new World(scenario.tree)
  const run = new Run(world, scenario.clock === 'running', options)
  try {
    for (const [index, { title, steps, computations }] of scenario.parts.entries()) {
      run.begin({ ...scenario.computations, ...computations })
      for (const placed of expand(steps)) {
        await run.do(placed, `part ${index + 1} "${title}"`)
      }
    }
    await run.expectWhole()
  } catch (error) {
    if (!(error instanceof Difference)) throw error
    const failure = new Error(`Scenario "${scenario.name}", ${options.mode}, ${error.message}`)
    // The place that matters is in the scenario, not in this file.
    failure.stack = failure.message
    throw failure
  } finally {
    run.close()
    world.remove()
  }
}

class Difference extends Error {}

interface Finding {
  where: string
  note: string | undefined
  differences: string[]
}

class Run {
  readonly #world: World
  readonly #options: RunOptions
  readonly #clock: ClockState
  readonly #memory: Memory = new Map()
  readonly #variables: Record<string, string | null> = {}
  readonly #taken: string[] = []
  readonly #performer: Performer
  #computations: Computations = {}
  /** So that processes ask in both forms. */
  #processCount = 0

  constructor(world: World, isRunning: boolean, options: RunOptions) {
    this.#world = world
    this.#options = options
    this.#clock = { isRunning, advancedMs: 0 }
    this.#performer = new Performer(openCacheSync, this.#setting(false))
  }

  begin(computations: Computations): void {
    this.#computations = computations
    this.#taken.splice(0)
  }

  async do(placed: Placed<PlainStep<Step>>, part: string): Promise<void> {
    for (const { where, note, differences } of await this.#findings(placed)) {
      if (differences.length === 0) continue
      const head = `${part}, ${where}${note === undefined ? '' : ` (${note})`}:`
      throw new Difference([head, ...differences.map(line => `  ${line}`)].join('\n'))
    }
  }

  async #findings({ step, place }: Placed<PlainStep<Step>>): Promise<Finding[]> {
    const finding = (differences: string[]) => [{ where: `${place}: ${describe(step)}`, note: step.note, differences }]
    try {
      switch (step.step) {
        case 'together':
          return await this.#together(expand(step.steps, `${place}, `))
        case 'another process':
          return await this.#inProcesses(expandProcesses([step], place))
        case 'processes at once':
          return await this.#inProcesses(expandProcesses(step.processes, place))
        case 'run cli':
          return finding(await this.#runCli(step))
        case 'advance clock':
          this.#clock.advancedMs += durationMs(step.by)
          return []
        case 'set variable':
          this.#variables[step.name] = this.#world.withDirectories(step.value)
          return []
        case 'remove variable':
          this.#variables[step.name] = null
          return []
        case 'let files age':
          await this.#world.letFilesAge()
          return []
        case 'move to another machine':
          this.#performer.close()
          this.#world.moveToAnotherMachine()
          return []
        default:
          if (isTreeStep(step)) {
            this.#world.do(step)
            return []
          }
          return await this.#together([{ step, place, isNewTurn: false }])
      }
    } catch (error) {
      return finding([error instanceof StepError ? error.message : String((error as Error).stack)])
    }
  }

  /** Steps of one plugin, without a turn of the event loop in between: in this process or, all of them, in another one. */
  async #together(steps: readonly Placed<ActorStep>[]): Promise<Finding[]> {
    const { mode } = this.#options
    if (mode === 'each step in a process of its own') return this.#inProcesses([{ steps, end: 'exit' }])
    const findings: Finding[] = []
    this.#performer.setting = this.#setting(mode === 'in one process, synchronously')
    for (const { step, place, isNewTurn } of steps) {
      if (isNewTurn) await nextTurn()
      const performed = this.#performer.perform(step)
      const outcome = performed instanceof Promise ? await performed : performed
      findings.push(...this.#findingsOf(step, place, outcome))
    }
    return findings
  }

  async #inProcesses(processes: readonly ExpandedProcess[]): Promise<Finding[]> {
    const { worker, signal } = this.#options
    const assignments = processes.map(group => ({ setting: this.#setting(this.#processCount++ % 2 === 1), ...group }))
    const outcomes = await runWorkers(worker, assignments, signal)
    return processes.flatMap(({ steps }, at) =>
      steps.flatMap(({ step, place }, index) => this.#findingsOf(step, place, outcomes[at]?.[index] as Outcome)),
    )
  }

  /** Of the step, after those of steps that were taken inside it. */
  #findingsOf(step: ActorStep, place: string, outcome: Outcome): Finding[] {
    if (isTreeStep(step) && outcome.problem === undefined) this.#world.note(step)
    this.#taken.push(...outcome.taken)
    const inner = outcome.inner.flatMap(each => this.#findingsOf(each.step, `${place}, ${each.place}`, each.outcome))
    const differences = differencesIn(step, outcome, this.#memory, this.#world)
    return [...inner, { where: `${place}: ${describe(step)}`, note: step.note, differences }]
  }

  async #runCli({ command, stdin = '', cwd = '.', expect }: Extract<Step, { step: 'run cli' }>): Promise<string[]> {
    const { cacheDir: dir, tree } = this.#world
    const options = { dir, cwd: pathIn(tree, cwd), stdin, variables: this.#variables, signal: this.#options.signal }
    const outcome = await runCli(command, options)
    const stdout = this.#world.withoutDirectories(outcome.stdout)
    const stderr = this.#world.withoutDirectories(outcome.stderr)
    return differencesInCli(expect, { ...outcome, stdout, stderr }, this.#memory)
  }

  #setting(isSync: boolean): Setting {
    const { tree, cacheDir, meetings } = this.#world
    return {
      ...{ tree, cacheDir, meetings, isSync, clock: this.#clock, variables: this.#variables },
      ...{ computations: this.#computations, taken: this.#taken },
      ...{ worker: this.#options.worker, library: BUILT_LIBRARY },
    }
  }

  close(): void {
    this.#performer.close()
  }

  async expectWhole(): Promise<void> {
    this.close()
    await nextTurn()
    const problems = await problemsAtEnd(this.#setting(true))
    problems.push(...this.#world.strayFiles().map(file => `outside of the cache: ${file}`))
    if (problems.length > 0) throw new Difference(`at its end:\n${problems.map(line => `  ${line}`).join('\n')}`)
  }
}

const UNIT_MS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, days: 86_400_000 }

function durationMs(text: string): number {
  const [amount, unit] = text.split(' ')
  return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
}
