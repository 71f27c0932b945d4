// Scenarios from their folders.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkScenario, type Scenario } from './format.js'
import { refuse } from './schema.js'

export interface LoadedScenario extends Scenario {
  /** The folder's name. */
  name: string
  /** The starting tree, where there is one. */
  tree: string | undefined
}

export function namesOfScenarios(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
}

/** @throws FormatError that names the place of the mistake */
export function loadScenario(dir: string, name: string): LoadedScenario {
  const folder = join(dir, name)
  const known = ['scenario.json', 'tree']
  for (const each of readdirSync(folder))
    if (!known.includes(each)) refuse(name, `"${each}" does not belong into the folder`)
  const tree = join(folder, 'tree')
  const scenario = parseScenario(readFileSync(join(folder, 'scenario.json'), 'utf8'), name)
  return { name, ...scenario, tree: existsSync(tree) ? tree : undefined }
}

/** @throws FormatError */
export function parseScenario(text: string, name: string): Scenario {
  const parsed = parseJson(text, name)
  const scenario = checkScenario(parsed, name)
  for (const { claim, shownBy } of scenario.criteria ?? []) {
    for (const number of shownBy) {
      const steps = scenario.parts[number - 1]?.steps ?? refuse(name, `there is no part ${number} to show "${claim}"`)
      if (!JSON.stringify(steps).includes('"expect":'))
        refuse(name, `part ${number} expects nothing, so it cannot show "${claim}"`)
    }
  }
  for (const [index, { steps, computations = {} }] of scenario.parts.entries()) {
    const known = { ...scenario.computations, ...computations }
    const twice = Object.keys(computations).find(each => Object.hasOwn(scenario.computations ?? {}, each))
    if (twice !== undefined) refuse(name, `part ${index + 1} defines "${twice}", which is defined for all parts`)
    for (const asked of computationsAsked([steps, known])) {
      if (!Object.hasOwn(known, asked)) refuse(name, `part ${index + 1} asks for "${asked}", which is not defined`)
    }
  }
  return scenario
}

/** The names of computations that steps and computations ask for. */
function* computationsAsked(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  const { step, for: asked, ask } = value as { step?: unknown; for?: unknown; ask?: unknown }
  if (step === 'ask' || step === 'ask at once') yield* [asked].flat() as string[]
  if (typeof ask === 'string') yield ask
  for (const inner of Object.values(value)) yield* computationsAsked(inner)
}

const STRINGS = /"(?:[^"\\]|\\.)*"/g

function parseJson(text: string, name: string): unknown {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) refuse(name, `is not JSON: ${error.message}`)
    throw error
  }
  // JSON.parse takes the last of two fields with one name: an expectation could be lost that way.
  const written = text.match(STRINGS)?.length
  if (written !== JSON.stringify(parsed).match(STRINGS)?.length) refuse(name, 'an object has two fields of one name')
  return parsed
}
