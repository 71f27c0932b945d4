// Standard output and error without Node's streams, which take a tenth of Node's start-up time. Pipes and files are written
// to by system calls. The stream is used for a terminal, and for a pipe that is full.

import { fstatSync, writeSync } from 'node:fs'
import type { Stream } from './output.js'

type Done = (error?: NodeJS.ErrnoException | null) => void

/** The part of a stream that `Output` needs. Errors go to the callbacks of the writes. */
class DirectStream {
  readonly isTTY = false
  readonly #fd: 1 | 2
  #stream: NodeJS.WritableStream | undefined

  constructor(fd: 1 | 2) {
    this.#fd = fd
  }

  on(): this {
    return this
  }

  write(text: string | Uint8Array, done: Done): boolean {
    if (this.#stream) return this.#stream.write(text, done)
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    let written = 0
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written)
    } catch (error) {
      const failure = error as NodeJS.ErrnoException
      if (failure.code !== 'EAGAIN') {
        done(failure)
        return true
      }
      this.#stream = streamOf(this.#fd)
      // The failure is reported to the callback of the write; without a listener it would also end the process.
      this.#stream.on('error', () => undefined)
      return this.#stream.write(bytes.subarray(written), done)
    }
    done()
    return true
  }
}

function streamOf(fd: 1 | 2): Stream {
  return fd === 1 ? process.stdout : process.stderr
}

/** The stream of a program's output. */
export function outputStream(fd: 1 | 2): Stream {
  return isPlain(fd) ? (new DirectStream(fd) as unknown as Stream) : streamOf(fd)
}

function isPlain(fd: number): boolean {
  // There, what is written when the program ends may be lost.
  if (process.platform === 'win32') return false
  try {
    const stat = fstatSync(fd)
    return stat.isFile() || stat.isFIFO() || stat.isSocket()
  } catch {
    return false
  }
}
