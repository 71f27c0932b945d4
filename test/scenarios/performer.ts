// Takes steps in one process: the same code in the test's process, on the sources, and in a child process, on the build.

import { spawnSync } from 'node:child_process'
import type { Cache, CacheWarning, openCacheSync } from '../../src/index.js'
import { Asker } from './asker.js'
import { type Assignment, environment } from './assignment.js'
import { type ClockState, clockOf } from './clock.js'
import { StepError } from './errors.js'
import { expandProcesses } from './expand.js'
import type { ActorStep, CacheStep, ChildStep, Computations } from './format.js'
import { namespaceOf } from './namespaces.js'
import type { InnerOutcome, Outcome, Warned } from './outcome.js'
import { resultOf } from './results.js'
import { changeTree, isTreeStep, pathIn } from './tree.js'

/** What steps need to know of the run. */
export interface Setting {
  tree: string
  cacheDir: string
  meetings: string
  clock: ClockState
  /** Variables of the environment that steps have set or, with null, removed. */
  variables: Record<string, string | null>
  computations: Computations
  /** Whether to ask for computations by the calls whose names end in Sync. */
  isSync: boolean
  /** The steps `while computing` that were taken already. */
  taken: string[]
  worker: string
  library: string
}

export class Performer {
  setting: Setting
  readonly #open: typeof openCacheSync
  readonly #caches = new Map<string, Cache>()
  readonly #warned = new Set<string>()
  #warnings: Warned[] = []
  #inner: InnerOutcome[] = []
  #taken: string[] = []
  readonly #asker: Asker

  constructor(open: typeof openCacheSync, setting: Setting) {
    this.#open = open
    this.setting = setting
    this.#asker = new Asker({
      setting: () => this.setting,
      meanwhile: (name, at, steps) => this.#meanwhile(name, at, steps),
    })
  }

  /** Steps that use no promises stay in the turn of the event loop in which they are taken. */
  perform(step: ActorStep): Outcome | Promise<Outcome> {
    const leave = this.#enter('cwd' in step ? step.cwd : undefined)
    const warnedBefore = [...this.#warned]
    const outcomeOf = (part: Partial<Outcome>): Outcome => {
      leave()
      const warnings = this.#warnings.splice(0)
      for (const { code } of warnings) this.#warned.add(code)
      const computed = this.#asker.computed.splice(0)
      return { warnings, warnedBefore, computed, inner: this.#inner.splice(0), taken: this.#taken.splice(0), ...part }
    }
    const failed = (error: unknown) => outcomeOf(failureOf(error))
    try {
      const result = this.#take(step)
      return result instanceof Promise
        ? result.then(value => outcomeOf({ result: value }), failed)
        : outcomeOf({ result })
    } catch (error) {
      return failed(error)
    }
  }

  /** Opens what steps without another handle or mode use. */
  ready(): void {
    const leave = this.#enter(undefined)
    this.#cacheOf({})
    leave()
  }

  close(): void {
    for (const cache of this.#caches.values()) cache.close()
    this.#caches.clear()
  }

  #take(step: ActorStep): unknown {
    if (isTreeStep(step)) return changeTree(this.setting.tree, step)
    if (step.step === 'another process') return this.#inAnotherProcess(step, '')
    const cache = this.#cacheOf(step)
    switch (step.step) {
      case 'ask':
        return this.#asker.answer(cache, step.for, step.project)
      case 'ask at once':
        return this.#asker.answerAll(cache, step.for)
      case 'close':
        cache.close()
        this.#caches.delete(handleOf(step))
        return undefined
      default:
        return resultOf(cache, step, () => namespaceOf(cache, step as never, this.setting.tree), this.setting.tree)
    }
  }

  #cacheOf(step: Partial<Pick<CacheStep, 'handle' | 'mode'>>): Cache {
    const handle = handleOf(step)
    let open = this.#caches.get(handle)
    if (!open) {
      const { cacheDir: dir, clock } = this.setting
      const onWarning = ({ code, message }: CacheWarning) => this.#warnings.push({ code, message })
      const mode = step.mode === undefined ? {} : { mode: step.mode }
      open = this.#open({ dir, clock: clockOf(clock), onWarning, ...mode })
      this.#caches.set(handle, open)
    }
    return open
  }

  /** Puts the process into the step's working directory and environment; returns how to leave them. */
  #enter(cwd: string | undefined): () => void {
    const { tree, variables } = this.setting
    const directory = process.cwd()
    const before = Object.keys(variables).map(name => [name, process.env[name] ?? null] as const)
    setVariables(Object.entries(variables))
    process.chdir(cwd === undefined ? tree : pathIn(tree, cwd))
    return () => {
      process.chdir(directory)
      setVariables(before)
    }
  }

  /** The steps of `while computing`: once, so that the function does nothing but compute when it is called again. */
  #meanwhile(name: string, at: number, steps: readonly ActorStep[]): unknown {
    const id = `${name} ${at}`
    if (this.setting.taken.includes(id) || this.#taken.includes(id)) return undefined
    this.#taken.push(id)
    const next = (index: number): unknown => {
      const step = steps[index]
      if (!step) return undefined
      const place = `while computing "${name}", step ${index + 1}`
      const taken = this.#takeInside(step, place)
      return taken instanceof Promise ? taken.then(() => next(index + 1)) : next(index + 1)
    }
    return next(0)
  }

  #takeInside(step: ActorStep, place: string): unknown {
    const note = (part: Partial<Outcome>) => {
      const rest = { warnings: [], warnedBefore: [], computed: [], inner: [], taken: [] }
      this.#inner.push({ place, step, outcome: { ...rest, ...part } })
    }
    const failed = (error: unknown) => note(failureOf(error))
    const leave = this.#enter('cwd' in step ? step.cwd : undefined)
    try {
      const result = step.step === 'another process' ? this.#inAnotherProcess(step, `${place}, `) : this.#take(step)
      if (result instanceof Promise) return result.then(value => note({ result: value }), failed).finally(leave)
      note({ result })
    } catch (error) {
      failed(error)
    }
    leave()
    return undefined
  }

  /** Waits for it without a turn of the event loop. */
  #inAnotherProcess(step: ChildStep, before: string): undefined {
    const [group] = expandProcesses([step], '')
    if (!group) return undefined
    const { setting } = this
    const assignment: Assignment = { setting: { ...setting, taken: [...setting.taken, ...this.#taken] }, ...group }
    const options = { input: JSON.stringify(assignment), env: environment(), encoding: 'utf8' as const }
    const child = spawnSync(process.execPath, [setting.worker], options)
    if (child.error) throw child.error
    if (child.status !== 0 || child.stderr !== '') {
      throw new StepError(`another process ended with ${child.signal ?? child.status}: ${child.stderr.trimEnd()}`)
    }
    const outcomes = JSON.parse(child.stdout) as Outcome[]
    for (const [at, outcome] of outcomes.entries()) {
      const placed = group.steps[at]
      if (!placed) continue
      this.#taken.push(...outcome.taken)
      this.#inner.push({ place: `${before}in another process${placed.place}`, step: placed.step, outcome })
    }
    return undefined
  }
}

function handleOf({ handle = 'first', mode }: Partial<Pick<CacheStep, 'handle' | 'mode'>>): string {
  return `${handle} ${mode ?? ''}`
}

function setVariables(variables: Iterable<readonly [name: string, value: string | null]>): void {
  for (const [name, value] of variables) {
    if (value === null) delete process.env[name]
    else process.env[name] = value
  }
}

function failureOf(error: unknown): Partial<Outcome> {
  if (error instanceof StepError) return { problem: error.message }
  // The build and the sources have a class each, so the code tells.
  const { code, message } = error as NodeJS.ErrnoException
  if (typeof code === 'string' && code.startsWith('ERR_CACHE_')) return { error: { code, message } }
  return { problem: String((error as Error).stack) }
}
