// Drives a scenario: all of it in this process, on the sources, or each step in a process of its own, on the build. Both
// must meet the same expectations, and at the end the store must be whole and nothing may lie outside of it.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Cache, openCacheSync } from '../../src/index.js'
import { differencesIn, differencesInCli } from './check.js'
import { type ClockState, clockOf } from './clock.js'
import type { Memory } from './compare.js'
import { StepError } from './errors.js'
import { type ExpandedProcess, expand, expandProcesses, type Placed, type PlainStep } from './expand.js'
import type { CacheStep, Step } from './format.js'
import type { LoadedScenario } from './load.js'
import { type Outcome, perform } from './perform.js'
import { runCli, runWorkers } from './processes.js'
import { World } from './world.js'

export const MODES = ['in one process', 'each step in a process of its own'] as const
export type RunMode = (typeof MODES)[number]

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
    for (const [index, { title, steps }] of scenario.parts.entries()) {
      for (const placed of expand(steps)) {
        await run.do(placed, `part ${index + 1} "${title}"`)
      }
    }
    run.close()
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
  /** The caches that are open in this process, by handle. */
  readonly #caches = new Map<string, Cache>()
  readonly #warnings: string[] = []
  /** Who took the latest step: a handle of this process, or another process. */
  #actor: string | undefined

  constructor(world: World, isRunning: boolean, options: RunOptions) {
    this.#world = world
    this.#options = options
    this.#clock = { isRunning, advancedMs: 0 }
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
        case 'advance clock':
          this.#clock.advancedMs += durationMs(step.by)
          return []
        case 'run cli':
          return finding(await this.#runCli(step))
        case 'write file':
        case 'edit file':
        case 'touch file':
        case 'remove file':
        case 'make folder':
        case 'rename':
          this.#world.do(step)
          return []
        default:
          return await this.#together([{ step, place, isNewTurn: false }])
      }
    } catch (error) {
      return finding([error instanceof StepError ? error.message : String((error as Error).stack)])
    }
  }

  /** Steps of one plugin, without a turn of the event loop in between: in this process or, all of them, in another one. */
  async #together(steps: readonly Placed<CacheStep>[]): Promise<Finding[]> {
    if (this.#options.mode !== 'in one process') return this.#inProcesses([{ steps, end: 'exit' }])
    const findings: Finding[] = []
    for (const { step, place, isNewTurn } of steps) {
      const { handle = 'first' } = step
      if (isNewTurn || this.#isAnother(handle)) await nextTurn()
      const cache = this.#caches.get(handle) ?? this.#open()
      this.#caches.set(handle, cache)
      const performed = perform(cache, this.#local(step))
      const outcome = performed instanceof Promise ? await performed : performed
      if (step.step === 'close') this.#caches.delete(handle)
      const differences = [...this.#differencesIn(step, outcome), ...this.#warnings.splice(0)]
      findings.push({ where: `${place}: ${describe(step)}`, note: step.note, differences })
    }
    return findings
  }

  /** What others wrote is promised to be seen in the next turn of the event loop; what a handle wrote itself, at once. */
  #isAnother(actor: string): boolean {
    const isAnother = this.#actor !== undefined && this.#actor !== actor
    this.#actor = actor
    return isAnother
  }

  async #inProcesses(processes: readonly ExpandedProcess[]): Promise<Finding[]> {
    this.#actor = 'another process'
    const { worker, signal } = this.#options
    const assignments = processes.map(({ steps, end }) => ({
      dir: this.#world.cacheDir,
      clock: this.#clock,
      end,
      steps: steps.map(({ step, isNewTurn }) => ({ step: this.#local(step), isNewTurn })),
    }))
    const outcomes = await runWorkers(worker, assignments, signal)
    return processes.flatMap(({ steps }, at) =>
      steps.map(({ step, place }, index) => ({
        where: `${place}: ${describe(step)}`,
        note: step.note,
        differences: this.#differencesIn(step, outcomes[at]?.[index] as Outcome),
      })),
    )
  }

  async #runCli({ command, stdin = '', expect }: Extract<Step, { step: 'run cli' }>): Promise<string[]> {
    this.#actor = 'another process'
    const { cacheDir: dir, tree: cwd } = this.#world
    const outcome = await runCli(command, { dir, cwd, stdin, signal: this.#options.signal })
    const stdout = this.#world.withoutDirectories(outcome.stdout)
    const stderr = this.#world.withoutDirectories(outcome.stderr)
    return differencesInCli(expect, { ...outcome, stdout, stderr }, this.#memory)
  }

  #differencesIn(step: CacheStep, outcome: Outcome): string[] {
    return differencesIn(step, outcome, this.#memory, this.#world.tree)
  }

  #open(options: { readOnly?: boolean } = {}): Cache {
    return openCacheSync({
      ...options,
      dir: this.#world.cacheDir,
      clock: clockOf(this.#clock),
      onWarning: ({ code, message }) => this.#warnings.push(`the cache warned: ${message} (${code})`),
    })
  }

  /** The step with the paths of this run. */
  #local(step: CacheStep): CacheStep {
    const local = <T extends { files?: string[] }>(item: T): T =>
      item.files === undefined ? item : { ...item, files: item.files.map(file => this.#world.absolute(file)) }
    const based = 'base' in step ? { ...step, base: this.#world.absolute(step.base) } : step
    if (based.step === 'set') return local(based)
    return based.step === 'set many' ? { ...based, entries: based.entries.map(local) } : based
  }

  close(): void {
    for (const cache of this.#caches.values()) cache.close()
    this.#caches.clear()
  }

  /** Every entry that is said to be valid has a value, and no file lies where it should not. */
  async expectWhole(): Promise<void> {
    await nextTurn()
    const cache = this.#open({ readOnly: true })
    const problems: string[] = []
    for (const name of cache.namespaces()) {
      for (const { key, version, valid } of cache.namespace(name).entries({ allVersions: true })) {
        if (valid && cache.namespace(name, { version }).get(key) === undefined) {
          problems.push(`the entry "${key}" in "${name}" is valid but has no value`)
        }
      }
    }
    cache.close()
    problems.push(...this.#warnings, ...this.#world.strayFiles().map(file => `outside of the cache: ${file}`))
    if (problems.length > 0) throw new Difference(`at its end:\n${problems.map(line => `  ${line}`).join('\n')}`)
  }
}

const UNIT_MS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, days: 86_400_000 }

function durationMs(text: string): number {
  const [amount, unit] = text.split(' ')
  return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
}

const SHOWN = 40

/** `get "key" in "namespace"` */
function describe(step: PlainStep<Step>): string {
  const quoted = (text: string) => JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
  const words: string[] = [step.step]
  if ('key' in step) words.push(quoted(step.key))
  if ('namespace' in step) words.push('in', quoted(step.namespace))
  if ('version' in step) words.push('of version', quoted(step.version))
  if ('file' in step) words.push(quoted(step.file))
  if ('command' in step) words.push(step.command.map(quoted).join(' '))
  return words.join(' ')
}
