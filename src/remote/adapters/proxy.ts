// Proxies from the environment, read like curl does: HTTPS_PROXY, NO_PROXY, and `http_proxy` in lower case only, because web
// servers set HTTP_PROXY from a request header.

import { type ClientRequest, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { Socket } from 'node:net'
import { connect as secureConnect } from 'node:tls'
import { deadline } from '../deadline.js'
import { RemoteFailure } from '../failure.js'

export interface Proxy {
  /** Identifies the proxy. */
  name: string
  isSecure: boolean
  target: { hostname: string; port: string }
  authorization: string | undefined
}

/** @throws RemoteFailure if it isn't the URL of a proxy */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): Proxy | undefined {
  const isSecure = url.protocol === 'https:'
  const text = isSecure
    ? env.https_proxy || env.HTTPS_PROXY || env.all_proxy || env.ALL_PROXY
    : env.http_proxy || env.all_proxy || env.ALL_PROXY
  if (!text || isExcepted(url, env.no_proxy || env.NO_PROXY || '')) return undefined
  let proxy: URL
  try {
    proxy = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  } catch {
    throw new RemoteFailure('off', 'the proxy of the environment is no URL')
  }
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
    throw new RemoteFailure('off', `a proxy by ${proxy.protocol} is not supported`)
  }
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return {
    name: proxy.href,
    isSecure: proxy.protocol === 'https:',
    target: { hostname: proxy.hostname, port: proxy.port || (proxy.protocol === 'https:' ? '443' : '80') },
    authorization: user === ':' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
  }
}

function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const ownPort = port || (protocol === 'https:' ? '443' : '80')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some(each => {
      if (each === '*') return true
      const [, name = '', only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(each) ?? []
      if (name === '' || (only !== undefined && only !== ownPort)) return false
      return hostname === name || hostname.endsWith(`.${name}`)
    })
}

/**
 * An agent that tunnels its connections through the proxy, which sees only encrypted bytes. A request's `tunnelSignal` and the
 * agent's `destroy` also end tunnels that aren't open yet.
 */
export function tunnelAgent(proxy: Proxy, options: object, connectMs: number): SecureAgent {
  const agent = new SecureAgent(options)
  const opening = new Set<ClientRequest>()
  const create = ({ tunnelSignal, ...given }: Given, done: Done) => {
    const path = `${given.host ?? given.hostname}:${given.port ?? 443}`
    tunnel(proxy, path, { connectMs, opening, signal: tunnelSignal }).then(
      socket => {
        const secure = secureConnect({ ...given, socket, ALPNProtocols: ['http/1.1'] } as object)
        secure.unref()
        done(null, secure)
      },
      error => done(error),
    )
  }
  const destroy = () => {
    for (const request of opening) request.destroy(new RemoteFailure('down', 'its client was closed'))
    SecureAgent.prototype.destroy.call(agent)
  }
  return Object.assign(agent, { createConnection: create as never, destroy })
}

interface Given {
  host?: string
  hostname?: string
  port?: number | string
  tunnelSignal?: AbortSignal
}

interface TunnelMeans {
  connectMs: number
  /** Requests for tunnels that aren't open yet. */
  opening: Set<ClientRequest>
  signal: AbortSignal | undefined
}

type Done = (error: Error | null, socket?: Socket) => void

function tunnel({ target, isSecure, authorization }: Proxy, path: string, means: TunnelMeans): Promise<Socket> {
  const { connectMs, opening, signal } = means
  return new Promise((resolve, reject) => {
    const headers = { host: path, ...(authorization && { 'proxy-authorization': authorization }) }
    const options = { ...target, method: 'CONNECT', path, headers, agent: false as const }
    const request = isSecure ? secureRequest(options) : plainRequest(options)
    const late = new RemoteFailure('down', `the proxy didn't answer within ${connectMs} ms`)
    const inTime = deadline(connectMs, () => request.destroy(late), false)
    const abort = () => request.destroy(signal?.reason)
    const answered = () => {
      inTime()
      opening.delete(request)
      signal?.removeEventListener('abort', abort)
    }
    opening.add(request)
    signal?.addEventListener('abort', abort, { once: true })
    request.on('close', answered)
    request.on('error', reject)
    // The caller has a timer that keeps the process alive.
    request.on('socket', socket => socket.unref())
    request.on('connect', ({ statusCode = 0 }, socket) => {
      answered()
      if (statusCode === 200) {
        resolve(socket)
        return
      }
      socket.destroy()
      reject(new RemoteFailure(statusCode === 407 ? 'off' : 'down', `the proxy answered ${statusCode}`))
    })
    if (signal?.aborted) abort()
    else request.end()
  })
}
