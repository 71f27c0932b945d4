// A small HTTP client: keep-alive, a connect timeout, redirects that don't pass credentials to other hosts, and proxies.
// Bodies are held in memory. `fetch` would take 40 ms to load and has neither of the last two.

import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { deadline } from '../deadline.js'
import { RemoteFailure } from '../failure.js'
import { proxyFor, tunnelAgent } from './proxy.js'

export interface HttpRequest {
  method: 'GET' | 'PUT' | 'MKCOL'
  url: URL
  headers?: Record<string, string>
  body?: Uint8Array
  signal: AbortSignal
}

export interface HttpResponse {
  status: number
  headers: IncomingMessage['headers']
  /** Cut after one byte more than the limit. */
  body: Buffer
}

export interface HttpClientOptions {
  connectMs: number
  /** Headers with credentials. They are sent to the store's origin only. */
  authorize(request: { method: string; url: URL; body: Uint8Array | undefined }): Record<string, string>
  origin: string
  maxBytes: number
}

const MAX_REDIRECTS = 3
/** Slightly less than the 5 to 15 s after which servers close idle connections. */
const IDLE_MS = 4_000
export const MAX_SOCKETS = 128
/** Names per batch. Each uses a connection of its own, and four batches run at once. */
export const HTTP_BATCH = MAX_SOCKETS / 4
const RESET = ['ECONNRESET', 'EPIPE']

export class HttpClient {
  readonly #options: HttpClientOptions
  readonly #agents = new Map<string, PlainAgent>()

  constructor(options: HttpClientOptions) {
    this.#options = options
  }

  /** @throws RemoteFailure; errno-style errors; the reason of the signal */
  async request(given: HttpRequest): Promise<HttpResponse> {
    let { url } = given
    for (let redirects = 0; ; redirects++) {
      const response = await this.#once({ ...given, url }, true)
      const next = redirectOf(given.method, url, response)
      if (!next) return response
      if (redirects === MAX_REDIRECTS) throw new RemoteFailure('off', 'it redirects in a circle')
      url = next
    }
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
  }

  async #once(given: HttpRequest, mayRetry: boolean): Promise<HttpResponse> {
    let isReused = false
    try {
      return await this.#send(given, request => {
        isReused = request.reusedSocket
      })
    } catch (error) {
      // A server may close an idle connection just when it is used again.
      const isReset = RESET.includes(String((error as { code?: unknown } | null)?.code))
      if (mayRetry && isReused && isReset && !given.signal.aborted) return this.#once(given, false)
      throw error
    }
  }

  #send({ method, url, headers, body, signal }: HttpRequest, sent: (request: ClientRequest) => void) {
    const { connectMs, origin, maxBytes } = this.#options
    const isSecure = url.protocol === 'https:'
    const proxy = proxyFor(url, process.env)
    const own: Record<string, string | number> = { ...headers, 'user-agent': 'wicked-cache', accept: '*/*' }
    if (body) own['content-length'] = body.length
    if (url.origin === origin) Object.assign(own, this.#options.authorize({ method, url, body }))
    if (proxy?.authorization !== undefined && !isSecure) own['proxy-authorization'] = proxy.authorization
    const target = proxy && !isSecure ? { ...proxy.target, path: url.href } : targetOf(url)
    return new Promise<HttpResponse>((resolve, reject) => {
      const agent = this.#agentFor(isSecure, proxy)
      const options = { ...target, method, agent, headers: { host: url.host, ...own }, tunnelSignal: signal }
      const request = isSecure ? secureRequest(options) : plainRequest(options)
      const abort = () => request.destroy(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      const end = () => signal.removeEventListener('abort', abort)
      const fail = (error: unknown) => {
        end()
        sent(request)
        reject(error)
      }
      request.on('error', fail)
      request.on('socket', socket => {
        // The caller has a timer for the answer.
        socket.unref()
        if (!socket.connecting) return
        const late = new RemoteFailure('down', `it couldn't be reached within ${connectMs} ms`)
        const reached = deadline(connectMs, () => request.destroy(late), false)
        // From here on the answer's timeout applies.
        socket.once('connect', reached)
        socket.once('close', reached)
      })
      request.on('response', response => {
        collect(response, maxBytes).then(collected => {
          end()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: collected })
        }, fail)
      })
      if (signal.aborted) abort()
      else request.end(body)
    })
  }

  #agentFor(isSecure: boolean, proxy: ReturnType<typeof proxyFor>): PlainAgent {
    const name = `${isSecure} ${proxy?.name ?? ''}`
    const known = this.#agents.get(name)
    if (known) return known
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS, timeout: 0, keepAliveMsecs: IDLE_MS }
    const agent = !isSecure
      ? new PlainAgent(options)
      : proxy
        ? tunnelAgent(proxy, options, this.#options.connectMs)
        : new SecureAgent(options)
    this.#agents.set(name, agent)
    return agent
  }
}

function targetOf(url: URL) {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { hostname, port: url.port || undefined, path: url.pathname + url.search, servername: nameFor(hostname) }
}

/** TLS server names can't be IP addresses. */
function nameFor(hostname: string): string {
  return /^[\d.]+$|:/.test(hostname) ? '' : hostname
}

function collect(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length <= maxBytes) return
      resolve(Buffer.concat(chunks).subarray(0, maxBytes + 1))
      response.destroy()
    })
    response.on('end', () => {
      if (response.complete) resolve(Buffer.concat(chunks))
      else reject(new RemoteFailure('down', 'it ended an answer early'))
    })
    response.on('error', reject)
    response.on('close', () => reject(new RemoteFailure('down', 'it ended an answer early')))
  })
}

/** The target of a redirect; undefined if the response is final. @throws RemoteFailure if it must not be followed */
function redirectOf(method: string, url: URL, { status, headers }: HttpResponse): URL | undefined {
  const isFollowed = status === 307 || status === 308 || (method === 'GET' && [301, 302, 303].includes(status))
  if (!isFollowed || headers.location === undefined) return undefined
  let next: URL
  try {
    next = new URL(headers.location, url)
  } catch {
    throw new RemoteFailure('off', 'it redirects to what is no URL')
  }
  const isPlain = next.protocol === 'http:' && url.protocol === 'http:'
  if (next.protocol !== 'https:' && !isPlain) throw new RemoteFailure('off', 'it redirects to what is not encrypted')
  next.username = next.password = ''
  return next
}
