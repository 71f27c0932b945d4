// Runs a command once, and records its output in order and its exit code.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import type { Output } from '../output.js'

type Fd = 1 | 2

export interface Recording {
  exitCode: number
  /** The recorded output of standard output and error, in the order in which it was read. */
  output: [fd: Fd, bytes: Uint8Array][]
}

/** Longer output is passed on but not stored. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
/** The exit codes that shells use. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
const SIGNALLED = 128
/** The errors for a program that doesn't exist. The last one is for an empty name. */
const NO_PROGRAM = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ERR_INVALID_ARG_VALUE'])

export interface Outcome {
  recording: Recording
  /** Whether the command ended by itself, and all of its output was recorded. */
  isComplete: boolean
}

export interface Streams {
  stdout: Output
  stderr: Output
  /** Resolves when the program is asked to end. */
  stopped(): Promise<void>
}

/** Runs the command without input, and passes its output on. */
export async function record([command = '', ...args]: readonly string[], streams: Streams): Promise<Outcome> {
  const { stdout, stderr } = streams
  const output: [fd: Fd, chunks: Buffer[]][] = []
  let keptBytes = 0
  let isComplete = true
  let child: ChildProcessByStdio<null, Readable, Readable>
  try {
    child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    // Some paths without a program make it throw; others give an event.
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    await stderr.line(`${command}: ${message}`)
    return { recording: { exitCode: NO_PROGRAM.has(code) ? NOT_FOUND : NOT_EXECUTABLE, output: [] }, isComplete: false }
  }
  const take = (fd: Fd, chunk: Buffer) => {
    keptBytes += chunk.length
    if (keptBytes > MAX_OUTPUT_BYTES) {
      isComplete = false
      output.length = 0
      return
    }
    const last = output.at(-1)
    if (last?.[0] === fd) last[1].push(chunk)
    else output.push([fd, [chunk]])
  }
  const pass = async (fd: Fd, stream: NodeJS.ReadableStream | undefined, to: Output) => {
    // Undefined if too many files are open.
    if (!stream) return
    for await (const chunk of stream) {
      take(fd, chunk as Buffer)
      // If the reader has closed the output, the command should notice as well.
      if (!(await to.write(chunk as Buffer))) return
    }
  }
  streams.stopped().then(() => {
    isComplete = false
    child.kill('SIGTERM')
  })
  const ended = new Promise<number>(resolve => {
    child.on('error', async (error: NodeJS.ErrnoException) => {
      isComplete = false
      await stderr.line(`${command}: ${error.message}`)
      resolve(NO_PROGRAM.has(error.code ?? '') ? NOT_FOUND : NOT_EXECUTABLE)
    })
    child.on('close', (code, signal) => {
      if (signal) isComplete = false
      // A negative code means an error, which has an event of its own.
      if ((code ?? 0) >= 0) resolve(code ?? SIGNALLED + constants.signals[signal as NodeJS.Signals])
    })
  })
  await Promise.all([pass(1, child.stdout, stdout), pass(2, child.stderr, stderr)])
  const joined = output.map(([fd, chunks]): Recording['output'][number] => [fd, Buffer.concat(chunks)])
  return { recording: { exitCode: await ended, output: joined }, isComplete }
}

export async function replay({ output }: Recording, { stdout, stderr }: Streams): Promise<void> {
  for (const [fd, bytes] of output) {
    if (!(await (fd === 1 ? stdout : stderr).write(bytes))) return
  }
}

/** Whether a stored value is a recording. */
export function isRecording(value: unknown): value is Recording {
  const { exitCode, output } = (value ?? {}) as Partial<Recording>
  const isChunk = (each: unknown) =>
    Array.isArray(each) && (each[0] === 1 || each[0] === 2) && each[1] instanceof Uint8Array
  return Number.isInteger(exitCode) && Array.isArray(output) && output.every(isChunk)
}
