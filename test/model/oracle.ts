// What a program must give: the same steps without a cache. It also says which results a cache can't keep, by the rules of the
// library's documentation.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import picomatch from 'picomatch'
import { type Access, perform, performSync } from './body.js'
import { type Answered, type Caller, nameOf, plainly, readPlainly, type Surroundings } from './caller.js'
import type { Ask, Cwd, PathRef, Program, Question } from './program.js'
import { directoryOf, givenPathOf, pathOf, projectOf } from './tree.js'

/** Files written so shortly before a computation count as perhaps changed since. */
const CLOCK_STEP_MS = 15

interface Frame {
  index: number
  isCircular: boolean
  /** Whether all that was seen can be recorded. */
  isRecordable: boolean
  /** Whether it is another result each time that an entry comes or goes. */
  peeks: boolean
  /** Absolute path and content of what was read by content, and thus recorded. */
  read: Map<string, string>
  parent: Frame | undefined
}

/** Whether a cache keeps a result. */
export interface Kept {
  isKept: boolean
  peeks: boolean
}

export class Oracle {
  /** By name, of all that was asked since the last reset. */
  readonly kept = new Map<string, Kept>()
  readonly #base: string
  readonly #program: Program
  readonly #surroundings: Surroundings
  /** Reads entries, and computes nothing. */
  readonly #reader: Caller
  readonly #cwd: Cwd

  constructor(base: string, program: Program, surroundings: Surroundings, reader: Caller, cwd: Cwd) {
    this.#base = base
    this.#program = program
    this.#surroundings = surroundings
    this.#reader = reader
    this.#cwd = cwd
  }

  answer(ask: Ask): Answered {
    return answerOf(() => this.#ask(ask, undefined, []))
  }

  /** Whether the answer that was given last is kept. */
  keptOf(ask: Ask): Kept {
    const question = this.#program.questions[ask.question] as Question
    return this.kept.get(nameOf(question, ask.question, ask)) ?? { isKept: false, peeks: false }
  }

  #ask(ask: Ask, parent: Frame | undefined, stack: readonly number[], text?: string): unknown {
    const question = this.#program.questions[ask.question] as Question
    const name = nameOf(question, ask.question, ask, text)
    const isCut = stack.filter(each => each === ask.question).length >= 2
    const below = question.isCircle ? [...stack, ask.question] : []
    const frame: Frame = {
      index: ask.question,
      isCircular: markCircle(parent, ask.question),
      isRecordable: true,
      peeks: false,
      read: new Map(),
      parent,
    }
    if (isCut) return []
    const dir = projectOf(this.#base, ask.at, this.#cwd)
    const own = ask.at === 'cwd' ? dir : directoryOf(this.#base, ask.at)
    try {
      if (question.call === 'analyze') this.#readSubject(question, ask, frame, own, text)
      for (const path of question.files?.[ask.variant] ?? []) this.#name(path, frame, own, false)
      const value = performSync(perform(question, this.#accessOf(question, ask, frame, dir, own, below, text)))
      const isKept = frame.isRecordable && !frame.isCircular && isStorable(value)
      this.#note(name, { isKept, peeks: frame.peeks })
      return value
    } catch (error) {
      this.#note(name, { isKept: false, peeks: frame.peeks })
      throw error
    } finally {
      if (parent) {
        if (!frame.isRecordable) parent.isRecordable = false
        if (frame.peeks) parent.peeks = true
      }
    }
  }

  #note(name: string, { isKept, peeks }: Kept): void {
    const before = this.kept.get(name)
    this.kept.set(name, { isKept: isKept && before?.isKept !== false, peeks: peeks || before?.peeks === true })
  }

  #readSubject(question: Question, { variant }: Ask, { parent, read }: Frame, own: string, text?: string): string {
    const path = question.file?.[variant] as PathRef
    const given = text ?? question.text?.[variant]
    const file = resolve(pathOf(this.#base, path, own))
    // A text that was handed over is known to be of the file only if it was read before.
    if (given !== undefined && parent && parent.read.get(file) !== given) parent.isRecordable = false
    const content = given ?? readFileSync(givenPathOf(this.#base, path, own), 'utf8')
    read.set(file, content)
    return content
  }

  #accessOf(
    question: Question,
    ask: Ask,
    frame: Frame,
    dir: string,
    own: string,
    stack: readonly number[],
    text: string | undefined,
  ): Access {
    const base = this.#base
    const given = (path: PathRef) => givenPathOf(base, path, own)
    const absolute = (path: PathRef) => resolve(pathOf(base, path, own))
    const inner = (each: Ask) => this.#ask(each, frame, [])
    return {
      read: path => {
        if (path.rel === '/dev/null') frame.isRecordable = false
        const content = readFileSync(given(path), 'utf8')
        frame.read.set(absolute(path), content)
        return content
      },
      exists: path => existsSync(given(path)),
      list: path => {
        if (path.rel === '/dev/null') frame.isRecordable = false
        return readdirSync(given(path)).sort()
      },
      named: ({ path }) => {
        this.#name(path, frame, own)
        return readPlainly(given(path))
      },
      glob: (patterns, at) => globPlainly(at ? absolute(at) : process.cwd(), patterns),
      env: name => process.env[name],
      get: step => {
        const found = this.#reader.handle(step.handle, step.at)[step.do](step.key)
        if (!step.key.startsWith('put')) return found
        frame.peeks = true
        return { peek: [step.do === 'has' ? true : 'put'], now: found ?? null }
      },
      peek: ({ question: index, at }) => {
        frame.peeks = true
        const { handle, key } = this.#program.questions[index] as Question
        const now = this.#reader.handle(handle, at).get(key) ?? null
        return { peek: this.#peeked(index, at), now }
      },
      put: () => undefined,
      ask: ({ ask: each, isUntracked }) => (isUntracked ? this.#ask(each, undefined, []) : inner(each)),
      askAll: asks => {
        if (ask.isSync) return asks.map(inner)
        const answers = asks.map(each => answerOf(() => inner(each)))
        const failed = answers.find(({ error }) => error !== undefined)
        if (failed) throw failed.error
        return answers.map(({ value }) => value)
      },
      askText: ({ question: index, path, isChanged }) => {
        const content = readFileSync(given(path), 'utf8')
        frame.read.set(absolute(path), content)
        const each = { question: index, variant: 0, at: ask.at, isSync: true } as const
        return this.#ask(each, frame, [], isChanged ? `${content} changed` : content)
      },
      circle: each => this.#ask(each, frame, stack),
      plain: what => {
        if (what === 'hidden') return { hidden: this.#surroundings.hidden }
        if (what === 'directory') return `in ${dir}/`
        if (what === 'keys') {
          frame.isRecordable = false
          return true
        }
        return plainly(what, question, ask, this.#surroundings, path => readPlainly(given(path)))
      },
      subject: what => {
        const path = absolute(question.file?.[ask.variant] as PathRef)
        if (what === 'path') return this.#isUser(question) ? path : realPathOf(base, path)
        if (what === 'relativePath') return this.#isUser(question) ? path : relativePathOf(base, path, dir)
        return this.#readSubject(question, ask, { ...frame, parent: undefined }, own, text)
      },
      gate: () => undefined,
    }
  }

  /** Any variant's value may be the entry's. */
  #peeked(index: number, at: Ask['at']): unknown[] {
    return ([0, 1] as const).map(variant => {
      const { value } = new Oracle(this.#base, this.#program, this.#surroundings, this.#reader, this.#cwd).answer({
        question: index,
        variant,
        at,
        isSync: true,
      })
      return value ?? null
    })
  }

  #isUser({ handle }: Question): boolean {
    return this.#program.handles[handle]?.isUser ?? false
  }

  #name(path: PathRef, frame: Frame, own: string, isCalled = true): void {
    const absolute = resolve(pathOf(this.#base, path, own))
    const stat = statOf(absolute)
    if (stat && !stat.isFile() && !stat.isDirectory()) frame.isRecordable = false
    if (isCalled && isRecent(stat ?? statOf(dirname(absolute)))) frame.isRecordable = false
    if (stat?.isFile()) frame.read.set(absolute, readFileSync(absolute, 'utf8'))
  }
}

function answerOf(ask: () => unknown): Answered {
  try {
    return { value: ask() }
  } catch (error) {
    return { error }
  }
}

/** Who asks for itself, and all between, are not kept; a portable question is the same in all projects. */
function markCircle(parent: Frame | undefined, index: number): boolean {
  const between: Frame[] = []
  for (let each = parent; each; each = each.parent) {
    between.push(each)
    if (each.index !== index) continue
    for (const frame of between) frame.isCircular = true
    return true
  }
  return false
}

/** Functions aren't, and `undefined` is no result. */
function isStorable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined && typeof value !== 'function'
  return Object.values(value).every(isStorable)
}

function isRecent(stat: { mtimeMs: number; ctimeMs: number } | undefined): boolean {
  return stat !== undefined && Math.max(stat.mtimeMs, stat.ctimeMs) > Date.now() - 2 * CLOCK_STEP_MS
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** A project that is named by a link is where that leads. */
function realPathOf(base: string, path: string): string {
  const link = join(base, 'link')
  return path.startsWith(`${link}/`) ? join(base, 'a', path.slice(link.length)) : path
}

function relativePathOf(base: string, path: string, dir: string): string {
  const real = realPathOf(base, path)
  const top = dir.startsWith(join(base, 'a'))
    ? join(base, 'a')
    : dir.startsWith(join(base, 'w'))
      ? join(base, 'w')
      : dir
  return real.startsWith(`${top}/`) ? relative(dir, real) || '.' : path
}

/** All files, matched one by one. */
export function globPlainly(start: string, patterns: readonly string[]): string[] {
  const positive = patterns.filter(each => !each.startsWith('!')).map(each => picomatch(each))
  const negative = patterns.filter(each => each.startsWith('!')).map(each => picomatch(each.slice(1), { dot: true }))
  const found: string[] = []
  const walk = (at: string) => {
    for (const item of readdirSync(join(start, at), { withFileTypes: true })) {
      const path = at === '' ? item.name : `${at}/${item.name}`
      if (item.isDirectory()) walk(path)
      else if (positive.some(is => is(path)) && !negative.some(is => is(path))) found.push(path)
    }
  }
  if (statOf(start)?.isDirectory()) walk('')
  return found.sort()
}
