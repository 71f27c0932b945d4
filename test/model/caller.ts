// Asks the library what a program asks, as a plugin would: the computations look at the world through the context alone.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnalyzeContext, Cache, CallResult, ComputeContext, Namespace } from '../../src/index.js'
import { type Access, perform, performAsync, performSync } from './body.js'
import type { Ask, At, Handle, PathRef, PlainOperation, Program, Question } from './program.js'
import { directoryOf, givenPathOf, pathOf } from './tree.js'

/** What the library is not told of: a closed-over variable, and when computations go on. */
export interface Surroundings {
  clockMs: number
  hidden: number
  /** Holds the next computation that comes to a gate. */
  gate: Gate | undefined
}

export interface Gate {
  reached(): void
  opened: Promise<void>
}

export type Library = Pick<typeof import('../../src/index.js'), 'openCacheSync'>

export interface Answered {
  value?: unknown
  error?: unknown
  result?: CallResult | undefined
}

/** Names what is asked, for whoever asks. */
export function nameOf(question: Question, index: number, { variant, at }: Ask, text?: string): string {
  const where = `in ${process.cwd()} at ${at}`
  return `${question.call} ${question.key} of question ${index}, variant ${variant}, ${where}${text === undefined ? '' : ` ${text}`}`
}

export class Caller {
  readonly cache: Cache
  readonly #base: string
  readonly #program: Program
  readonly #surroundings: Surroundings
  readonly #handles = new Map<string, Namespace>()
  /** The names of what was computed. */
  computed: string[] = []

  constructor(cache: Cache, base: string, program: Program, surroundings: Surroundings) {
    this.cache = cache
    this.#base = base
    this.#program = program
    this.#surroundings = surroundings
  }

  handle(index: number, at: At): Namespace {
    const { isUser, namespace, version, isPortable, strategy } = this.#program.handles[index] as Handle
    const project = isUser ? false : at === 'cwd' ? undefined : directoryOf(this.#base, at)
    const name = `${index} ${String(project)}`
    let handle = this.#handles.get(name)
    if (!handle) {
      const options = { version, portable: isPortable, strategy }
      // Two ways to the same.
      handle =
        project !== undefined && index % 2 === 0
          ? this.cache.namespace(namespace, options).in(project)
          : this.cache.namespace(namespace, { ...options, ...(project === undefined ? {} : { project }) })
      this.#handles.set(name, handle)
    }
    return handle
  }

  ask(ask: Ask, stack: readonly number[] = [], text?: string): unknown {
    const question = this.#program.questions[ask.question] as Question
    const ns = this.handle(question.handle, ask.at)
    const own = ask.at === 'cwd' ? (ns.project ?? '') : directoryOf(this.#base, ask.at)
    const isCut = stack.filter(each => each === ask.question).length >= 2
    const below = question.isCircle ? [...stack, ask.question] : []
    const compute = (context: ComputeContext | undefined) => {
      this.computed.push(nameOf(question, ask.question, ask, text))
      if (isCut) return []
      const access = this.#accessOf(question, ask, ns, own, context, below)
      const steps = perform(question, access)
      return ask.isSync ? performSync(steps) : performAsync(steps)
    }
    const options = {
      ...(question.hasInputs && { inputs: { variant: ask.variant } }),
      ...(question.files && { files: question.files[ask.variant].map(path => givenPathOf(this.#base, path, own)) }),
      ...(question.ttl && { ttl: question.ttl[ask.variant] }),
    }
    switch (question.call) {
      case 'getOrSet':
        return ask.isSync
          ? ns.getOrSetSync(question.key, compute, options)
          : ns.getOrSet(question.key, compute, options)
      case 'analyze': {
        const path = givenPathOf(this.#base, question.file?.[ask.variant] as PathRef, own)
        const source = text ?? question.text?.[ask.variant]
        const file = source === undefined ? path : { path, source }
        const { isAnywhere: anywhere = false } = question
        const { files: _, ttl: __, ...others } = { files: undefined, ttl: undefined, ...options }
        return ask.isSync
          ? ns.analyzeSync(question.key, file, compute, { ...others, anywhere })
          : ns.analyze(question.key, file, compute, { ...others, anywhere })
      }
      case 'wrap': {
        const fn = (_: number) => compute(undefined)
        const wrapped = ask.isSync ? ns.wrapSync(question.key, fn, options) : ns.wrap(question.key, fn, options)
        return wrapped(ask.variant)
      }
    }
  }

  plain(index: number, at: At, key: string, operation: PlainOperation): unknown {
    const ns = this.handle(index, at)
    switch (operation.do) {
      case 'set': {
        const { value, ttl, files } = operation
        return ns.set(key, value, {
          ...(ttl === undefined ? {} : { ttl }),
          ...(files && { files: files.map(path => givenPathOf(this.#base, path, ns.project ?? '')) }),
        })
      }
      case 'clear':
        return ns.clear()
      default:
        return ns[operation.do](key)
    }
  }

  #reachGate(): Promise<void> | undefined {
    const { gate } = this.#surroundings
    this.#surroundings.gate = undefined
    gate?.reached()
    return gate?.opened
  }

  #accessOf(
    question: Question,
    ask: Ask,
    ns: Namespace,
    own: string,
    context: ComputeContext | undefined,
    stack: readonly number[],
  ): Access {
    const base = this.#base
    const given = (path: PathRef) => givenPathOf(base, path, own)
    const ctx = context as ComputeContext
    const askText = (index: number, path: PathRef, isChanged: boolean, isSync: boolean) => {
      const content = ctx.readFile(given(path))
      const inner = { question: index, variant: 0, at: ask.at, isSync } as const
      return this.ask(inner, [], isChanged ? `${content} changed` : content)
    }
    return {
      read: (path, asBytes) =>
        asBytes ? Buffer.from(ctx.readBytes(given(path))).toString() : ctx.readFile(given(path)),
      exists: path => ctx.exists(given(path)),
      list: path => ctx.readDirectory(given(path)),
      named: ({ path, isLate, isGated }) => {
        if (!isLate) ctx.addDependency(given(path))
        const found = readPlainly(given(path))
        const name = () => {
          if (isLate) ctx.addDependency([given(path)])
          return found
        }
        const opened = isGated ? this.#reachGate() : undefined
        return opened ? opened.then(name) : name()
      },
      glob: (patterns, at) => ctx.glob(patterns, at && { cwd: given(at) }),
      env: name => ctx.env(name),
      get: step => {
        const found = this.handle(step.handle, step.at)[step.do](step.key)
        return step.key.startsWith('put') ? { peek: found ?? null } : found
      },
      peek: ({ question: index, at }) => {
        const { handle, key } = this.#program.questions[index] as Question
        return { peek: this.handle(handle, at).get(key) ?? null }
      },
      put: step => void this.handle(step.handle, 'cwd').set(step.key, step.value),
      ask: ({ ask: asked, inRun, isUntracked }) => {
        const inner = ask.isSync ? { ...asked, isSync: true } : asked
        if (inRun && context) return context.run(() => this.ask(inner))
        if (isUntracked && context) return context.untracked(() => this.ask(inner))
        return this.ask(inner)
      },
      askAll: asks => {
        if (ask.isSync) return asks.map(each => this.ask({ ...each, isSync: true }))
        return settledInOrder(asks.map(each => this.ask({ ...each, isSync: false })))
      },
      askText: ({ question: index, path, isChanged, isSync }) => askText(index, path, isChanged, isSync || ask.isSync),
      circle: inner => this.ask(ask.isSync ? { ...inner, isSync: true } : inner, stack),
      plain: what => {
        if (what === 'keys') return [...ns.keys()].length >= 0
        if (what === 'hidden') return { hidden: this.#surroundings.hidden }
        if (what === 'directory') return `in ${ns.project}/`
        return plainly(what, question, ask, this.#surroundings, path => readPlainly(given(path)))
      },
      subject: what => {
        const subject = context as AnalyzeContext
        return what === 'bytes' ? Buffer.from(subject.bytes).toString() : subject[what]
      },
      gate: () => this.#reachGate(),
    }
  }
}

/** Which one fails first in time is not the same with and without a cache. */
async function settledInOrder(answers: readonly unknown[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(answers)
  return settled.map(each => {
    if (each.status === 'rejected') throw each.reason
    return each.value
  })
}

/** What is the same with and without a cache. */
export function plainly(
  what: 'declared' | 'inputs' | 'time',
  question: Question,
  { variant }: Ask,
  { clockMs }: Surroundings,
  read: (path: PathRef) => string,
): unknown {
  switch (what) {
    case 'declared':
      return question.files?.[variant].map(read)
    case 'inputs':
      return question.hasInputs || question.call === 'wrap' ? variant : 'none'
    case 'time': {
      const ttl = question.ttl?.[variant] ?? 0
      return { time: clockMs, ttl: typeof ttl === 'number' ? ttl : Number.parseInt(ttl, 10) * 1000 }
    }
  }
}

/** By node:fs alone: a file's text, a directory's names, or that nothing is there. */
export function readPlainly(path: string | URL): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EISDIR') return readdirSync(path).sort().join()
    return code === 'ENOTDIR' ? 'ENOENT' : String(code)
  }
}

/** The path as it was given, for a computation's own use. */
export function ownPath(base: string, path: PathRef, own: string): string {
  return join(pathOf(base, path, own))
}
