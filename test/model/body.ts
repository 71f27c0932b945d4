// What a question's steps see of the world, whatever it is seen through: the cache's context, or the file system itself.

import type { Ask, PathRef, Question, Step } from './program.js'

/** How the steps look at the world. */
export interface Access {
  read(path: PathRef, asBytes: boolean): string
  exists(path: PathRef): boolean
  list(path: PathRef): string[]
  /** May give a promise. */
  named(step: Extract<Step, { do: 'named' }>): unknown
  glob(patterns: string[], at: PathRef | undefined): string[]
  env(name: string): string | undefined
  get(step: Extract<Step, { do: 'get' | 'has' }>): unknown
  peek(step: Extract<Step, { do: 'peek' }>): unknown
  put(step: Extract<Step, { do: 'put' }>): void
  /** May give a promise. */
  ask(step: Extract<Step, { do: 'ask' }>): unknown
  askAll(asks: Ask[]): unknown
  askText(step: Extract<Step, { do: 'askText' }>): unknown
  circle(ask: Ask): unknown
  plain(what: 'declared' | 'inputs' | 'time' | 'directory' | 'keys' | 'hidden'): unknown
  subject(what: 'source' | 'bytes' | 'path' | 'relativePath'): string
  /** May give a promise. */
  gate(): unknown
}

/** Yields what may be a promise, and is told what it comes to. */
type Steps<T> = Generator<unknown, T, unknown>

/** What the question gives. @throws what its steps throw */
export function* perform(question: Question, access: Access): Steps<unknown> {
  const seen: unknown[] = []
  for (const step of question.steps) yield* performStep(step, question, access, seen)
  if (question.gives === 'undefined') return undefined
  if (question.gives === 'function') return { seen, fn: () => undefined }
  return question.isCircle ? factsOf(question.key, seen) : { of: question.key, seen }
}

function* performStep(step: Step, question: Question, access: Access, seen: unknown[]): Steps<void> {
  const start = seen.length
  try {
    if (step.do === 'when') {
      const content = access.read(step.path, false)
      seen.push(content)
      const next = (content.length + (content.codePointAt(1) ?? 0)) % 2 === 0 ? step.even : step.odd
      for (const each of next) yield* performStep(each, question, access, seen)
    } else {
      const found = yield look(step, access)
      if (found !== IGNORED) seen.push(found ?? null)
    }
  } catch (error) {
    if (!question.catches) throw error
    seen.length = start
    seen.push({ error: codeOf(error) })
  }
}

const IGNORED = Symbol('ignored')

/** What isn't an input must not be seen, whether it fails or not. */
function ignored(ask: () => unknown): unknown {
  try {
    const answer = ask()
    if (!(answer instanceof Promise)) return IGNORED
    return answer.then(
      () => IGNORED,
      () => IGNORED,
    )
  } catch {
    return IGNORED
  }
}

function look(step: Exclude<Step, { do: 'when' }>, access: Access): unknown {
  switch (step.do) {
    case 'read':
      return access.read(step.path, step.asBytes ?? false)
    case 'exists':
      return access.exists(step.path)
    case 'list':
      return access.list(step.path)
    case 'named':
      return access.named(step)
    case 'glob':
      return access.glob(step.patterns, step.at)
    case 'env':
      return access.env(step.name)
    case 'get':
    case 'has':
      return access.get(step)
    case 'peek':
      return access.peek(step)
    case 'put':
      access.put(step)
      return IGNORED
    case 'ask':
      return step.isUntracked ? ignored(() => access.ask(step)) : access.ask(step)
    case 'askAll':
      return access.askAll(step.asks)
    case 'askText':
      return access.askText(step)
    case 'circle':
      return access.circle(step.ask)
    case 'throw':
      if (access.exists(step.path)) throw new Error('boom')
      return 'no boom'
    case 'gate': {
      const opened = access.gate()
      return opened instanceof Promise ? opened.then(() => IGNORED) : IGNORED
    }
    case 'source':
    case 'bytes':
    case 'path':
    case 'relativePath':
      return access.subject(step.do)
    default:
      return access.plain(step.do)
  }
}

/** Own facts and those of the questions of the circle, which gave lists of facts. */
function factsOf(key: string, seen: readonly unknown[]): string[] {
  const facts = seen.flatMap(each => {
    const isFacts = Array.isArray(each) && each.every(fact => typeof fact === 'string' && fact.startsWith('fact '))
    return isFacts ? (each as string[]) : `fact ${key} ${JSON.stringify(each)}`
  })
  return [...new Set(facts)].sort()
}

export function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  // Nothing is there in either case, and more is not recorded.
  return code === 'ENOTDIR' ? 'ENOENT' : (code ?? message ?? String(error))
}

/** @throws for steps that give a promise */
export function performSync<T>(steps: Steps<T>): T {
  let next = steps.next()
  while (!next.done) {
    if (next.value instanceof Promise) throw new Error('A synchronous question waits.')
    next = steps.next(next.value)
  }
  return next.value
}

export async function performAsync<T>(steps: Steps<T>): Promise<T> {
  let next = steps.next()
  while (!next.done) {
    let value: unknown
    try {
      value = await next.value
    } catch (error) {
      next = steps.throw(error)
      continue
    }
    next = steps.next(value)
  }
  return next.value
}
