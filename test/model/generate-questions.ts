// Makes the questions of a random program.
//
// A portable question promises that its result depends on what it records alone. So nothing below it names a directory of
// the test by its absolute path: within that directory's own project it would be recorded as relative.

import type { Ask, At, Handle, PathRef, Question, Step } from './program.js'
import { ENV_NAMES } from './program.js'
import { FILES } from './tree.js'

export interface Random {
  below(limit: number): number
  of<T>(list: readonly T[]): T
  chance(percent: number): boolean
}

const HANDLES: Handle[] = [
  { namespace: 'one', version: '', isPortable: false, isUser: false, strategy: 'auto' },
  { namespace: 'one', version: '2', isPortable: false, isUser: false, strategy: 'auto' },
  { namespace: 'two', version: '', isPortable: false, isUser: false, strategy: 'content' },
  { namespace: 'portable', version: '', isPortable: true, isUser: false, strategy: 'auto' },
  { namespace: 'portable', version: '2', isPortable: true, isUser: false, strategy: 'auto' },
  { namespace: 'user', version: '', isPortable: false, isUser: true, strategy: 'auto' },
  { namespace: 'one', version: '', isPortable: false, isUser: true, strategy: 'auto' },
]
const ALL_HANDLES = HANDLES.map((_, at) => at)
/** Of what is shared between machines, mostly. */
export const PORTABLE_HANDLES = [3, 4, 3, 4, 3, 4, 0]
const MAX_DEPTH = 4
const PLACES = [...FILES, ...FILES, 'gone.js', 'src', 'src/deep', '../q/conf.json', '../../conf.json', 'src/new.js']
const ODD_PLACES = ['/dev/null', 'src/x.js/below', 'nowhere/n.js', '.']
const GLOBS = [
  ['**/*.js'],
  ['src/*.js'],
  ['src/**/*.js', '!src/deep/**'],
  ['*.json', 'src/{x,y,new}.js'],
  ['src/*', '!**/y.js'],
  ['**/new.js'],
  ['s*/deep/?.js'],
]
const TTLS = [500, 1000, '1s', 2000, '5s']

/** Whether a question, and all that it asks, names no directory of the test. */
interface Made {
  question: Question
  isClean: boolean
}

/** `chosen`: the handles that questions are asked through. */
export function createQuestions(
  random: Random,
  chosen: readonly number[] = ALL_HANDLES,
): { handles: Handle[]; questions: Question[] } {
  const maker = new Maker(random, chosen)
  for (let left = 5 + random.below(5); left > 0; left--) maker.add()
  if (random.chance(50)) maker.addCircle()
  for (let left = random.below(3); left > 0; left--) maker.add()
  return { handles: HANDLES, questions: maker.questions }
}

/** From where a question is asked; undefined where a clean one must not. */
export function atOf({ chance, of }: Random, { askedAt, handle }: Question, isClean: boolean): At | undefined {
  if (HANDLES[handle]?.isUser) return 'cwd'
  const named = ['a', 'b', 'w', 'link', 'p'] as const
  if (askedAt === 'named') return isClean ? undefined : of(named)
  return askedAt === 'cwd' || isClean || chance(75) ? 'cwd' : of(named)
}

class Maker {
  readonly #random: Random
  readonly #handles: readonly number[]
  readonly #made: Made[] = []
  readonly #keys = new Set<string>()

  constructor(random: Random, handles: readonly number[]) {
    this.#random = random
    this.#handles = handles
  }

  get questions(): Question[] {
    return this.#made.map(({ question }) => question)
  }

  add(): void {
    const { chance, of } = this.#random
    const call = of(['getOrSet', 'getOrSet', 'getOrSet', 'analyze', 'analyze', 'wrap'] as const)
    const handle = this.#handle()
    const isClean = call === 'analyze' || this.#isPortable(handle) || chance(60)
    const question: Question = {
      call,
      key: this.#key(call, handle),
      handle,
      steps: [],
      catches: chance(75),
      depth: 1,
    }
    if (chance(25)) question.hasInputs = true
    if (call !== 'analyze') {
      if (chance(20)) question.files = [this.#paths(question, isClean), this.#paths(question, isClean)]
      if (chance(20)) question.ttl = [this.#random.of(TTLS), this.#random.of(TTLS)]
    } else {
      question.file = [this.#path(question, isClean, FILES), this.#path(question, isClean, FILES)]
      if (chance(20)) question.text = ['text one', 'text two']
      if (chance(25)) question.isAnywhere = true
    }
    if (chance(4)) question.gives = of(['undefined', 'function'] as const)
    question.steps = Array.from({ length: 1 + this.#random.below(4) }, () => this.#step(question, isClean, true))
    if (question.files) question.steps.push({ do: 'declared' })
    if (question.hasInputs || call === 'wrap') question.steps.push({ do: 'inputs' })
    if (question.ttl) question.steps.push({ do: 'time' })
    if (asksOthers(question.steps) && chance(50)) question.askedAt = chance(70) ? 'cwd' : 'named'
    this.#made.push({ question, isClean })
  }

  /** Two or three questions that ask each other. */
  addCircle(): void {
    const { below, chance, of } = this.#random
    const size = 2 + below(2)
    const first = this.#made.length
    for (let at = 0; at < size; at++) {
      const call = of(['getOrSet', 'analyze'] as const)
      const handle = this.#handle()
      const question: Question = {
        call,
        key: this.#key(call, handle),
        handle,
        steps: [],
        catches: chance(75),
        isCircle: true,
        depth: 2,
      }
      if (call === 'analyze') question.file = [this.#path(question, true, FILES), this.#path(question, true, FILES)]
      question.steps.push(this.#look(question, true))
      const circle = (): Step => ({
        do: 'circle',
        ask: { question: first + below(size), variant: 0, at: 'cwd', isSync: chance(50) },
      })
      const path = this.#path(question, true)
      if (chance(40)) question.steps.push({ do: 'when', path, even: [circle()], odd: [] })
      else question.steps.push(circle())
      if (chance(40)) question.steps.push(circle())
      question.askedAt = 'cwd'
      this.#made.push({ question, isClean: true })
    }
  }

  #step(question: Question, isClean: boolean, mayBranch: boolean): Step {
    const { below, chance, of } = this.#random
    const dice = below(100)
    if (dice < 24) return this.#nested(question, isClean) ?? this.#look(question, isClean)
    if (dice < 34) {
      const at = this.#at(isClean)
      return {
        do: chance(70) ? 'get' : 'has',
        handle: this.#handle(),
        at,
        key: of(['plain0', 'plain1', 'put']),
      }
    }
    if (dice < 37) return { do: 'put', handle: this.#handle(), key: 'put', value: 'put' }
    if (dice < 42) return this.#peek(isClean) ?? this.#look(question, isClean)
    if (question.call === 'wrap') return this.#nested(question, isClean) ?? { do: 'inputs' }
    if (dice < 52 && mayBranch) {
      return {
        do: 'when',
        path: this.#path(question, isClean),
        even: [this.#step(question, isClean, false)],
        odd: chance(50) ? [this.#step(question, isClean, false)] : [],
      }
    }
    return this.#look(question, isClean)
  }

  #look(question: Question, isClean: boolean): Step {
    const { below, chance, of } = this.#random
    if (question.call === 'wrap') return { do: 'inputs' }
    const path = this.#path(question, isClean)
    const dice = below(100)
    if (question.call === 'analyze' && dice < 35) {
      return { do: of(['source', 'source', 'bytes', 'path', 'relativePath'] as const) }
    }
    if (dice < 55) return { do: 'read', path, asBytes: chance(20) }
    if (dice < 65) return { do: 'exists', path }
    if (dice < 71) return { do: 'list', path }
    if (dice < 79) {
      const at = chance(60) ? { at: this.#path(question, isClean, ['.', 'src']) } : {}
      return { do: 'glob', patterns: of(GLOBS), ...at }
    }
    if (dice < 86) return { do: 'env', name: of(ENV_NAMES) }
    if (dice < 93) return { do: 'named', path, isLate: chance(60) }
    if (dice < 95) return { do: 'throw', path }
    if (dice < 98 && !this.#isUser(question.handle)) return { do: 'directory' }
    return { do: 'keys' }
  }

  /** A step that asks an earlier question. */
  #nested(question: Question, isClean: boolean): Step | undefined {
    const { chance } = this.#random
    const ask = this.#ask(question, isClean)
    if (!ask) return undefined
    const asked = this.#made[ask.question]?.question as Question
    if (asked.call === 'analyze' && question.call !== 'wrap' && this.#mayAskText(question, asked)) {
      const path = asked.file?.[0] as PathRef
      return { do: 'askText', question: ask.question, path, isChanged: chance(40), isSync: chance(50) }
    }
    const second = chance(20) && question.call !== 'wrap' ? this.#ask(question, isClean) : undefined
    if (second) return { do: 'askAll', asks: [ask, second] }
    // A wrapped function has no context.
    if (question.call === 'wrap') return { do: 'ask', ask }
    return { do: 'ask', ask, ...(chance(15) ? { inRun: true } : chance(10) ? { isUntracked: true } : {}) }
  }

  #mayAskText(question: Question, asked: Question): boolean {
    const isOfProject = asked.file?.[0].from === 'own'
    return !asked.text && this.#random.chance(40) && !(isOfProject && this.#isUser(question.handle))
  }

  #ask(question: Question, isClean: boolean): Ask | undefined {
    const { below, chance } = this.#random
    if (this.#made.length === 0) return undefined
    const index = below(this.#made.length)
    const inner = this.#made[index] as Made
    if (inner.question.depth >= MAX_DEPTH || (isClean && !inner.isClean)) return undefined
    question.depth = Math.max(question.depth, inner.question.depth + 1)
    const variant = inner.question.isCircle ? 0 : chance(25) ? 1 : 0
    const at = atOf(this.#random, inner.question, isClean)
    return at && { question: index, variant, at, isSync: chance(50) }
  }

  #peek(isClean: boolean): Step | undefined {
    const choice = this.#made.flatMap(({ question, isClean: isOther }, index) =>
      question.call === 'getOrSet' && !question.isCircle && !question.files && (isOther || !isClean) ? index : [],
    )
    if (choice.length === 0) return undefined
    const index = this.#random.of(choice)
    const at = atOf(this.#random, this.#made[index]?.question as Question, isClean)
    return at && { do: 'peek', question: index, at }
  }

  #at(isClean: boolean): At {
    return isClean || this.#random.chance(80) ? 'cwd' : this.#random.of(['a', 'b', 'w', 'link', 'p'] as const)
  }

  #path(question: Question, isClean: boolean, places: readonly string[] = PLACES): PathRef {
    const { chance, of } = this.#random
    const rel = places === PLACES && chance(8) ? of(ODD_PLACES) : of(places)
    const bound = isClean ? ['cwd'] : ['cwd', 'a', 'b', 'w', 'link', 'q', 'shared']
    const from = of([...bound, ...(this.#isUser(question.handle) ? [] : ['own', 'own', 'own'])]) as PathRef['from']
    return { from, rel, ...(chance(10) && { asUrl: true }) }
  }

  #paths(question: Question, isClean: boolean): PathRef[] {
    return Array.from({ length: 1 + this.#random.below(2) }, () => this.#path(question, isClean, FILES))
  }

  #handle(): number {
    return this.#random.of(this.#handles)
  }

  #isPortable(handle: number): boolean {
    return HANDLES[handle]?.isPortable ?? false
  }

  #isUser(handle: number): boolean {
    return HANDLES[handle]?.isUser ?? false
  }

  /** One key in several namespaces, versions, scopes and calls, each used once. */
  #key(call: Question['call'], handle: number): string {
    const { namespace, version, isUser } = HANDLES[handle] as Handle
    for (let number = this.#random.below(3); ; number++) {
      const key = `key${number}`
      const name = `${call} ${namespace} ${version} ${isUser} ${key}`
      if (this.#keys.has(name)) continue
      this.#keys.add(name)
      return key
    }
  }
}

function asksOthers(steps: readonly Step[]): boolean {
  return steps.some(step => {
    if (step.do === 'when') return asksOthers(step.even) || asksOthers(step.odd)
    return ['ask', 'askAll', 'askText', 'get', 'has', 'peek', 'circle'].includes(step.do)
  })
}
