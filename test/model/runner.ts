// Plays programs, and says of one that fails what it takes to fail.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../support/caches.js'
import { type Actors, startActors } from './actors.js'
import { type MachineOptions, type Played, Player } from './player.js'
import type { Program, Step } from './program.js'
import { shrink } from './shrink.js'

export class Runner {
  readonly #actors: Actors = startActors()
  readonly #directory = temporaryDirectory()
  #count = 0

  /** On a machine with a tree and a cache of its own. */
  async play(program: Program, machine?: MachineOptions): Promise<Played> {
    const base = join(this.#directory, String(++this.#count))
    try {
      return await new Player(this.#actors, base, program, machine).play()
    } finally {
      rmSync(base, { recursive: true, force: true, maxRetries: 5 })
    }
  }

  async failureOf(program: Program): Promise<Error | undefined> {
    try {
      await this.play(program)
      return undefined
    } catch (error) {
      return error as Error
    }
  }

  /** What fails in the same way, and how. */
  async shrunk(program: Program, failure: Error, patienceMs: number): Promise<string> {
    const kind = kindOf(failure)
    const fails = async (each: Program) => {
      const found = await this.failureOf(each)
      return found !== undefined && kindOf(found) === kind
    }
    const small = await shrink(program, fails, patienceMs)
    const again = await this.failureOf(small)
    return `${again?.message ?? 'it fails now and then only'}\n${toText(small)}`
  }
}

/** Failures that differ in their details only are of one kind. */
export function kindOf({ message }: Error): string {
  return (message.split('\n')[0] as string)
    .replace(/^phase \d+/, 'phase')
    .replace(/actor \d/, 'actor')
    .replace(/ in [\w/]+/g, '')
    .replace(/, in .*/, '')
    .replace(/(?:question|variant) \d+|\{.*|key\d/g, '')
}

/** The program with the questions that it asks, by their numbers. */
function toText({ questions, phases }: Program): string {
  const asked = new Set<number>()
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return
    const { question } = part as { question?: number }
    if (typeof question === 'number' && !asked.has(question)) {
      asked.add(question)
      visit(questions[question]?.steps as Step[])
    }
    for (const each of Object.values(part)) visit(each)
  }
  visit(phases)
  const lines = [...asked].map(index => `question ${index}: ${JSON.stringify(questions[index])}`)
  return [...lines, ...phases.map(phase => JSON.stringify(phase))].join('\n')
}
