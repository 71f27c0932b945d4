// The HTTP client with servers that redirect, hang, close connections or send too much.

import { readFileSync } from 'node:fs'
import { createServer, request as plainRequest } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, createServer as createPlainServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { RemoteOptions } from '../../src/index.js'
import { createHttpAdapter } from '../../src/remote/adapters/http.js'
import { proxyFor } from '../../src/remote/adapters/proxy.js'
import { failureOf as failureFrom, RemoteFailure } from '../../src/remote/failure.js'
import { type Settings, settingsOf } from '../../src/remote/settings.js'
import { temporaryDirectory } from '../support/caches.js'
import { runModule } from '../support/children.js'
import { makeCertificate } from './engines.js'
import { memoryServer } from './http-servers.js'
import { PATIENT, writer } from './machines.js'

const name = 'ab'.repeat(32)
const never = () => new AbortController().signal

function adapterOf(url: string, options: RemoteOptions = {}) {
  const settings = settingsOf({ timeouts: PATIENT, ...writer, ...options, url }, {}, undefined) as Settings
  const adapter = createHttpAdapter(settings.place as NonNullable<Settings['place']>, settings)
  onTestFinished(() => adapter.close())
  return adapter
}

const failureOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    failure => failure,
  )
  expect(error).toBeInstanceOf(RemoteFailure)
  return error as RemoteFailure
}

/** Sets variables of the environment until the test ends. */
function environment(variables: Record<string, string>) {
  for (const [key, value] of Object.entries(variables)) {
    const before = process.env[key]
    process.env[key] = value
    onTestFinished(() => {
      if (before === undefined) delete process.env[key]
      else process.env[key] = before
    })
  }
}

test('paths follow the layout, and the query of the URL is kept', async () => {
  const server = await memoryServer()
  for (const layout of ['dav', 'bazel', 'turbo', 'nx'])
    await adapterOf(`${layout}+${server.url}/base/?teamId=1`).getMany([name], never())
  expect(server.requests.map(({ path }) => path)).toEqual([
    `/base/ab/${name.slice(2)}?teamId=1`,
    `/base/ac/${name}?teamId=1`,
    `/base/v8/artifacts/${name}?teamId=1`,
    `/base/v1/cache/${name}?teamId=1`,
  ])
})

test('credentials come from the URL or the token', async () => {
  const server = await memoryServer()
  const withUser = server.url.replace('//', '//us%40er:p%3Aw@')
  await adapterOf(server.url).getMany([name], never())
  await adapterOf(withUser).getMany([name], never())
  await adapterOf(server.url, { token: 't' }).getMany([name], never())
  await adapterOf(server.url, { token: 'Basic eDp5' }).getMany([name], never())
  expect(server.requests.map(({ authorization }) => authorization)).toEqual([
    undefined,
    `Basic ${Buffer.from('us@er:p:w').toString('base64')}`,
    'Bearer t',
    'Basic eDp5',
  ])
})

test('connections are reused, and reopened after the server closed them', async () => {
  const server = await memoryServer()
  const adapter = adapterOf(server.url)
  for (let at = 0; at < 5; at++) await adapter.getMany([name], never())
  expect(server.connectionCount).toBe(1)
  server.interfere = request => {
    request.socket.destroy()
    server.interfere = () => false
    return true
  }
  expect(await adapter.getMany([name], never())).toEqual([undefined])
  expect(server.connectionCount).toBe(2)
})

test('redirects are followed, without credentials for other hosts', async () => {
  const [first, second] = [await memoryServer(), await memoryServer()]
  second.objects.set(`/moved/ab/${name.slice(2)}`, Buffer.from('moved'))
  first.interfere = (request, response) => {
    response.writeHead(302, { location: `${second.url}/moved${request.url}` }).end()
    return true
  }
  const [object] = await adapterOf(first.url, { token: 'secret' }).getMany([name], never())
  expect(Buffer.from(object ?? []).toString()).toBe('moved')
  expect(first.requests[0]?.authorization).toBe('Bearer secret')
  expect(second.requests[0]?.authorization).toBeUndefined()

  first.interfere = (request, response) => {
    const isFirst = !request.url?.includes('again')
    if (isFirst) response.writeHead(307, { location: `/again${request.url}` }).end()
    return isFirst
  }
  const adapter = adapterOf(first.url, { token: 'secret' })
  await adapter.put(name, Buffer.from('put'), never())
  expect(first.objects.get(`/again/ab/${name.slice(2)}`)?.toString()).toBe('put')
  expect(first.requests.at(-1)?.authorization).toBe('Bearer secret')

  first.interfere = (_, response) => {
    response.writeHead(302, { location: '/circle' }).end()
    return true
  }
  expect((await failureOf(adapter.getMany([name], never()))).kind).toBe('off')
  first.interfere = (_, response) => {
    response.writeHead(302, { location: 'file:///etc/passwd' }).end()
    return true
  }
  expect((await failureOf(adapter.getMany([name], never()))).kind).toBe('off')
})

test('each status code is handled', async () => {
  const server = await memoryServer()
  let status = 0
  let headers = {}
  server.interfere = (request, response) => {
    request.resume()
    response.writeHead(status, headers).end()
    return true
  }
  const adapter = adapterOf(`bazel+${server.url}`)
  const statuses = [404, 410, 401, 403, 400, 407, 408, 429, 500, 503]
  const reads: unknown[] = []
  for (status of statuses) {
    const read = adapter.getMany([name], never())
    reads.push([
      status,
      await read.then(
        () => 'missing',
        error => error.kind,
      ),
    ])
  }
  expect(Object.fromEntries(reads as [number, string][])).toEqual({
    404: 'missing',
    410: 'missing',
    401: 'off',
    403: 'off',
    400: 'off',
    407: 'off',
    408: 'down',
    429: 'busy',
    500: 'down',
    503: 'down',
  })
  const writes: unknown[] = []
  for (status of [200, 201, 204, 409, 401, 403, 405, 413, 429, 500, 507]) {
    const written = adapter.put(name, Buffer.from('x'), never())
    writes.push([
      status,
      await written.then(
        () => 'stored',
        error => error.kind,
      ),
    ])
  }
  expect(Object.fromEntries(writes as [number, string][])).toEqual({
    200: 'stored',
    201: 'stored',
    204: 'stored',
    409: 'stored',
    401: 'off',
    403: 'readonly',
    405: 'readonly',
    413: 'refused',
    429: 'busy',
    500: 'down',
    507: 'refused',
  })
  status = 429
  headers = { 'retry-after': '17' }
  expect((await failureOf(adapter.getMany([name], never()))).retryAfterMs).toBe(17_000)
  status = 503
  headers = { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }
  const busy = await failureOf(adapter.getMany([name], never()))
  expect(busy.kind).toBe('busy')
  expect(busy.retryAfterMs).toBeGreaterThan(50_000)
})

test('a truncated response is an error', async () => {
  const server = await memoryServer()
  server.interfere = (_, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('half')
    response.socket?.end()
    return true
  }
  await expect(adapterOf(server.url).getMany([name], never())).rejects.toThrow()
})

/** A proxy for both ways; remembers what it was asked. */
async function startProxy() {
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? ''}`)
    const target = new URL(request.url ?? '')
    const { 'proxy-authorization': _, ...headers } = request.headers
    const onward = plainRequest(target, { method: request.method, headers }, answer => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    request.pipe(onward)
  })
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? ''}`)
    const [host, port] = (request.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket)
      socket.pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return { asked, url: `http://pro:xy@127.0.0.1:${(proxy.address() as AddressInfo).port}` }
}

test('a proxy that sends its answer byte by byte is waited for once, and does not keep the process alive', async () => {
  const proxy = createPlainServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nX: '))
    const drip = setInterval(() => socket.write('x'), 20)
    socket.on('close', () => clearInterval(drip))
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  const { port } = proxy.address() as AddressInfo
  environment({ https_proxy: `http://127.0.0.1:${port}`, no_proxy: '' })
  const adapter = adapterOf('https://store.example/', { timeouts: { connect: 200, read: 10_000, upload: 10_000 } })
  const failure = await failureOf(adapter.getMany([name], never()))
  expect([failure.kind, failure.message]).toEqual(['down', "the proxy didn't answer within 200 ms"])
  const connections = await new Promise(resolve => proxy.getConnections((_, count) => resolve(count)))
  expect(connections).toBeLessThanOrEqual(1)
})

test.each(['abort', 'close'])('a tunnel that the proxy has not opened ends at the %s', async how => {
  let ended: () => void
  let asked: () => void
  const [isAsked, isEnded] = [new Promise<void>(r => (asked = r)), new Promise<void>(r => (ended = r))]
  const proxy = createPlainServer(socket => {
    socket.on('error', () => undefined)
    socket.on('close', () => ended())
    socket.once('data', () => asked())
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  environment({ https_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, no_proxy: '' })
  const adapter = adapterOf('https://store.example/', { timeouts: { connect: 60_000, read: 60_000, upload: 60_000 } })
  const controller = new AbortController()
  const answer = adapter.getMany([name], controller.signal).catch(error => error)
  await isAsked
  if (how === 'abort') controller.abort(new RemoteFailure('down', 'given up'))
  else await adapter.close()
  expect(await answer).toMatchObject({ kind: 'down' })
  await isEnded
})

test.each([['\0'], ['😀'], ['two\nlines']])('a token that no header can have turns the store off: %j', async token => {
  const server = await memoryServer()
  const error = await adapterOf(`bazel+${server.url}`, { token })
    .getMany([name], never())
    .catch(thrown => thrown)
  const failure = failureFrom(error)
  expect(failure.kind).toBe('off')
  expect(failure.message).not.toContain(token)
})

const PROXY_USER = `Basic ${Buffer.from('pro:xy').toString('base64')}`

test('plain HTTP uses the proxy of the environment', async () => {
  const server = await memoryServer()
  const proxy = await startProxy()
  environment({ http_proxy: proxy.url, no_proxy: '' })
  const adapter = adapterOf(`bazel+${server.url}`, { token: 'secret' })
  await adapter.put(name, Buffer.from('through'), never())
  const [object] = await adapter.getMany([name], never())
  expect(Buffer.from(object ?? []).toString()).toBe('through')
  expect(proxy.asked).toEqual([
    `PUT ${server.url}/ac/${name} ${PROXY_USER}`,
    `GET ${server.url}/ac/${name} ${PROXY_USER}`,
  ])
  expect(server.requests.map(({ authorization }) => authorization)).toEqual(['Bearer secret', 'Bearer secret'])
})

test('HTTPS uses a proxy tunnel, and the certificate is checked', async () => {
  const directory = temporaryDirectory()
  makeCertificate(directory)
  const [key, cert] = ['key.pem', 'certificate.pem'].map(file => readFileSync(join(directory, file)))
  const heads: (string | undefined)[] = []
  const server = createSecureServer({ key, cert }, (request, response) => {
    heads.push(request.headers['proxy-authorization'], request.headers.authorization)
    response.end('secure')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const proxy = await startProxy()
  environment({ HTTPS_PROXY: proxy.url, NO_PROXY: '', no_proxy: '' })
  // This process doesn't know who has issued it.
  const refused = await adapterOf(`https://localhost:${port}`)
    .getMany([name], never())
    .then(
      () => 'taken',
      error => error.code,
    )
  expect(refused).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
  const code = `
    const cache = library.openCacheSync({ dir: args.dir, onWarning, remote: {
      url: args.url, trust: 'store', token: 'secret', timeouts: { connect: '10s', read: '10s' },
    } })
    const { problem, pingMs } = await cache.remote.status()
    print(JSON.stringify({ problem, isAnswered: pingMs > 0 }))`
  const { lines } = await runModule(
    code,
    { dir: join(directory, 'cache'), url: `https://localhost:${port}` },
    { env: { NODE_EXTRA_CA_CERTS: join(directory, 'certificate.pem') } },
  )
  expect(JSON.parse(lines[0] ?? '')).toEqual({ isAnswered: true })
  expect(proxy.asked.at(-1)).toBe(`CONNECT localhost:${port} ${PROXY_USER}`)
  expect(heads).toEqual([undefined, 'Bearer secret'])
})

test('the proxy is chosen by the environment', () => {
  const at = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.target.hostname
  const env = {
    HTTPS_PROXY: 'https://one:1',
    HTTP_PROXY: 'http://not-this',
    http_proxy: 'two:2',
    NO_PROXY: '.local, x.org:80',
  }
  expect(at('https://example.org', env)).toBe('one')
  expect(at('http://example.org', env)).toBe('two')
  expect(at('https://cache.local', env)).toBeUndefined()
  expect(at('http://x.org', env)).toBeUndefined()
  expect(at('https://x.org', env)).toBe('one')
  expect(at('http://example.org', { HTTP_PROXY: 'http://not-this' })).toBeUndefined()
  expect(at('https://example.org', { ALL_PROXY: 'http://all' })).toBe('all')
  expect(at('https://example.org', { ...env, NO_PROXY: '*' })).toBeUndefined()
  expect(() => at('https://example.org', { HTTPS_PROXY: 'socks5://one:1' })).toThrow('socks5')
})

test('a silent port is given up when the signal aborts', async () => {
  const silent = createPlainServer(() => undefined)
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void silent.close())
  const adapter = adapterOf(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`)
  const controller = new AbortController()
  const asked = adapter.getMany([name], controller.signal)
  controller.abort(new Error('given up'))
  await expect(asked).rejects.toThrow('given up')
})
