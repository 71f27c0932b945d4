// Makes random programs.

import { randomFrom } from '../support/random.js'
import { changeFor } from './generate-changes.js'
import { atOf, createQuestions, type Random } from './generate-questions.js'
import {
  ACTORS,
  type Action,
  type Ask,
  type At,
  type Cwd,
  type Edit,
  ENV_NAMES,
  HOST_OF_WORKER,
  type PathRef,
  type Phase,
  type Program,
  type Question,
  type Root,
  type Turn,
  WORKER,
} from './program.js'
import { CONTENTS, CWDS, FILES } from './tree.js'

const EDITED_ROOTS: Root[] = ['a', 'a', 'b', 'w', 'p', 'q', 'wp', 'shared']
const NEW_FILES = [
  'src/new.js',
  'src/deep/new.js',
  'gone.js',
  'src/.hidden.js',
  'src/deep',
  'nowhere/n.js',
  'src/more/m.js',
]
const ENV_VALUES = ['1', '2', '', null]
const STEPS_MS = [0, 0, 1, 500, 999, 1000, 5000]

export function createProgram(seed: number, chosen?: readonly number[]): Program {
  const random = randomOf(randomFrom(seed))
  const { handles, questions } = createQuestions(random, chosen)
  const generator = new Generator(random, questions)
  const phases = Array.from({ length: 6 + random.below(5) }, () => generator.phase())
  return { handles, questions, phases }
}

function randomOf(below: (limit: number) => number): Random {
  return {
    below,
    of: list => list[below(list.length)] as (typeof list)[number],
    chance: percent => below(100) < percent,
  }
}

class Generator {
  readonly #random: Random
  readonly #questions: Question[]
  /** What can be asked by the phases in general: the flights' questions are for their phases alone. */
  readonly #asked: number
  #flights = 0

  constructor(random: Random, questions: Question[]) {
    this.#random = random
    this.#questions = questions
    this.#asked = questions.length
  }

  phase(): Phase {
    const { below, of } = this.#random
    const dice = below(100)
    if (dice < 14) return this.#world()
    if (dice < 26) return { do: 'turns', turns: [this.#turn(true, below(2) === 0)] }
    if (dice < 44) return { do: 'turns', turns: [this.#changes()] }
    if (dice < 53) return { do: 'turns', turns: this.#turnsTogether() }
    if (dice < 66) return { do: 'calm', turns: below(2) === 0 ? [this.#turn(false, false)] : this.#turnsTogether() }
    if (dice < 81) return { do: 'branch', turns: this.#turnsTogether().slice(0, 2), edits: this.#fileEdits() }
    if (dice < 86) return this.#late()
    const flight = {
      question: this.#flightQuestion(),
      actor: below(ACTORS),
      by: below(ACTORS),
      cwd: of(CWDS),
      operation: of(['set', 'delete', 'invalidate', 'clear'] as const),
      edit: { do: 'write', path: { from: 'a', rel: 'src/x.js' }, content: `flight ${this.#flights % 2}` } as const,
    }
    if (dice < 94) {
      const asksMeanwhile = this.#random.chance(50) ? { asksMeanwhile: below(ACTORS) } : {}
      return { do: 'flight', wasThere: below(2) === 0, ...flight, ...asksMeanwhile }
    }
    return { do: 'void', ...flight }
  }

  #world(): Phase {
    const { below, of, chance } = this.#random
    const env = chance(30) ? [[of(ENV_NAMES), of(ENV_VALUES)] as [string, string | null]] : []
    return { do: 'world', edits: Array.from({ length: below(4) }, () => this.#edit()), env, byMs: of(STEPS_MS) }
  }

  #fileEdits(): Edit[] {
    return Array.from({ length: 1 + this.#random.below(4) }, () => {
      const path = this.#file()
      return this.#random.chance(20)
        ? { do: 'remove', path }
        : { do: 'write', path, content: this.#random.of(CONTENTS) }
    })
  }

  #edit(): Edit {
    const { of, below, chance } = this.#random
    const path = this.#file()
    const dice = below(100)
    if (dice < 60) {
      return { do: 'write', path, content: of(CONTENTS), keepsTime: chance(50), isReplaced: chance(30) }
    }
    if (dice < 75) return { do: 'remove', path }
    if (dice < 82) return { do: 'rename', path, to: this.#file() }
    if (dice < 88) return { do: 'directory', path }
    if (dice < 93) return { do: 'loop', path }
    return { do: dice < 97 ? 'touch' : 'future', path }
  }

  #file(): PathRef {
    const { of, chance } = this.#random
    return { from: of(EDITED_ROOTS), rel: of(chance(70) ? FILES : NEW_FILES) }
  }

  /** Actors that ask at once; files stay as they are meanwhile. */
  #turnsTogether(): Turn[] {
    const { below, of } = this.#random
    const turns: Turn[] = []
    const cwd = of(CWDS)
    for (let actor = 0; actor < ACTORS; actor++) {
      if (below(3) === 0) continue
      turns.push({ ...this.#turn(false, false), actor, cwd: below(2) === 0 ? cwd : of(CWDS) })
    }
    const host = turns.find(({ actor }) => actor === HOST_OF_WORKER)
    const worker = turns.find(({ actor }) => actor === WORKER)
    if (host && worker) worker.cwd = host.cwd
    return turns.length > 0 ? turns : [this.#turn(false, false)]
  }

  #turn(mayChange: boolean, isOneTick: boolean): Turn {
    const { below, of } = this.#random
    const cwd: Cwd = of(CWDS)
    const favourite = this.#ask()
    const actions = Array.from({ length: 2 + below(5) }, () => this.#action(mayChange, isOneTick, favourite))
    return { actor: below(ACTORS), cwd, actions, isOneTick }
  }

  /** One question again and again, with changes of what it looks at in between. */
  #changes(): Turn {
    const { below, of, chance } = this.#random
    const cwd = of(CWDS)
    const isOneTick = chance(60)
    const ask = { ...this.#ask(), at: 'cwd' as const }
    const question = this.#questions[ask.question] as Question
    if (question.askedAt === 'named') ask.at = of(['a', 'b', 'w', 'link', 'p'] as const) as 'cwd'
    const asking: Action[] = [{ do: 'ask', ask }]
    const actions = [...asking]
    for (let left = 2 + below(4); left > 0; left--) {
      const change = changeFor(this.#random, this.#questions, ask.question, cwd)
      if (change) actions.push(change, ...asking)
    }
    return { actor: below(ACTORS), cwd, actions, isOneTick }
  }

  #action(mayChange: boolean, isOneTick: boolean, favourite: Ask): Action {
    const { below, of, chance } = this.#random
    const dice = below(100)
    if (mayChange && dice < 25) return { do: 'edit', edit: this.#edit() }
    if (mayChange && dice < 30) return { do: 'env', name: of(ENV_NAMES), value: of(ENV_VALUES) }
    if (mayChange && dice < 50) return this.#plain()
    if (dice < 60) return { do: 'snapshot', asks: [favourite, this.#ask()], isAsync: chance(50) }
    if (dice < 70 && !isOneTick) return { do: 'together', asks: [favourite, this.#ask(), this.#ask()] }
    return { do: 'ask', ask: chance(50) ? favourite : this.#ask() }
  }

  #plain(): Action {
    const { below, of, chance } = this.#random
    const operation =
      below(3) === 0
        ? { do: of(['get', 'has', 'delete', 'invalidate', 'get', 'clear'] as const) }
        : {
            do: 'set' as const,
            value: `value ${below(3)}`,
            ...(chance(30) && { ttl: of([1000, 5000]) }),
            ...(chance(30) && { files: [this.#file()] }),
          }
    return { do: 'plain', handle: below(7), at: this.#at(), key: `plain${below(2)}`, operation }
  }

  #at(): At {
    return this.#random.chance(75) ? 'cwd' : this.#random.of(['a', 'b', 'w', 'p', 'link'] as const)
  }

  #ask(): Ask {
    const { below, chance } = this.#random
    const question = below(this.#asked)
    const variant = chance(25) && !this.#questions[question]?.isCircle ? 1 : 0
    const at = atOf(this.#random, this.#questions[question] as Question, false) ?? 'cwd'
    return { question, variant, at, isSync: chance(50) }
  }

  #late(): Phase {
    const { below, of, chance } = this.#random
    const step = { do: 'named', path: { from: 'a', rel: 'src/x.js' }, isLate: true, isGated: true } as const
    const key = `flight${this.#flights++}`
    const question: Question = {
      call: 'getOrSet',
      key,
      handle: of([0, 1, 5, 6]),
      steps: [step],
      catches: true,
      depth: 1,
    }
    const index = this.#questions.push(question) - 1
    return {
      do: 'late',
      question: index,
      actor: below(ACTORS),
      by: below(ACTORS),
      cwd: of(CWDS),
      keepsTime: chance(50),
    }
  }

  #flightQuestion(): number {
    const { below, of } = this.#random
    const from = of(['own', 'cwd'] as const)
    const steps: Question['steps'] = [
      { do: 'read', path: { from, rel: 'conf.json' } },
      { do: 'read', path: { from: 'a', rel: 'src/x.js' } },
      { do: 'hidden' },
      { do: 'gate' },
    ]
    const handle = below(7)
    this.#questions.push({
      call: 'getOrSet',
      key: `flight${this.#flights++}`,
      handle,
      steps: handle >= 5 ? steps.slice(1) : steps,
      catches: true,
      depth: 1,
    })
    return this.#questions.length - 1
  }
}
