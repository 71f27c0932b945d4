// Keyv instances wait very long for missing servers and keep their process alive. The remote must not.

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { KeyvMemcache } from '@keyv/memcache'
import Keyv from 'keyv'
import { expect, onTestFinished, test } from 'vitest'
import { fromKeyv } from '../../src/remote/adapters/from-store.js'
import { runModule } from '../support/children.js'
import { freePort, memcached, startMemcached } from './engines.js'
import { reader, Team, writer } from './machines.js'

const FILES = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`src/${at}.js`, `${at}`]))

async function silentPort(): Promise<number> {
  const server = createServer(socket => void socket.on('error', () => undefined))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

const PORTS: [string, () => Promise<number>][] = [
  ['dead', freePort],
  ['silent', silentPort],
]

test.each(PORTS)('a %s server behind Keyv is waited for once', async (_, portOf) => {
  const team = new Team(FILES)
  const store = new KeyvMemcache(`127.0.0.1:${await portOf()}`)
  const adapter = fromKeyv(new Keyv({ store, emitErrors: true, throwOnErrors: true }))
  const machine = team.machine({ adapter, ...writer, timeouts: { read: 200, upload: 200 } })
  for (const [file, content] of Object.entries(FILES)) {
    const value = await machine.entries.analyze('text', machine.at(file), ctx => ctx.source)
    expect(value).toBe(content)
  }
  const { hits, errors, skipped, misses } = machine.remote.stats()
  expect({ hits, asked: errors + misses + skipped }).toEqual({ hits: 0, asked: 30 })
  // Some clients say that there is nothing where they reach nobody.
  if (misses === 0) expect({ errors, skipped }).toEqual({ errors: 1, skipped: 29 })
  await machine.opened.cache.close()
  expect(machine.opened.warnings).toEqual([])
})

test.skipIf(!memcached)('a process exits after closing its cache, even if Keyv keeps connections', async () => {
  const team = new Team({ 'a.js': 'a' })
  const machine = team.machine(undefined)
  const code = `
    const [{ default: Keyv }, { KeyvMemcache }] = await Promise.all(args.modules.map(each => import(each)))
    process.chdir(args.project)
    const adapter = library.fromKeyv(new Keyv({ store: new KeyvMemcache('127.0.0.1:' + args.port) }))
    const remote = { adapter, keys: args.keys, timeouts: { read: 5000 } }
    const cache = library.openCacheSync({ dir: args.dir, onWarning, remote })
    print(await cache.namespace('tool').analyze('text', 'a.js', ctx => ctx.source))
    await cache.close()`
  const modules = ['keyv', '@keyv/memcache'].map(name => import.meta.resolve(name))
  const args = {
    modules,
    port: await startMemcached(),
    keys: reader.keys,
    project: machine.project,
    dir: team.tree.at('machine-1/cache'),
  }
  const { lines, stderr } = await runModule(code, args)
  expect({ lines, stderr }).toEqual({ lines: ['a'], stderr: '' })
})

test.each([
  ['that asked and closed', 1],
  ['that has retried', 2],
])('a process exits after closing its cache, though its server is silent: a client %s', async (_, count) => {
  const team = new Team({ 'a.js': 'a' })
  const machine = team.machine(undefined)
  // The server closes no connection and keeps no process alive, as if another machine had stopped.
  const code = `
    import { createServer } from 'node:net'
    const [{ default: Keyv }, { KeyvMemcache }] = await Promise.all(args.modules.map(each => import(each)))
    process.chdir(args.project)
    let connect
    const connected = new Promise(resolve => { connect = resolve })
    let count = 0
    const server = createServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => undefined).resume().unref()
      if (++count === args.count) connect()
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    server.unref()
    const store = new KeyvMemcache('127.0.0.1:' + server.address().port, { timeout: 0.1, logger: { log() {} } })
    const remote = { adapter: library.fromKeyv(new Keyv({ store })), keys: args.keys, timeouts: { read: 100 } }
    const cache = library.openCacheSync({ dir: args.dir, onWarning, remote })
    print(await cache.namespace('tool').analyze('text', 'a.js', ctx => ctx.source))
    await connected
    await cache.close()`
  const modules = ['keyv', '@keyv/memcache'].map(name => import.meta.resolve(name))
  const args = { modules, count, keys: reader.keys, project: machine.project, dir: team.tree.at('machine-1/cache') }
  const { lines, stderr } = await runModule(code, args)
  expect({ lines, stderr }).toEqual({ lines: ['a'], stderr: '' })
})
