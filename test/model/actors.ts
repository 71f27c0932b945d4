// The actors of the test: this process, two others, and a worker thread in one of these.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import * as library from '../../src/index.js'
import { temporaryDirectory } from '../support/caches.js'
import { type Child, projectRoot, start } from '../support/children.js'
import { Actor, type Command, type Report } from './actor.js'
import { HOST_OF_WORKER, WORKER } from './program.js'

/** An answer that takes longer is none. */
const PATIENCE_MS = 40_000

export interface Actors {
  tell(actor: number, command: Command): Promise<Report>
  /** Tells all. */
  tellAll(command: Command): Promise<Report[]>
}

export function startActors(): Actors {
  const own = new Actor(library, 'and comes back')
  const file = join(temporaryDirectory(), 'actor.mjs')
  buildSync({
    entryPoints: [join(import.meta.dirname, 'main.ts')],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  })
  const others = [1, 2].map(() => new OtherProcess(file))
  const tell = async (actor: number, command: Command): Promise<Report> => {
    if (actor === 0) return inTime(own.do(command), command)
    const host = others[(actor === WORKER ? HOST_OF_WORKER : actor) - 1] as OtherProcess
    if (actor !== WORKER) return host.tell(command, false)
    if (command.do === 'run' || 'cwd' in command) {
      await host.tell({ do: 'chdir', cwd: 'cwd' in command ? command.cwd : command.turn.cwd }, false)
    }
    return host.tell(command, true)
  }
  return { tell, tellAll: command => Promise.all([0, 1, 2, WORKER].map(actor => tell(actor, command))) }
}

class OtherProcess {
  readonly #child: Child
  readonly #waiting = new Map<number, { resolve(report: Report): void; reject(error: Error): void }>()
  #count = 0

  constructor(file: string) {
    this.#child = start([file, pathToFileURL(join(projectRoot, 'dist', 'index.js')).href])
    this.#read()
  }

  tell(command: Command, toWorker: boolean): Promise<Report> {
    const id = ++this.#count
    const report = new Promise<Report>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#child.send(JSON.stringify({ id, toWorker, command }))
    return inTime(report, command)
  }

  async #read(): Promise<void> {
    for (let line = await this.#child.line(); line !== undefined; line = await this.#child.line()) {
      const { id, report, error } = JSON.parse(line) as { id: number; report: Report; error?: string }
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(report)
      else waiting?.reject(new Error(error))
    }
    const { stderr, code } = await this.#child.ended
    for (const { reject } of this.#waiting.values()) reject(new Error(`The process ended with ${code}: ${stderr}`))
  }
}

async function inTime(report: Promise<Report>, command: Command): Promise<Report> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer to ${JSON.stringify(command).slice(0, 300)}`)), PATIENCE_MS)
  })
  try {
    return await Promise.race([report, late])
  } finally {
    clearTimeout(timer)
  }
}
