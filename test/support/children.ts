// Node processes that use the built library, as plugins do.

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'

export const projectRoot = join(import.meta.dirname, '..', '..')
export const libraryUrl = pathToFileURL(join(projectRoot, 'dist', 'index.js')).href

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  lines: string[]
  stderr: string
}

export class Child {
  readonly process: ChildProcess
  /** All lines of stdout so far. */
  readonly lines: string[] = []
  readonly ended: Promise<Ended>
  #taken = 0
  #isOver = false
  #wake: () => void = () => undefined

  constructor(process: ChildProcess) {
    this.process = process
    let stderr = ''
    process.stderr?.on('data', chunk => {
      stderr += chunk
    })
    // A child that was killed takes no more input.
    process.stdin?.on('error', () => undefined)
    const reader = createInterface({ input: process.stdout as NodeJS.ReadableStream })
    reader.on('line', line => {
      this.lines.push(line)
      this.#wake()
    })
    const read = new Promise<void>(resolve => reader.on('close', resolve))
    this.ended = new Promise((resolve, reject) => {
      process.on('error', reject)
      process.on('close', async (code, signal) => {
        await read
        this.#isOver = true
        this.#wake()
        resolve({ code, signal, lines: this.lines, stderr })
      })
    })
  }

  /** The next line of stdout, undefined once there are no more. */
  async line(): Promise<string | undefined> {
    while (this.#taken === this.lines.length && !this.#isOver) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.lines[this.#taken++]
  }

  send(line: string): void {
    this.process.stdin?.write(`${line}\n`)
  }

  end(line = ''): void {
    this.process.stdin?.end(line)
  }
}

export interface ChildOptions {
  env?: Record<string, string>
  cwd?: string
  /** A command that runs the one that follows it. */
  under?: readonly string[]
  /** Of Node. */
  flags?: readonly string[]
}

/** Starts a process with `argv`, which is killed when the test ends. */
export function start(argv: readonly string[], { env = {}, cwd, under = [] }: ChildOptions = {}): Child {
  const [program, ...all] = [...under, process.execPath, ...argv] as [string, ...string[]]
  const child = spawn(program, all, {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return new Child(child)
}

/**
 * Starts a module in a process of its own, with the whole library imported as `library`, the arguments as `args`,
 * `print(line)`, which has written when it returns, `lines`, those of stdin, and `onWarning`, which
 * writes to stderr.
 */
export function startModule(code: string, args: unknown = {}, options: ChildOptions = {}): Child {
  const module = `
    import * as library from ${JSON.stringify(libraryUrl)}
    import { writeSync } from 'node:fs'
    import { createInterface } from 'node:readline'
    const args = ${JSON.stringify(args)}
    const print = line => {
      for (let rest = Buffer.from(line + '\\n'); rest.length > 0; ) {
        try {
          rest = rest.subarray(writeSync(1, rest))
        } catch (error) {
          if (error.code !== 'EAGAIN') throw error
        }
      }
    }
    // Written at once: the default, a process warning, comes too late when an exception ends the process.
    const onWarning = ({ code, message }) => writeSync(2, code + ' ' + message + '\\n')
    const lines = () => createInterface({ input: process.stdin })[Symbol.asyncIterator]()
    ${code}
  `
  return start([...(options.flags ?? []), '--input-type=module', '-e', module], options)
}

/** The same, once it has ended; a failure of the process is a failure of the test. */
export async function runModule(code: string, args: unknown = {}, options: ChildOptions = {}): Promise<Ended> {
  const child = startModule(code, args, options)
  child.end()
  const ended = await child.ended
  // Only the end of it: node shows the line that threw, and the built library is one line.
  if (ended.code !== 0)
    throw new Error(`The process ended with ${ended.code ?? ended.signal}.\n${ended.stderr.slice(-500)}`)
  return ended
}
