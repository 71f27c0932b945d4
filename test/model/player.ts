// Plays a program with all actors, and fails where an answer is wrong, or where one is computed that must have been kept.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { RemoteOptions } from '../../src/index.js'
import type { Report } from './actor.js'
import type { Actors } from './actors.js'
import type { Kept } from './oracle.js'
import { PlainModel } from './plain-model.js'
import type { Action, Edit, Phase, Program, Turn, Void } from './program.js'
import { applyEdit, createTree, FILES, pathOf, readState, restoreState } from './tree.js'

export interface Played {
  questions: number
  /** Asked again when nothing had changed, of those that can be kept, and how many of these computed nothing. */
  repeated: number
  hits: number
  remote: Report['remote']
  /** When it ended, by the clock of the caches. */
  endMs: number
}

export interface MachineOptions {
  remote?: RemoteOptions
  /** When it begins. Default: the same time for all. */
  beginMs?: number
}

/** As long after a file was written, a late dependency is taken to be unchanged. */
const SETTLED_MS = 40

export class Player {
  readonly #actors: Actors
  readonly #base: string
  readonly #program: Program
  readonly #plain: PlainModel
  readonly #remote: RemoteOptions | undefined
  #clockMs: number
  #hidden = 0
  #played: Omit<Played, 'endMs'> = {
    questions: 0,
    repeated: 0,
    hits: 0,
    remote: { hits: 0, misses: 0, rejected: 0, uploads: 0 },
  }

  constructor(actors: Actors, base: string, program: Program, { remote, beginMs }: MachineOptions = {}) {
    this.#actors = actors
    this.#base = base
    this.#program = program
    this.#plain = new PlainModel(base, program)
    this.#remote = remote
    this.#clockMs = beginMs ?? 1_800_000_000_000
  }

  /** @throws for the first thing that is wrong */
  async play(): Promise<Played> {
    let closed: Report[] = []
    createTree(this.#base)
    await this.#actors.tellAll({
      do: 'open',
      base: this.#base,
      program: this.#program,
      remote: this.#remote,
    })
    await this.#actors.tellAll({ do: 'state', clockMs: this.#clockMs, hidden: 0 })
    try {
      for (const [at, phase] of this.#program.phases.entries()) {
        try {
          await this.#playPhase(phase)
        } catch (error) {
          throw new Error(`phase ${at} (${phase.do}): ${(error as Error).message}`, { cause: error })
        }
      }
    } finally {
      const env: [string, null][] = [
        ['MODEL_ONE', null],
        ['MODEL_TWO', null],
      ]
      await this.#actors.tellAll({ do: 'state', env })
      closed = await this.#actors.tellAll({ do: 'close' })
    }
    this.#addClosed(closed)
    return { ...this.#played, endMs: this.#clockMs }
  }

  #addClosed(reports: readonly Report[]): void {
    const { remote } = this.#played
    for (const [actor, each] of reports.entries()) {
      if (each.failures[0] !== undefined) throw new Error(`actor ${actor} at the end, ${each.failures[0]}`)
      for (const name of Object.keys(remote) as (keyof typeof remote)[]) remote[name] += each.remote[name]
    }
  }

  async #playPhase(phase: Phase): Promise<void> {
    switch (phase.do) {
      case 'world': {
        this.#edit(phase.edits)
        this.#clockMs += phase.byMs
        await this.#actors.tellAll({ do: 'state', clockMs: this.#clockMs, env: phase.env })
        return
      }
      case 'turns':
        await this.#run(phase.turns)
        return
      case 'calm':
        return this.#playCalm(phase.turns)
      case 'branch':
        return this.#playBranch(phase.turns, phase.edits)
      case 'flight':
        return this.#playFlight(phase, phase.wasThere)
      case 'late':
        return this.#playLate(phase)
      case 'void':
        return this.#playVoid(phase)
    }
  }

  /** All turns at once. */
  async #run(turns: readonly Turn[]): Promise<Report[]> {
    const reports = await Promise.all(
      turns.map(turn => this.#actors.tell(turn.actor, { do: 'run', turn, isAlone: turns.length === 1 })),
    )
    for (const [at, { failures, asks, plain }] of reports.entries()) {
      const turn = turns[at] as Turn
      this.#played.questions += asks
      if (failures[0] !== undefined) throw new Error(`actor ${turn.actor}, ${failures[0]}`)
      if (turns.length === 1) this.#plain.check(turn, plain, this.#clockMs)
    }
    return reports
  }

  async #playCalm(turns: readonly Turn[]): Promise<void> {
    this.#settle()
    const kept = keptIn(await this.#run(turns.map(asking)))
    for (const turn of turns) {
      const [report] = await this.#run([asking(turn)])
      this.#played.repeated += report?.keepable ?? 0
      this.#played.hits += report?.hits ?? 0
      this.#assertKept(turn, report, kept, '')
    }
  }

  #assertKept({ actor, cwd }: Turn, report: Report | undefined, kept: Map<string, Kept>, when: string): void {
    for (const name of report?.computed ?? []) {
      const { isKept, peeks } = kept.get(name) ?? { isKept: false, peeks: true }
      if (isKept && !peeks) throw new Error(`actor ${actor} in ${cwd} computes again${when}: ${name}`)
    }
  }

  async #playBranch(turns: readonly Turn[], edits: readonly Edit[]): Promise<void> {
    this.#settle()
    const state = readState(this.#base)
    const all = () => turns.map(asking)
    const first: Report[] = []
    for (const turn of all()) first.push(...(await this.#run([turn])))
    const kept = keptIn(first)
    this.#edit(edits)
    for (const turn of all()) await this.#run([turn])
    restoreState(this.#base, state)
    for (const turn of all()) {
      const [report] = await this.#run([turn])
      this.#assertKept(turn, report, kept, ' when the branch is back')
    }
  }

  /** The key is set or removed by one actor while another computes it. */
  async #playFlight(phase: Void, wasThere: boolean): Promise<void> {
    const { question, actor, by, cwd, edit, asksMeanwhile } = phase
    const ask = { question, variant: 0, at: 'cwd', isSync: false } as const
    if (wasThere) {
      await this.#ask(by, phase)
      this.#edit([edit])
    }
    const before = this.#hidden
    await this.#actors.tell(actor, { do: 'begin', cwd, ask })
    await this.#hide()
    const isSet = await this.#void(phase)
    if (asksMeanwhile !== undefined)
      this.#expect(await this.#ask(asksMeanwhile, phase), isSet, this.#hidden, 'meanwhile')
    const { value } = await this.#actors.tell(actor, { do: 'finish', cwd })
    this.#expect(value, false, before, 'the computation itself')
    for (const each of [actor, by])
      this.#expect(await this.#ask(each, phase), isSet, this.#hidden, `actor ${each} then`)
    await this.#remove(phase)
  }

  /** A file changes after it was read by other means, and before it is named. */
  async #playLate(phase: Extract<Phase, { do: 'late' }>): Promise<void> {
    const { question, actor, by, cwd, keepsTime } = phase
    const path = { from: 'a', rel: 'src/x.js' } as const
    const change = (content: string) => this.#edit([{ do: 'write', path, content, keepsTime }])
    change('late 0')
    this.#settle()
    const ask = { question, variant: 0, at: 'cwd', isSync: false } as const
    await this.#actors.tell(actor, { do: 'begin', cwd, ask })
    change('late 1')
    const { value } = await this.#actors.tell(actor, { do: 'finish', cwd })
    this.#expectText(value, 'late 0', 'the computation itself')
    for (const each of [actor, by]) this.#expectText(await this.#ask(each, phase), 'late 1', `actor ${each} then`)
  }

  /** Two states are kept when the key is set or removed; then none of them counts. */
  async #playVoid(phase: Void): Promise<void> {
    const { actor, by, edit } = phase
    await this.#ask(actor, phase)
    const state = readState(this.#base)
    this.#edit([edit])
    await this.#ask(actor, phase)
    await this.#hide()
    const isSet = await this.#void(phase)
    if (isSet) {
      this.#expect(await this.#ask(actor, phase), true, 0, 'what was set')
      await this.#remove(phase)
    }
    this.#expect(await this.#ask(actor, phase), false, this.#hidden, 'after it')
    restoreState(this.#base, state)
    this.#expect(await this.#ask(by, phase), false, this.#hidden, 'when the old state is back')
    await this.#remove(phase)
  }

  async #ask(actor: number, { question, cwd }: Pick<Void, 'question' | 'cwd'>): Promise<unknown> {
    this.#played.questions++
    const ask = { question, variant: 0, at: 'cwd', isSync: false } as const
    return (await this.#actors.tell(actor, { do: 'ask', cwd, ask })).value
  }

  async #hide(): Promise<void> {
    this.#hidden++
    await this.#actors.tellAll({ do: 'state', hidden: this.#hidden })
  }

  /** Whether the key has a value now. */
  async #void({ question, by, cwd, operation }: Void): Promise<boolean> {
    const { handle, key } = this.#questionAt(question)
    const how = operation === 'set' ? ({ do: 'set', value: 'it was set' } as const) : ({ do: operation } as const)
    await this.#run([{ actor: by, cwd, actions: [{ do: 'plain', handle, at: 'cwd', key, operation: how }] }])
    return operation === 'set'
  }

  async #remove({ question, by, cwd }: Void): Promise<void> {
    const { handle, key } = this.#questionAt(question)
    const operation = { do: 'delete' } as const
    await this.#run([{ actor: by, cwd, actions: [{ do: 'plain', handle, at: 'cwd', key, operation }] }])
  }

  #questionAt(index: number) {
    const question = this.#program.questions[index]
    if (!question) throw new Error(`There is no question ${index}.`)
    return question
  }

  #expect(answer: unknown, isSet: boolean, hidden: number, where: string): void {
    if (isSet) this.#expectText(answer, '{"value":"it was set"}', where)
    else this.#expectText(answer, `{"hidden":${hidden}}`, where)
  }

  #expectText(answer: unknown, text: string, where: string): void {
    if (!JSON.stringify(answer).includes(text)) throw new Error(`${where}: ${JSON.stringify(answer)} without ${text}`)
  }

  #edit(edits: readonly Edit[]): void {
    for (const edit of edits) applyEdit(this.#base, edit)
  }

  /** Until the clock is past the times of all files, so that late dependencies count as unchanged. */
  #settle(): void {
    let latestMs = 0
    for (const root of ['a', 'b', 'w', 'p', 'q', 'wp', 'shared'] as const) {
      for (const rel of ['.', 'src', 'src/deep', ...FILES]) {
        const path = join(pathOf(this.#base, { from: root, rel }, ''))
        const stat = statOf(path)
        if (stat) latestMs = Math.max(latestMs, stat.ctimeMs)
      }
    }
    while (Date.now() <= latestMs + SETTLED_MS) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
  }
}

/** The questions of a turn alone. */
function asking(turn: Turn): Turn {
  const isQuestion = (action: Action) => action.do === 'ask' || action.do === 'together' || action.do === 'snapshot'
  return { ...turn, isOneTick: false, actions: turn.actions.filter(isQuestion) }
}

function keptIn(reports: readonly Report[]): Map<string, Kept> {
  const kept = new Map<string, Kept>()
  for (const [name, each] of reports.flatMap(report => report.kept)) {
    const before = kept.get(name)
    kept.set(name, {
      isKept: each.isKept && before?.isKept !== false,
      peeks: each.peeks || before?.peeks === true,
    })
  }
  return kept
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
