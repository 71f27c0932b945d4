// Asks for computations, and answers the ones that ask for each other.

import type { Cache, CallResult, ComputeContext, Namespace } from '../../src/index.js'
import { type Computation, functionText } from './computations.js'
import type { ActorStep } from './format.js'
import { locatedIn, type Named, namespaceOf } from './namespaces.js'
import type { Asked } from './outcome.js'
import type { Setting } from './performer.js'
import { type Call, follow, type Surroundings, type Way } from './recipe.js'

interface Means {
  setting(): Setting
  meanwhile(name: string, at: number, steps: readonly ActorStep[]): unknown
}

type Told = (result: CallResult) => void

export class Asker {
  /** The computations whose functions were called, in order. */
  readonly computed: string[] = []
  readonly #means: Means

  constructor(means: Means) {
    this.#means = means
  }

  answer(cache: Cache, name: string, project?: string): Asked | Promise<Asked> {
    const told: CallResult[] = []
    const answered = (value: unknown): Asked => ({ value: String(value), ...resultOf(told.at(-1)) })
    const way = { isSync: this.#means.setting().isSync, chain: [] }
    try {
      const value = this.#ask(cache, name, way, result => told.push(result), project)
      return value instanceof Promise ? value.then(answered, failure) : answered(value)
    } catch (error) {
      return failure(error)
    }
  }

  answerAll(cache: Cache, names: readonly string[]): Asked[] | Promise<Asked[]> {
    const answers = names.map(name => this.answer(cache, name))
    return answers.some(each => each instanceof Promise) ? Promise.all(answers) : (answers as Asked[])
  }

  #ask(cache: Cache, name: string, { isSync, chain }: Way, onResult?: Told, project?: string): unknown {
    const { computations, tree } = this.#means.setting()
    const computation = computations[name]
    if (!computation) throw new Error(`There is no computation "${name}".`)
    const way = { isSync: isSync || computation.form === 'sync', chain: [...chain, name] }
    const named: Named = project === undefined ? computation : { ...computation, project }
    const namespace = namespaceOf(cache, named, tree)
    const call = (context: ComputeContext | undefined, args: readonly unknown[]) => {
      this.computed.push(name)
      return follow(this.#surroundings(cache), { name, computation, way, context, arguments: args } satisfies Call)
    }
    return asked(namespace, computation, way.isSync, call, place => locatedIn(tree, place), onResult)
  }

  #surroundings(cache: Cache): Surroundings {
    const { tree, meetings } = this.#means.setting()
    return {
      said: text => text.replaceAll('{tree}', tree),
      located: place => locatedIn(tree, place),
      meetings,
      ask: (name, way) => this.#ask(cache, name, way),
      other: ({ namespace = '', ...where }) => namespaceOf(cache, { ...where, namespace }, tree),
      keysOf: namespace => [...cache.namespace(namespace).keys()],
      meanwhile: (name, at, steps) => this.#means.meanwhile(name, at, steps),
    }
  }
}

type Compute = (context: ComputeContext | undefined, args: readonly unknown[]) => string | Promise<string>

function asked(
  namespace: Namespace,
  computation: Computation,
  isSync: boolean,
  compute: Compute,
  located: (place: string) => string,
  onResult: Told | undefined,
): unknown {
  const { key = '', analysis, ttl, files, inputs } = computation
  const told = onResult ? { onResult } : {}
  const asks = inputs === undefined ? told : { ...told, inputs }
  const withContext = (context: ComputeContext) => compute(context, [])
  if (analysis) {
    const { name, file, text, anywhere } = analysis
    const subject = text === undefined ? located(file) : { path: located(file), source: text }
    const options = anywhere ? { ...asks, anywhere } : asks
    return isSync
      ? namespace.analyzeSync(name, subject, withContext, options)
      : namespace.analyze(name, subject, withContext, options)
  }
  const options = {
    ...asks,
    ...(ttl === undefined ? {} : { ttl }),
    ...(files === undefined ? {} : { files: files.map(located) }),
  }
  if (computation.function) {
    const { name, arguments: args } = computation.function
    const fn = Object.assign((...given: unknown[]) => compute(undefined, given), {
      // The same in the test's process and in others, where the code of the runner is bundled.
      toString: () => functionText(computation),
    })
    return isSync ? namespace.wrapSync(name, fn, options)(...args) : namespace.wrap(name, fn, options)(...args)
  }
  return isSync ? namespace.getOrSetSync(key, withContext, options) : namespace.getOrSet(key, withContext, options)
}

function resultOf(told: CallResult | undefined): Pick<Asked, 'reason' | 'files'> {
  if (!told) return {}
  return { ...(told.reason === undefined ? {} : { reason: told.reason }), files: told.files }
}

/** Without a cache, an error would have been the same: its code, or its message. */
function failure(error: unknown): Asked {
  const { code, message } = error as NodeJS.ErrnoException
  return { fails: code ?? message }
}
