// What a computation's function does, action by action.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnalyzeContext, ComputeContext } from '../../src/index.js'
import type { Action, Computation } from './computations.js'
import { type Doing, runAsync, runSync } from './driver.js'
import type { ActorStep } from './format.js'

/** What a function can do beside using its context. */
export interface Surroundings {
  /** With the run's own directories in it. */
  said(text: string): string
  /** As the library is given it. */
  located(place: string): string
  meetings: string
  /** The result of a computation. */
  ask(name: string, way: Way): unknown
  other(where: Extract<Action, { get: string } | { has: string }>): {
    get(key: string): unknown
    has(key: string): boolean
  }
  keysOf(namespace: string): string[]
  /** Takes the steps once. */
  meanwhile(name: string, at: number, steps: ActorStep[]): unknown
}

/** How a computation came to be asked for. */
export interface Way {
  isSync: boolean
  /** The computations that ask for each other. */
  chain: readonly string[]
}

export interface Call {
  name: string
  computation: Computation
  way: Way
  /** Undefined in a wrapped function. */
  context: ComputeContext | undefined
  arguments: readonly unknown[]
}

/** A circle ends where a computation would be in the chain for the third time, as that of a plugin with a limit. */
const MAX_TIMES_IN_CHAIN = 2

export function follow(surroundings: Surroundings, call: Call): string | Promise<string> {
  const doing = followAll(surroundings, call, call.computation.does)
  return call.way.isSync ? runSync(doing) : runAsync(doing)
}

function* followAll(surroundings: Surroundings, call: Call, actions: readonly Action[]): Doing<string> {
  const parts: string[] = []
  for (const [at, action] of actions.entries()) {
    // So that others come in between.
    if (!call.way.isSync) yield new Promise(resolve => setImmediate(resolve))
    const part = yield* followOne(surroundings, call, action, at)
    if (part !== '') parts.push(part)
  }
  return parts.join(' ')
}

function* followOne(surroundings: Surroundings, call: Call, action: Action, at: number): Doing<string> {
  const { located } = surroundings
  if ('say' in action) return surroundings.said(action.say)
  if ('throw' in action) throw new Error(action.throw)
  if ('argument' in action) return String(call.arguments[action.argument - 1])
  if ('read directly' in action) return readFileSync(located(action['read directly']), 'utf8').trim()
  if ('ask' in action) return yield* askOther(surroundings, call, action)
  if ('get' in action) return textOf(surroundings.other(action).get(action.get))
  if ('has' in action) return yesOrNo(surroundings.other(action).has(action.has))
  if ('list keys' in action) return surroundings.keysOf(action['list keys']).sort().join(',')
  if ('meet' in action) return yield* meet(surroundings, call, action)
  if ('while computing' in action) {
    const work = () => surroundings.meanwhile(call.name, at, action['while computing'])
    yield call.context ? call.context.untracked(work) : work()
    return ''
  }
  const context = call.context as AnalyzeContext
  if ('untracked' in action) {
    const inner = () => followAll(surroundings, call, action.untracked)
    const run = () => (call.way.isSync ? runSync(inner()) : runAsync(inner()))
    return (yield context.untracked<string | Promise<string>>(run)) as string
  }
  return look(located, context, action)
}

/** Actions that use the context alone. */
function look(located: (place: string) => string, context: AnalyzeContext, action: Action): string {
  if ('read' in action) return context.readFile(located(action.read)).trim()
  if ('try to read' in action) return attempt(() => context.readFile(located(action['try to read'])).trim())
  if ('exists' in action) return yesOrNo(context.exists(located(action.exists)))
  if ('list' in action) return attempt(() => context.readDirectory(located(action.list)).join(','))
  if ('glob' in action) return context.glob(action.glob, { cwd: located(action.from ?? '.') }).join(',')
  if ('variable' in action) return context.env(action.variable) ?? 'unset'
  if ('name late' in action) {
    context.addDependency(action['name late'].map(located))
    return ''
  }
  if ('take' in action) return context[action.take].trim()
  throw new Error(`There is no action ${JSON.stringify(action)}.`)
}

function* askOther(surroundings: Surroundings, { way }: Call, action: Extract<Action, { ask: string }>): Doing<string> {
  const { ask: name, quietly } = action
  if (way.chain.filter(each => each === name).length >= MAX_TIMES_IN_CHAIN) return '…'
  const value = (yield surroundings.ask(name, way)) as string
  return quietly ? '' : `(${value})`
}

/** Waits until as many computations have come here. */
function* meet(
  { meetings }: Surroundings,
  { name, way }: Call,
  action: Extract<Action, { meet: string }>,
): Doing<string> {
  const prefix = `${action.meet} `
  const own = join(meetings, `${prefix}${Buffer.from(name).toString('hex')}`)
  if (!existsSync(own)) writeFileSync(own, '')
  while (readdirSync(meetings).filter(each => each.startsWith(prefix)).length < action.of) {
    if (way.isSync) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    else yield new Promise(resolve => setTimeout(resolve, 1))
  }
  return ''
}

function attempt(work: () => string): string {
  try {
    return work()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

function yesOrNo(isSo: boolean): string {
  return isSo ? 'yes' : 'no'
}

function textOf(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value)
}
