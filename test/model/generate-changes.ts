// Changes that concern a question: of files that it or those below it look at, of variables and of entries.

import { normalize } from 'node:path/posix'
import type { Random } from './generate-questions.js'
import {
  type Action,
  type Cwd,
  type Edit,
  ENV_NAMES,
  type PathRef,
  type Question,
  type Root,
  type Step,
} from './program.js'
import { CONTENTS, placeOf } from './tree.js'

const ENV_VALUES = ['1', '2', '', null]

/** A change of something that the question looks at; undefined where it looks at nothing. */
export function changeFor(random: Random, questions: readonly Question[], index: number, cwd: Cwd): Action | undefined {
  const { of, chance, below } = random
  const { paths, steps } = looksOf(questions, index)
  // What a computation may put itself is left alone: which of the two a get found depends on what was computed.
  const isGet = (step: Step) => (step.do === 'get' || step.do === 'has') && step.key !== 'put'
  const gets = steps.flatMap(step => (isGet(step) ? (step as Extract<Step, { do: 'get' | 'has' }>) : []))
  if (gets.length > 0 && chance(35)) {
    const { handle, at, key } = of(gets)
    const isSet = chance(65)
    const operation = isSet ? ({ do: 'set', value: `value ${below(3)}` } as const) : ({ do: 'delete' } as const)
    return { do: 'plain', handle, at, key, operation }
  }
  if (steps.some(step => step.do === 'env') && chance(35)) {
    return { do: 'env', name: of(ENV_NAMES), value: of(ENV_VALUES) }
  }
  if (paths.length === 0) return undefined
  return { do: 'edit', edit: editOf(random, rooted(of(paths), cwd)) }
}

function editOf({ of, chance, below }: Random, path: PathRef): Edit {
  // What holds a working directory or all files stays; something in it comes or goes.
  const isDirectory = ['.', 'src', '..', 'src/deep'].includes(normalize(path.rel))
  const target = isDirectory ? { ...path, rel: `${path.rel}/${of(['new.js', 'y.js', 'more/m.js'])}` } : path
  const dice = below(100)
  if (dice < 60)
    return { do: 'write', path: target, content: of(CONTENTS), keepsTime: chance(50), isReplaced: chance(20) }
  if (dice < 90) return { do: 'remove', path: target }
  if (dice < 95) return { do: 'directory', path: target }
  return { do: 'touch', path: target }
}

/** As seen from a directory of the test. */
function rooted({ from, rel }: PathRef, cwd: Cwd): PathRef {
  if (rel === '/dev/null') return { from: 'a', rel: 'src/x.js' }
  if (from !== 'cwd' && from !== 'own') return { from, rel }
  const { root, below } = placeOf(cwd)
  return { from: root as Root, rel: from === 'cwd' && below !== '' ? `${below}/${rel}` : rel }
}

function looksOf(questions: readonly Question[], index: number, seen = new Set<number>()) {
  const paths: PathRef[] = []
  const steps: Step[] = []
  const visit = (list: readonly Step[]): void => {
    for (const step of list) {
      steps.push(step)
      if ('path' in step) paths.push(step.path)
      if (step.do === 'glob') paths.push(step.at ?? { from: 'cwd', rel: '.' })
      if (step.do === 'when') visit([...step.even, ...step.odd])
      if (step.do === 'ask' || step.do === 'circle') below(step.ask.question)
      if (step.do === 'askAll') for (const ask of step.asks) below(ask.question)
      if (step.do === 'askText' || step.do === 'peek') below(step.question)
    }
  }
  const below = (inner: number): void => {
    if (seen.has(inner)) return
    seen.add(inner)
    const found = looksOf(questions, inner, seen)
    paths.push(...found.paths)
    steps.push(...found.steps)
  }
  const { steps: own, files, file } = questions[index] as Question
  paths.push(...(files?.flat() ?? []), ...(file ?? []))
  visit(own)
  return { paths, steps }
}
