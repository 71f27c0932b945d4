// Redis and Valkey: `redis://user:password@host:6379/0`, `rediss://` with TLS. Nothing is ever deleted: `maxmemory-policy
// allkeys-lru` does that.

import { connect, type Socket } from 'node:net'
import { connect as secureConnect } from 'node:tls'
import type { RemoteAdapter } from '../../api/index.js'
import { deadline } from '../deadline.js'
import { RemoteFailure } from '../failure.js'
import type { Place } from '../place.js'
import type { Settings } from '../settings.js'
import { encodeCommand, RedisError, type Reply, ReplyParser } from './resp.js'

const PREFIX = 'wicked-cache:'
const DEFAULT_PORT = 6379
const READ_ONLY = ['NOPERM', 'READONLY', 'MISCONF']
const PASSING = ['LOADING', 'BUSY', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'NOREPLICAS']

/** @throws RemoteFailure if the URL is invalid */
export function createRedisAdapter(place: Place, settings: Settings): RemoteAdapter {
  // Uploads use another connection, so that a large one doesn't delay reads.
  const [reading, writing] = [new Connection(place, settings), new Connection(place, settings)]
  return {
    async getMany(names, signal) {
      const reply = await reading.ask(['MGET', ...names.map(name => PREFIX + name)], signal, names.length)
      if (reply instanceof RedisError) throw failureOf(reply)
      if (!Array.isArray(reply)) throw new RemoteFailure('down', 'it gave no list')
      return reply.map(item => (Buffer.isBuffer(item) ? item : undefined))
    },
    async put(name, bytes, signal) {
      const reply = await writing.ask(['SET', PREFIX + name, bytes], signal)
      if (!(reply instanceof RedisError)) return
      if (READ_ONLY.includes(reply.code)) throw new RemoteFailure('readonly', `it answered ${reply.code}`)
      throw reply.code === 'OOM' ? new RemoteFailure('refused', 'it is full') : failureOf(reply)
    },
    close() {
      reading.close()
      writing.close()
    },
  }
}

function failureOf({ code }: RedisError): RemoteFailure {
  return new RemoteFailure(PASSING.includes(code) ? 'down' : 'off', `it answered ${code}`)
}

interface Waiting {
  /** The longest list that may answer the command. */
  maxItems: number
  resolve(reply: Reply): void
  reject(error: unknown): void
}

class Connection {
  readonly #place: Place
  readonly #settings: Settings
  readonly #greeting: readonly string[][]
  #open: { socket: Socket; waiting: Waiting[]; ready: Promise<void> } | undefined

  constructor(place: Place, settings: Settings) {
    this.#place = place
    this.#settings = settings
    this.#greeting = greetingOf(place, settings)
  }

  /** @throws RemoteFailure; errno-style errors; the reason of the signal */
  async ask(command: readonly (string | Uint8Array)[], signal: AbortSignal, maxItems = 0): Promise<Reply> {
    const connection = this.#connection()
    const abort = () => connection.socket.destroy(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      const asked = this.#send(connection, command, maxItems)
      await Promise.all([connection.ready, asked])
      return await asked
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  close(): void {
    this.#open?.socket.destroy()
    this.#open = undefined
  }

  #send(
    { socket, waiting }: { socket: Socket; waiting: Waiting[] },
    command: readonly (string | Uint8Array)[],
    maxItems: number,
  ) {
    const reply = new Promise<Reply>((resolve, reject) => waiting.push({ maxItems, resolve, reject }))
    socket.write(encodeCommand(command))
    return reply
  }

  #connection() {
    if (this.#open && !this.#open.socket.destroyed) return this.#open
    const { timeouts, maxBytes } = this.#settings
    const { hostname, port, protocol } = this.#place.url
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    const isSecure = protocol === 'rediss:'
    const target = { host, port: Number(port || DEFAULT_PORT) }
    const servername = /^[\d.]+$|:/.test(host) ? '' : host
    const socket = isSecure ? secureConnect({ ...target, servername }) : connect(target)
    const waiting: Waiting[] = []
    // Callers have timers of their own.
    socket.unref()
    socket.setNoDelay(true)
    const { connectMs } = timeouts
    const late = new RemoteFailure('down', `it couldn't be reached within ${connectMs} ms`)
    const inTime = deadline(connectMs, () => socket.destroy(late), false)
    socket.once('connect', inTime)
    let failure: unknown = new RemoteFailure('down', 'it closed the connection')
    socket.on('error', error => {
      failure = error
    })
    socket.on('close', () => {
      inTime()
      for (const { reject } of waiting.splice(0)) reject(failure)
    })
    const parser = new ReplyParser(
      maxBytes,
      () => waiting[0]?.maxItems ?? 0,
      reply => waiting.shift()?.resolve(reply),
    )
    socket.on('data', chunk => {
      try {
        parser.push(chunk)
      } catch {
        socket.destroy(new RemoteFailure('off', 'it does not speak the protocol of Redis'))
      }
    })
    const greeted = Promise.all(this.#greeting.map(command => this.#send({ socket, waiting }, command, 0)))
    const ready = greeted.then(replies => {
      const refused = replies.find(reply => reply instanceof RedisError && reply.code !== 'NOPERM')
      if (!(refused instanceof RedisError)) return
      this.close()
      const isPassing = PASSING.includes(refused.code)
      throw new RemoteFailure(isPassing ? 'down' : 'off', `it refuses the connection with ${refused.code}`)
    })
    // The waiting calls get the error.
    ready.catch(() => undefined)
    this.#open = { socket, waiting, ready }
    return this.#open
  }
}

/** @throws RemoteFailure */
function greetingOf({ url }: Place, { token }: Settings): string[][] {
  const { username, password, pathname } = url
  const secret = token ?? decodeURIComponent(password)
  const greeting: string[][] = []
  // A server that wants a password answers this with an error. It would cut the connection at a long command.
  if (secret === '') greeting.push(['PING'])
  else greeting.push(['AUTH', ...(username === '' ? [] : [decodeURIComponent(username)]), secret])
  const database = pathname.replace(/^\//, '')
  if (!/^\d*$/.test(database)) throw new RemoteFailure('off', 'the path of its URL is no number of a database')
  if (Number(database) > 0) greeting.push(['SELECT', database])
  return greeting
}
