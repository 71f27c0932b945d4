// A client of `wicked-cache serve`: the command run in this process over the sources, or the built one in its own.

import { join } from 'node:path'
import { cli, type Surroundings } from '../cli/harness.js'
import { type Child, type ChildOptions, projectRoot, start } from '../support/children.js'

export const builtCli = join(projectRoot, 'dist', 'cli.cjs')

export type Answer = Record<string, unknown>

/** Answers as texts, the first line left out. */
export async function linesFor(
  dir: string,
  input: string | Buffer,
  surroundings: Surroundings = {},
): Promise<string[]> {
  const { code, out, err } = await cli(['serve', '--dir', dir], { ...surroundings, stdin: input })
  if (code !== 0 || err !== '') throw new Error(`serve ended with ${code}: ${err}`)
  return out.trimEnd().split('\n').slice(1)
}

/** The answers to requests, which are given as objects or as the texts of lines. */
export async function answersTo(
  dir: string,
  requests: readonly (object | string)[],
  surroundings: Surroundings = {},
): Promise<Answer[]> {
  const lines = requests.map(each => (typeof each === 'string' ? each : JSON.stringify(each)))
  return (await linesFor(dir, lines.map(line => `${line}\n`).join(''), surroundings)).map(line => JSON.parse(line))
}

/** One process of the built command. */
export class ServeProcess {
  readonly child: Child

  constructor(dir: string, options: ChildOptions = {}) {
    this.child = start([...(options.flags ?? []), builtCli, 'serve', '--dir', dir], options)
  }

  /** The first line. */
  async greeting(): Promise<Answer> {
    return this.#read()
  }

  async ask(request: object): Promise<Answer> {
    this.child.send(JSON.stringify(request))
    return this.#read()
  }

  async #read(): Promise<Answer> {
    const line = await this.child.line()
    if (line === undefined) throw new Error(`serve ended: ${(await this.child.ended).stderr}`)
    return JSON.parse(line)
  }
}
