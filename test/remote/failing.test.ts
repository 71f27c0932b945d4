// A dead, silent or slow remote costs a run one timeout, and later processes nothing.

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { nodeFiles } from '../../src/files/files.js'
import type { RemoteAdapter, RemoteOptions } from '../../src/index.js'
import { Breaker } from '../../src/remote/breaker.js'
import { Worth } from '../../src/remote/worth.js'
import { temporaryDirectory } from '../support/caches.js'
import { runModule } from '../support/children.js'
import { freePort } from './engines.js'
import { memoryServer } from './http-servers.js'
import { reader, Team, writer } from './machines.js'

const FILES = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`src/${at}.js`, `${at}`]))

/** One after the other, as a host that awaits each. */
async function askInTurns(team: Team, remote: RemoteOptions) {
  const machine = team.machine(remote)
  for (const [file, content] of Object.entries(FILES)) {
    const value = await machine.entries.analyze('text', machine.at(file), ctx => ctx.source, {
      onResult: machine.onResult,
    })
    expect(value).toBe(content)
  }
  return machine
}

async function silentPort(): Promise<{ port: number; connections: () => number }> {
  let count = 0
  const server = createServer(socket => {
    count++
    socket.on('error', () => undefined)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, connections: () => count }
}

test.each(['http', 'redis'])('a closed port is tried once per run over %s', async protocol => {
  const team = new Team(FILES)
  const machine = await askInTurns(team, { url: `${protocol}://127.0.0.1:${await freePort()}`, ...reader })
  expect(machine.remote.stats()).toMatchObject({ errors: 1, skipped: 29, hits: 0, breaker: 'open' })
  expect(machine.computedCount).toBe(30)
  expect(machine.opened.warnings).toEqual([])
})

test.each(['http', 'redis'])('a silent port is tried once per run over %s', async protocol => {
  const team = new Team(FILES)
  const { port, connections } = await silentPort()
  const url = `${protocol}://127.0.0.1:${port}`
  const machine = await askInTurns(team, { url, ...reader, timeouts: { read: 100 } })
  expect(machine.remote.stats()).toMatchObject({ errors: 1, skipped: 29, breaker: 'open' })
  expect(connections()).toBe(1)
})

test('pending requests are given up when the remote turns out to be down', async () => {
  const team = new Team(FILES)
  const asked: number[] = []
  const adapter: RemoteAdapter = {
    maxBatch: 10,
    getMany: names => {
      asked.push(names.length)
      return asked.length === 1 ? Promise.reject(new Error('down')) : new Promise(() => undefined)
    },
    put: async () => undefined,
    close: () => undefined,
  }
  const machine = team.machine({ adapter, ...reader })
  await Promise.all(Object.keys(FILES).map(file => machine.entries.analyze('a', machine.at(file), ctx => ctx.source)))
  expect(asked).toEqual([10, 10, 10])
  expect(machine.remote.stats()).toMatchObject({ errors: 30, breaker: 'open' })
})

test('a process that is busy for longer than the timeout finds the results that arrived meanwhile', async () => {
  const team = new Team(FILES)
  const server = await memoryServer()
  const a = await askInTurns(team, { url: server.url, ...writer })
  await a.opened.cache.close()
  const b = team.machine({ url: server.url, ...reader, timeouts: { read: 1000, connect: 1000 } })
  const asked = Object.keys(FILES).map(file => b.entries.analyze('text', b.at(file), ctx => ctx.source))
  for (let turn = 0; turn < 4; turn++) {
    await new Promise(resolve => setImmediate(resolve))
    const end = Date.now() + 400
    while (Date.now() < end);
  }
  await Promise.all(asked)
  expect(b.remote.stats()).toMatchObject({ hits: 30, errors: 0, breaker: 'closed' })
})

test('a batch keeps waiting while the remote answers others', async () => {
  const team = new Team(FILES)
  let count = 0
  const adapter: RemoteAdapter = {
    maxBatch: 5,
    getMany: async names => {
      await new Promise(resolve => setTimeout(resolve, ++count === 1 ? 250 : 60))
      return names.map(() => undefined)
    },
    put: async () => undefined,
    close: () => undefined,
  }
  const machine = team.machine({ adapter, ...reader, timeouts: { read: 150 } })
  await Promise.all(Object.keys(FILES).map(file => machine.entries.analyze('a', machine.at(file), ctx => ctx.source)))
  expect(machine.remote.stats()).toMatchObject({ misses: 30, errors: 0, breaker: 'closed' })
})

test('a batch that is never answered is given up, however many others are answered', async () => {
  const team = new Team(FILES)
  const adapter: RemoteAdapter = {
    maxBatch: 1,
    getMany: async names => {
      held ??= names[0]
      await new Promise(resolve => names[0] !== held && setTimeout(resolve, 10))
      return names.map(() => undefined)
    },
    put: async () => undefined,
    close: () => undefined,
  }
  let held: string | undefined
  let isDone = false
  const machine = team.machine({ adapter, ...reader, timeouts: { read: 30 } })
  const ask = (name: string) => machine.entries.analyze(name, machine.at('src/1.js'), ctx => ctx.source)
  const first = ask('held').then(value => {
    isDone = true
    return value
  })
  let rounds = 0
  // Fetched ahead, because a run would soon stop asking for what is faster to compute.
  const fetch = (name: string) => machine.entries.prefetch([{ name, file: machine.at('src/1.js') }])
  while (!isDone && rounds < 1_000) await fetch(`other ${rounds++}`)
  expect({ isDone, value: await Promise.race([first, 'late']) }).toEqual({ isDone: true, value: '1' })
  expect(machine.remote.stats().errors).toBeGreaterThan(0)
})

test('three processes open the breaker for all', async () => {
  const team = new Team({ 'a.js': 'a' })
  const { port, connections } = await silentPort()
  const { tree } = team
  team.machine(undefined)
  const code = `
    process.chdir(args.project)
    const cache = library.openCacheSync({ dir: args.dir, onWarning })
    const value = await cache.namespace('tool').analyze('text ' + args.at, 'a.js', ctx => ctx.source)
    print(JSON.stringify({ value, ...cache.remote.stats() }))
    await cache.close()`
  const env = {
    WICKED_CACHE_REMOTE: `http://user:secret@127.0.0.1:${port}/`,
    WICKED_CACHE_REMOTE_KEYS: reader.keys.join(),
  }
  const outcomes: unknown[] = []
  for (let at = 0; at < 5; at++) {
    const args = { dir: tree.at('shared-cache'), project: tree.at('machine-1/deep/checkout'), at }
    const { lines } = await runModule(code, args, { env })
    const { value, errors, skipped } = JSON.parse(lines[0] ?? '')
    outcomes.push([value, errors, skipped])
  }
  expect(outcomes).toEqual([
    ['a', 1, 0],
    ['a', 1, 0],
    ['a', 1, 0],
    ['a', 0, 1],
    ['a', 0, 1],
  ])
  expect(connections()).toBe(3)
})

test('a remote is left alone for its retry-after, and not tried again if it rejects this machine', async () => {
  const team = new Team(FILES)
  const server = await memoryServer()
  const status: [number, Record<string, string>] = [429, { 'retry-after': '60' }]
  server.interfere = (_, response) => {
    response.writeHead(...status).end()
    return true
  }
  const busy = await askInTurns(team, { url: server.url, ...reader })
  expect(server.requests).toHaveLength(1)
  expect(busy.opened.warnings).toEqual([])
  expect(busy.remote.stats().breaker).toBe('open')

  server.requests.length = 0
  status[0] = 401
  const url = server.url.replace('//', '//user:secret@')
  const refused = await askInTurns(team, { url: `${url}/?token=secret`, token: 'secret', ...reader })
  expect(server.requests).toHaveLength(1)
  expect(refused.opened.warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_REMOTE'])
  const [{ message, cause }] = refused.opened.warnings as unknown as [{ message: string; cause: Error }]
  expect(message).toContain('401')
  expect(message + cause.stack + JSON.stringify(await refused.remote.status())).not.toContain('secret')
})

test('a Redis server that sends a longer list than asked for is cut off at once', async () => {
  const megabyte = Buffer.concat([Buffer.from('$1048576\r\n'), Buffer.alloc(1_048_576), Buffer.from('\r\n')])
  let sentCount = 0
  const flood = createServer(socket => {
    const send = () => {
      while (!socket.destroyed && sentCount < 200) {
        sentCount++
        if (!socket.write(megabyte)) return
      }
    }
    socket.on('error', () => undefined)
    socket.on('drain', send)
    socket.once('data', () => {
      socket.write('+PONG\r\n*1000000\r\n')
      send()
    })
  })
  await new Promise<void>(resolve => flood.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void flood.close())
  const { port } = flood.address() as AddressInfo
  const machine = await askInTurns(new Team(FILES), { url: `redis://127.0.0.1:${port}`, ...reader })
  expect(machine.opened.warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_REMOTE'])
  expect(sentCount).toBeLessThan(20)
})

test('a store without write permission is still read, without a warning', async () => {
  const team = new Team(FILES)
  const server = await memoryServer()
  server.interfere = ({ method }, response) => {
    if (method === 'PUT') response.writeHead(403).end()
    return method === 'PUT'
  }
  const machine = await askInTurns(team, { url: server.url, ...writer })
  await machine.remote.flush()
  expect((await machine.remote.status()).canWrite).toBe(false)
  const puts = server.requests.filter(({ method }) => method === 'PUT').length
  await machine.entries.analyze('other', machine.at('src/1.js'), ctx => ctx.source)
  await machine.opened.cache.close()
  expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(puts)
  expect(server.requests.filter(({ method }) => method === 'GET').length).toBeGreaterThan(5)
  expect(machine.opened.warnings).toEqual([])
})

test('close returns though uploads hang, and warns that they were dropped', async () => {
  const team = new Team(FILES)
  const adapter: RemoteAdapter = {
    getMany: async names => names.map(() => undefined),
    put: () => new Promise(() => undefined),
    close: () => new Promise(() => undefined),
  }
  const machine = await askInTurns(team, { adapter, ...writer, timeouts: { read: 50, upload: 50 } })
  const { remote } = machine
  await machine.opened.cache.close()
  expect(remote.stats()).toMatchObject({ uploads: 0, dropped: 30 })
})

test('a process without other work exits once its uploads are stored', async () => {
  const team = new Team({ 'a.js': 'a' })
  const server = await memoryServer()
  team.machine(undefined)
  const code = `
    process.chdir(args.project)
    const { namespaceSync } = library
    print(String(namespaceSync('tool').analyzeSync('text', 'a.js', ctx => ctx.source)))`
  const args = { project: team.tree.at('machine-1/deep/checkout') }
  const env = {
    WICKED_CACHE_DIR: team.tree.at('machine-1/cache'),
    WICKED_CACHE_REMOTE: server.url,
    WICKED_CACHE_REMOTE_MODE: 'readwrite',
    WICKED_CACHE_REMOTE_SIGNING_KEY: writer.signingKey,
  }
  const { lines } = await runModule(code, args, { env })
  expect(lines).toEqual(['a'])
  expect(server.objects.size).toBe(1)
})

test('results that are faster to compute than to fetch are only fetched now and then', () => {
  const worth = new Worth(1e9)
  for (let at = 0; at < 10; at++) {
    worth.computed('quick', 2)
    worth.computed('slow', 50)
    expect([worth.isAsking('quick'), worth.isAsking('slow')]).toEqual([true, true])
  }
  for (let at = 0; at < 10; at++) worth.answered(20, 1)
  expect(worth.isAsking('slow')).toBe(true)
  expect(worth.isAsking('unknown')).toBe(true)
  const asked = Array.from({ length: 640 }, () => worth.isAsking('quick'))
  expect(asked.filter(Boolean)).toHaveLength(10)
  // Many in one batch take less time each.
  for (let at = 0; at < 100; at++) worth.answered(40, 1000)
  expect(worth.isAsking('quick')).toBe(true)
})

test('a store that costs more than it can save is hardly asked any more, whatever is computed', () => {
  const worth = new Worth(2000)
  for (let at = 0; at < 3; at++) {
    expect(worth.isAsking(`key ${at}`)).toBe(true)
    worth.answered(900, 1)
    worth.computed(`key ${at}`, 1)
  }
  const asked = Array.from({ length: 128 }, (_, at) => worth.isAsking(`other ${at}`))
  expect(asked.filter(Boolean)).toHaveLength(2)
  // An answer that took long to compute makes up for it, and so does a long computation here.
  worth.saved(2000)
  expect(worth.isAsking('key')).toBe(false)
  worth.computed('large', 1000)
  expect(worth.isAsking('key')).toBe(true)
})

test('a slow store without answers costs a run its timeout a few times, not once for each key', async () => {
  const team = new Team(FILES)
  let askedCount = 0
  const adapter = {
    getMany: async (names: readonly string[]) => {
      askedCount++
      await new Promise(resolve => setTimeout(resolve, 80))
      return names.map(() => undefined)
    },
    put: async () => undefined,
    close: () => undefined,
  }
  const timeouts = { connect: 100, read: 100, upload: 100 }
  const machine = team.machine({ adapter, ...reader, timeouts })
  for (let at = 0; at < 40; at++) expect(await machine.entries.getOrSet(`key ${at}`, () => at)).toBe(at)
  expect(askedCount).toBeLessThan(6)
  expect(machine.remote.stats().skipped).toBe(40 - askedCount)
  // Tools ask all the same.
  const before = askedCount
  await machine.entries.prefetch(['another'])
  expect(askedCount).toBe(before + 1)
})

test('the breaker opens for longer each time, and closes after an answer', () => {
  const directory = temporaryDirectory()
  let now = 1_000_000
  const open = () =>
    new Breaker({
      files: nodeFiles,
      directory: join(directory, 'remote'),
      name: '0123456789abcdef',
      store: 'redis://store/0',
      canWrite: () => true,
      now: () => now,
      random: Math.random,
    })
  const [one, two] = [open(), open()]
  const openForMs: number[] = []
  for (let at = 0; at < 6; at++) {
    expect(one.tryPass()).toBe(true)
    one.failed('it failed')
    openForMs.push((one.openUntil ?? 0) - now)
    expect(one.tryPass()).toBe(false)
    // Others are told after the third time.
    expect(two.tryPass()).toBe(at < 2)
    now += openForMs.at(-1) as number
  }
  expect(openForMs).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000])
  // One of them tries, the others wait for what it finds.
  expect([two.tryPass(), one.tryPass()]).toEqual([true, false])
  two.succeeded()
  now += 1_000
  expect([one.tryPass(), two.tryPass(), open().tryPass()]).toEqual([true, true, true])
  // A clock that was set back doesn't keep it open.
  for (let at = 0; at < 3; at++) one.failed('it failed')
  now -= 10_000_000
  expect(open().tryPass()).toBe(true)
})
