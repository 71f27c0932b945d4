// Other processes: workers that use the built library, and the built CLI.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Assignment, environment, type Report } from './assignment.js'
import { StepError } from './errors.js'
import type { Outcome } from './outcome.js'
import type { Setting } from './performer.js'

const projectFile = (path: string) => new URL(`../../${path}`, import.meta.url)

/** The worker as plain JavaScript: Node 20 runs no TypeScript. */
export async function buildWorker(): Promise<{ path: string; remove(): void }> {
  const dir = mkdtempSync(join(tmpdir(), 'wicked-cache-worker-'))
  const path = join(dir, 'worker.mjs')
  await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  })
  return { path, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** URL of the built library. */
export const BUILT_LIBRARY = new URL('../../dist/index.js', import.meta.url).href

/**
 * Lets each assignment run in a process of its own, all beginning at the same moment, and gives the outcomes of each once
 * all processes have ended.
 */
export async function runWorkers(
  worker: string,
  assignments: readonly Assignment[],
  signal: AbortSignal,
): Promise<Outcome[][]> {
  const workers = assignments.map(assignment => {
    const options = { execArgv: [], env: environment(), silent: true, signal, serialization: 'advanced' as const }
    return new Worker(fork(worker, options), assignment)
  })
  try {
    await Promise.all(workers.map(each => each.ready))
    for (const each of workers) each.go()
    return await Promise.all(workers.map(each => each.finished))
  } finally {
    for (const each of workers) each.stop()
  }
}

class Worker {
  readonly ready: Promise<void>
  /** The outcomes, once the process has ended as it should. */
  readonly finished: Promise<Outcome[]>
  readonly #child: ChildProcess
  #outcomes: Outcome[] | undefined

  constructor(child: ChildProcess, assignment: Assignment) {
    this.#child = child
    const output = collect(child)
    const ended = new Promise<string>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve(signal ?? String(code)))
    })
    this.finished = ended.then(how => {
      const expected = assignment.end === 'kill' ? 'SIGKILL' : '0'
      const said = output.err + output.out
      if (said !== '') throw new StepError(`another process said: ${said.trimEnd()}`)
      if (!this.#outcomes || how !== expected) throw new StepError(`another process ended with ${how}, not ${expected}`)
      return this.#outcomes
    })
    this.ready = new Promise((resolve, reject) => {
      this.finished.catch(reject)
      child.on('message', (report: Report) => {
        if ('isReady' in report) return resolve()
        this.#outcomes = report.outcomes
        if (assignment.end === 'kill') child.kill('SIGKILL')
      })
    })
    child.send(assignment)
  }

  go(): void {
    this.#child.send('go')
  }

  /** Nothing for one that has ended; the others would wait for ever when one fails. */
  stop(): void {
    this.#child.kill('SIGKILL')
  }
}

export interface CliOutcome {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** Runs the built CLI on the cache, with the working directory as given. */
export function runCli(
  command: readonly string[],
  options: { dir: string; cwd: string; stdin: string; variables: Setting['variables']; signal: AbortSignal },
): Promise<CliOutcome> {
  const { dir, cwd, stdin, variables, signal } = options
  const [name = '', ...rest] = command
  // Right after the command: everything behind a `--` is taken as it is.
  const args = [fileURLToPath(projectFile('dist/cli.cjs')), name, '--dir', dir, ...rest]
  return new Promise((resolve, reject) => {
    const env = { ...environment() }
    for (const [name, value] of Object.entries(variables)) env[name] = value ?? undefined
    const child = spawn(process.execPath, args, { cwd, signal, env })
    const output = collect(child)
    child.on('error', reject)
    child.on('close', exitCode => resolve({ exitCode, stdout: output.out, stderr: output.err }))
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      // A command that takes no input may be gone already.
      if (error.code !== 'EPIPE') reject(error)
    })
    child.stdin.end(stdin)
  })
}

function collect(child: ChildProcess): { out: string; err: string } {
  const output = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', chunk => {
    output.out += chunk
  })
  child.stderr?.setEncoding('utf8').on('data', chunk => {
    output.err += chunk
  })
  return output
}
