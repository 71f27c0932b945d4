// The process of an actor, and of the worker thread beside it: lines of commands in, lines of reports out.

import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { Actor, type Command } from './actor.js'
import type { Library } from './caller.js'

interface Message {
  id: number
  toWorker?: boolean
  command: Command
}

const library = (await import(process.argv[2] as string)) as Library
const actor = new Actor(library, isMainThread ? 'for good' : 'not')
let worker: Worker | undefined

async function answer({ id, command }: Message): Promise<string> {
  try {
    return JSON.stringify({ id, report: await actor.do(command) })
  } catch (error) {
    return JSON.stringify({ id, error: (error as Error).stack })
  }
}

/** Until all is written: the pipe may be full. */
function print(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

function startWorker(): Worker {
  const started = new Worker(process.argv[1] as string, { argv: process.argv.slice(2) })
  started.on('message', print)
  started.on('error', error => {
    throw error
  })
  return started
}

if (isMainThread) {
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line) as Message
    if (message.toWorker) {
      worker ??= startWorker()
      worker.postMessage(message)
    } else {
      answer(message).then(print)
    }
  }
  process.exit(0)
} else {
  parentPort?.on('message', async (message: Message) => parentPort?.postMessage(await answer(message)))
}
