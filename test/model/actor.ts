// One that asks: the test's own process, another process, or a worker thread. It does what it is told, and compares each
// answer at once with what the oracle gives, in the same working directory and environment.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CacheWarning, RemoteOptions } from '../../src/index.js'
import { codeOf } from './body.js'
import { type Answered, Caller, type Library, nameOf, type Surroundings } from './caller.js'
import { differenceOf } from './compare.js'
import { type Kept, Oracle } from './oracle.js'
import type { Action, Ask, Cwd, Program, Question, Turn } from './program.js'
import { applyEdit, workingDirectory } from './tree.js'

export type Command =
  | { do: 'open'; base: string; program: Program; remote?: RemoteOptions | undefined }
  | { do: 'close' }
  | { do: 'state'; clockMs?: number; hidden?: number; env?: [string, string | null][] }
  | { do: 'chdir'; cwd: Cwd }
  /** `isAlone`: nobody else does anything meanwhile. */
  | { do: 'run'; turn: Turn; isAlone: boolean }
  /** Asks, and comes back when the computation is at its gate. */
  | { do: 'begin'; cwd: Cwd; ask: Ask }
  /** Opens the gate; gives the answer. */
  | { do: 'finish'; cwd: Cwd }
  /** The answer as it is. */
  | { do: 'ask'; cwd: Cwd; ask: Ask }

export interface Report {
  failures: string[]
  computed: string[]
  kept: [string, Kept][]
  asks: number
  /** Of these, the ones whose results are kept by the rules, and how many of them computed nothing. */
  keepable: number
  hits: number
  /** What plain operations gave, in order. */
  plain: unknown[]
  value?: unknown
  /** What the remote tier has answered, once the program is closed. */
  remote: { hits: number; misses: number; rejected: number; uploads: number }
}

/** Warnings that programs bring about: a result that is a function, a portable one that holds a path. */
const EXPECTED_WARNINGS = ['ERR_CACHE_VALUE', 'ERR_CACHE_PORTABLE']

interface Open {
  base: string
  program: Program
  caller: Caller
  reader: Caller
  warnings: CacheWarning[]
}

export class Actor {
  readonly #library: Library
  readonly #moves: 'not' | 'for good' | 'and comes back'
  readonly #home = process.cwd()
  readonly #surroundings: Surroundings = { clockMs: 0, hidden: 0, gate: undefined }
  #open: Open | undefined
  #begun: { answer: Promise<Answered>; open: () => void } | undefined

  /** `moves`: whether it changes the working directory; a worker thread has that of its process. */
  constructor(library: Library, moves: 'not' | 'for good' | 'and comes back') {
    this.#library = library
    this.#moves = moves
  }

  async do(command: Command): Promise<Report> {
    const report: Report = {
      failures: [],
      computed: [],
      kept: [],
      asks: 0,
      keepable: 0,
      hits: 0,
      plain: [],
      remote: { hits: 0, misses: 0, rejected: 0, uploads: 0 },
    }
    const moved = 'cwd' in command ? command.cwd : command.do === 'run' ? command.turn.cwd : undefined
    if (moved && this.#moves !== 'not') process.chdir(workingDirectory(this.#opened.base, moved))
    try {
      await this.#do(command, report)
    } finally {
      if (moved && this.#moves === 'and comes back') process.chdir(this.#home)
    }
    for (const { code, message, cause } of this.#open?.warnings.splice(0) ?? []) {
      if (EXPECTED_WARNINGS.includes(code)) continue
      report.failures.push(`a warning: ${code} ${message} ${(cause as Error | undefined)?.stack ?? ''}`)
    }
    if (command.do === 'close') this.#open = undefined
    return report
  }

  get #opened(): Open {
    if (!this.#open) throw new Error('No program is open.')
    return this.#open
  }

  async #do(command: Command, report: Report): Promise<void> {
    switch (command.do) {
      case 'open':
        return this.#openProgram(command)
      case 'close':
        return this.#close(report)
      case 'state': {
        Object.assign(this.#surroundings, command.clockMs === undefined ? {} : { clockMs: command.clockMs })
        Object.assign(this.#surroundings, command.hidden === undefined ? {} : { hidden: command.hidden })
        for (const [name, value] of command.env ?? []) setEnvironment(name, value)
        return
      }
      case 'chdir':
        return
      case 'run': {
        const { caller } = this.#opened
        caller.computed = []
        const player = new TurnPlayer(this.#opened, this.#surroundings, command.turn.cwd, command.isAlone, report)
        if (command.turn.isOneTick) player.playInOneTick(command.turn.actions)
        else await player.play(command.turn.actions)
        report.computed = caller.computed
        return
      }
      case 'begin':
        return this.#begin(command.ask)
      case 'finish': {
        this.#begun?.open()
        report.value = plainAnswer((await this.#begun?.answer) ?? {})
        this.#begun = undefined
        return
      }
      case 'ask': {
        const { caller } = this.#opened
        caller.computed = []
        report.value = plainAnswer(await settled(() => caller.ask(command.ask)))
        report.computed = caller.computed
        return
      }
    }
  }

  #openProgram({ base, program, remote }: Extract<Command, { do: 'open' }>): void {
    const warnings: CacheWarning[] = []
    const dir = join(base, 'cache')
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const clock = () => this.#surroundings.clockMs
    const onWarning = (warning: CacheWarning) => warnings.push(warning)
    const cache = this.#library.openCacheSync({ dir, clock, onWarning, remote: remote ?? false })
    const readable = this.#library.openCacheSync({ dir, clock, onWarning, mode: 'readonly', remote: false })
    this.#open = {
      base,
      program,
      warnings,
      caller: new Caller(cache, base, program, this.#surroundings),
      reader: new Caller(readable, base, program, this.#surroundings),
    }
  }

  async #close(report: Report): Promise<void> {
    if (!this.#open) return
    const { caller, reader } = this.#open
    const { remote } = caller.cache
    await caller.cache.close()
    await reader.cache.close()
    if (remote) {
      const { rejected, ...counts } = remote.stats()
      const { hits, misses, uploads } = counts
      report.remote = { hits, misses, uploads, rejected: Object.values(rejected).reduce((sum, each) => sum + each, 0) }
    }
  }

  async #begin(ask: Ask): Promise<void> {
    let open: () => void = () => undefined
    const opened = new Promise<void>(resolve => {
      open = resolve
    })
    const isReached = new Promise<void>(resolve => {
      this.#surroundings.gate = { reached: resolve, opened }
    })
    const answer = settled(() => this.#opened.caller.ask(ask))
    this.#begun = { answer, open }
    await Promise.race([isReached, answer])
    this.#surroundings.gate = undefined
  }
}

/** Does the actions of one turn. */
class TurnPlayer {
  readonly #open: Open
  readonly #surroundings: Surroundings
  readonly #cwd: Cwd
  readonly #isAlone: boolean
  readonly #report: Report
  #isOneTick = false

  constructor(open: Open, surroundings: Surroundings, cwd: Cwd, isAlone: boolean, report: Report) {
    this.#open = open
    this.#surroundings = surroundings
    this.#cwd = cwd
    this.#isAlone = isAlone
    this.#report = report
  }

  async play(actions: readonly Action[]): Promise<void> {
    const { caller } = this.#open
    for (const action of actions) {
      if (action.do === 'ask') {
        const before = caller.computed.length
        this.#check(action.ask, await settled(() => caller.ask(action.ask)), before, true)
      } else if (action.do === 'together' || action.do === 'snapshot') {
        await this.#askAll(action)
      } else {
        this.#doNow(action)
      }
    }
  }

  playInOneTick(actions: readonly Action[]): void {
    this.#isOneTick = true
    for (const action of actions) this.#doNow(action)
  }

  async #askAll(action: Extract<Action, { do: 'together' | 'snapshot' }>): Promise<void> {
    const { caller } = this.#open
    const before = caller.computed.length
    const askOne = (ask: Ask) => settled(() => caller.ask(ask))
    let answers: Answered[]
    if (action.do === 'together') {
      answers = await Promise.all(action.asks.map(askOne))
    } else if (action.isAsync) {
      answers = await caller.cache.snapshot(async () => {
        const all: Answered[] = []
        for (const ask of action.asks) all.push(await askOne(ask))
        return all
      })
    } else {
      answers = caller.cache.snapshot(() =>
        action.asks.map(ask => settledNow(() => caller.ask({ ...ask, isSync: true }))),
      )
    }
    for (const [at, ask] of action.asks.entries()) this.#check(ask, answers[at] ?? {}, before, false)
  }

  #doNow(action: Action): void {
    const { base, caller } = this.#open
    switch (action.do) {
      case 'ask': {
        const before = caller.computed.length
        const answered = settledNow(() => caller.ask({ ...action.ask, isSync: true }))
        this.#check(action.ask, answered, before, true)
        return
      }
      case 'snapshot': {
        const before = caller.computed.length
        const answers = caller.cache.snapshot(() =>
          action.asks.map(ask => settledNow(() => caller.ask({ ...ask, isSync: true }))),
        )
        for (const [at, ask] of action.asks.entries()) this.#check(ask, answers[at] ?? {}, before, false)
        return
      }
      case 'edit':
        applyEdit(base, action.edit)
        return
      case 'env':
        setEnvironment(action.name, action.value)
        return
      case 'plain': {
        const { handle, at, key, operation } = action
        this.#report.plain.push(caller.plain(handle, at, key, operation) ?? null)
        return
      }
      case 'together':
        throw new Error('Only what is synchronous can be done in one tick.')
    }
  }

  /** `isSingle`: nothing was asked since, so that gets find now what they found then. */
  #check(ask: Ask, answered: Answered, computedBefore: number, isSingle: boolean): void {
    const { base, program, caller, reader } = this.#open
    const isHit = caller.computed.length === computedBefore
    this.#report.asks++
    // Another cache on the same root sees what was set within the same tick only in the next one.
    const seeing = this.#isOneTick ? caller : reader
    const oracle = new Oracle(base, program, this.#surroundings, seeing, this.#cwd)
    const expected = oracle.answer(ask)
    const { isKept, peeks } = oracle.keptOf(ask)
    if (isKept && !peeks) {
      this.#report.keepable++
      const { computed } = caller
      if (!computed.includes(nameOf(program.questions[ask.question] as Question, ask.question, ask), computedBefore))
        this.#report.hits++
    }
    const kept = new Map(this.#report.kept)
    for (const [name, each] of oracle.kept) {
      const before = kept.get(name)
      kept.set(name, before ? { isKept: before.isKept && each.isKept, peeks: before.peeks || each.peeks } : each)
    }
    this.#report.kept = [...kept]
    const isExact = isHit && isSingle && this.#isAlone
    const difference = differenceOf(plainAnswer(answered), plainAnswer(expected), isExact)
    if (difference === undefined) return
    this.#report.failures.push(
      `${isHit ? 'hit' : 'computed'} in ${this.#cwd}: ${JSON.stringify(ask)} ${difference}\n` +
        `  gave     ${JSON.stringify(plainAnswer(answered))}\n  expected ${JSON.stringify(plainAnswer(expected))}` +
        `${answered.error instanceof Error && difference.includes('error') ? `\n${answered.error.stack}` : ''}`,
    )
  }
}

/** As JSON: a function that a result holds is left out. */
function plainAnswer({ value, error }: Answered): unknown {
  if (error !== undefined) return { error: codeOf(error) }
  return value === undefined ? { value: 'nothing' } : JSON.parse(JSON.stringify({ value }))
}

async function settled(ask: () => unknown): Promise<Answered> {
  try {
    return { value: await ask() }
  } catch (error) {
    return { error }
  }
}

function settledNow(ask: () => unknown): Answered {
  try {
    return { value: ask() }
  } catch (error) {
    return { error }
  }
}

function setEnvironment(name: string, value: string | null): void {
  if (value === null) delete process.env[name]
  else process.env[name] = value
}
