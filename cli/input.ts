// Standard input without Node's streams, which take a tenth of Node's start-up time. Pipes and files are read by system calls
// in another thread. The stream is used for a terminal.

import { fstatSync, read } from 'node:fs'
import type { Input } from './command.js'

const CHUNK_BYTES = 64 * 1024

class DirectInput {
  /** Whether a system call waits for input. Such a process can't end by itself. */
  isWaiting = false
  #isDestroyed = false
  #wake: () => void = () => undefined

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    while (!this.#isDestroyed) {
      const length = await this.#read(buffer)
      if (length === 'stream') {
        yield* process.stdin
        return
      }
      if (length === 0) return
      yield Buffer.from(buffer.subarray(0, length))
    }
  }

  /** Ends the iteration. */
  destroy(): void {
    this.#isDestroyed = true
    this.#wake()
  }

  /** The number of bytes read, 0 at the end; `'stream'` if the stream must be used to wait for input. */
  #read(buffer: Buffer): Promise<number | 'stream'> {
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(0)
      this.isWaiting = true
      read(0, buffer, 0, buffer.length, null, (error, length) => {
        this.isWaiting = false
        if (!error) resolve(length)
        else if (error.code === 'EAGAIN') resolve('stream')
        else if (error.code === 'EOF') resolve(0)
        else reject(error)
      })
    })
  }
}

let direct: DirectInput | undefined

/** The input of a program. */
export function inputStream(): Input {
  if (!isPlain()) return process.stdin
  direct ??= new DirectInput()
  return direct
}

/** Whether the process waits for input, and so has to be ended. */
export function isWaitingForInput(): boolean {
  return direct?.isWaiting === true
}

function isPlain(): boolean {
  if (process.platform === 'win32') return false
  try {
    const stat = fstatSync(0)
    return stat.isFile() || stat.isFIFO() || stat.isSocket()
  } catch {
    return false
  }
}
