// HTTP servers that store objects by path: plain WebDAV, and the remote caches of Bazel, Turborepo and Nx.

import { setMaxListeners } from 'node:events'
import type { RemoteAdapter } from '../../api/index.js'
import { RemoteFailure } from '../failure.js'
import type { HttpLayout, Place } from '../place.js'
import type { Settings } from '../settings.js'
import { HTTP_BATCH, HttpClient, type HttpResponse } from './http-client.js'

const PATHS: Record<HttpLayout, (name: string) => string> = {
  dav: name => `/${name.slice(0, 2)}/${name.slice(2)}`,
  bazel: name => `/ac/${name}`,
  turbo: name => `/v8/artifacts/${name}`,
  nx: name => `/v1/cache/${name}`,
}

/** @throws RemoteFailure if the proxy can't be used */
export function createHttpAdapter({ url: base, layout }: Place, settings: Settings): RemoteAdapter {
  const { token, timeouts, maxBytes } = settings
  const authorization = authorizationOf(base, token)
  const client = new HttpClient({
    connectMs: timeouts.connectMs,
    authorize: () => (authorization === undefined ? {} : { authorization }),
    origin: base.origin,
    maxBytes,
  })
  const urlOf = (path: string) => {
    const url = new URL(base)
    url.username = url.password = ''
    url.pathname = url.pathname.replace(/\/+$/, '') + path
    return url
  }

  return {
    maxBatch: HTTP_BATCH,
    getMany(names, signal) {
      // One controller per request.
      setMaxListeners(0, signal)
      const get = async (name: string) =>
        objectIn(await client.request({ method: 'GET', url: urlOf(PATHS[layout](name)), signal }))
      return Promise.all(names.map(get))
    },
    async put(name, bytes, signal) {
      const path = PATHS[layout](name)
      const headers = { 'content-type': 'application/octet-stream' }
      const put = () => client.request({ method: 'PUT', url: urlOf(path), headers, body: bytes, signal })
      let response = await put()
      // WebDAV answers this if the directory doesn't exist.
      if (layout === 'dav' && response.status === 409) {
        await client.request({ method: 'MKCOL', url: urlOf(path.slice(0, path.lastIndexOf('/') + 1)), signal })
        response = await put()
      }
      assertStored(response)
    },
    close: () => client.close(),
  }
}

/** The `Authorization` header for the URL's user or the token. */
function authorizationOf({ username, password }: URL, token: string | undefined): string | undefined {
  if (token !== undefined) return /^(?:Basic|Bearer) /i.test(token) ? token : `Bearer ${token}`
  if (username === '' && password === '') return undefined
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(user).toString('base64')}`
}

/** The object, or undefined if there is none. @throws RemoteFailure for any other response */
export function objectIn(response: HttpResponse): Buffer | undefined {
  const { status, body } = response
  if (status === 200) return body
  if (status === 404 || status === 410) return undefined
  throw failureOfStatus(response)
}

/** @throws RemoteFailure */
export function assertStored(response: HttpResponse): void {
  const { status } = response
  // 409: the object exists already and is kept.
  if ((status >= 200 && status < 300) || status === 409) return
  if (status === 403 || status === 405 || status === 501) throw new RemoteFailure('readonly', `it answered ${status}`)
  if (status === 413 || status === 507) throw new RemoteFailure('refused', `it answered ${status}`)
  throw failureOfStatus(response)
}

function failureOfStatus({ status, headers }: HttpResponse): RemoteFailure {
  const message = `it answered ${status}`
  const waitMs = retryAfterMs(headers['retry-after'])
  if (status === 429 || (status === 503 && waitMs !== undefined)) return new RemoteFailure('busy', message, waitMs)
  return new RemoteFailure(status >= 300 && status < 500 && status !== 408 ? 'off' : 'down', message)
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return ms >= 0 ? ms : undefined
}
