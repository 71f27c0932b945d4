// Several caches in one process with the same remote.

import { expect, test } from 'vitest'
import { MAX_SOCKETS } from '../../src/remote/adapters/http-client.js'
import { nextTurn, openIn } from '../support/caches.js'
import { Tree } from '../support/projects.js'
import { freePort, redisServer, startRedis } from './engines.js'
import { memoryServer } from './http-servers.js'
import { PATIENT, reader, writer } from './machines.js'
import { startProxy } from './proxy.js'

const FILES = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`a/src/${at}.js`, `${at}`]))

function plugins(url: string, count: number, remote: object = writer) {
  const tree = new Tree({ 'a/package.json': '{}', ...FILES })
  return Array.from({ length: count }, (_, at) => {
    const opened = openIn(tree.at('cache'), { remote: { url, timeouts: PATIENT, ...remote } })
    const entries = opened.cache.namespace(`plugin-${at}`, { project: tree.at('a') })
    const askAll = () =>
      Promise.all(Object.keys(FILES).map(file => entries.analyze('text', tree.at(file), ctx => ctx.source)))
    return { ...opened, askAll }
  })
}

const values = Object.values(FILES)

test('a dozen caches share their connections', async () => {
  const server = await memoryServer()
  const all = plugins(server.url, 12)
  for (const { askAll } of all) expect(await askAll()).toEqual(values)
  await Promise.all(all.map(({ cache }) => cache.remote?.flush()))
  // No more than one may have.
  expect(server.connectionCount).toBeLessThanOrEqual(MAX_SOCKETS)
  const before = server.connectionCount
  for (const { cache } of all) await cache.close()
  const [later] = plugins(server.url, 1)
  await later?.askAll()
  // They are closed with the last of them.
  expect(server.connectionCount).toBeGreaterThan(before)
  expect(all.flatMap(({ warnings }) => warnings)).toEqual([])
})

test.skipIf(!redisServer)('closing one keeps the pending requests of the others', async () => {
  const { port } = await startProxy({ port: (await startRedis()).port, delayMs: 100 })
  const [one, other] = plugins(`redis://127.0.0.1:${port}`, 2, reader)
  const asked = [one?.askAll(), other?.askAll()]
  // Until both have asked.
  for (let turn = 0; turn < 3; turn++) await nextTurn()
  await one?.cache.close()
  expect(await asked[1]).toEqual(values)
  expect(other?.cache.remote?.stats()).toMatchObject({ errors: 0, breaker: 'closed' })
  expect(await asked[0]).toEqual(values)
  await other?.cache.close()
})

test('all know when one finds that the remote is down', async () => {
  const all = plugins(`http://127.0.0.1:${await freePort()}`, 3, reader)
  for (const { askAll } of all) expect(await askAll()).toEqual(values)
  const counts = all.map(({ cache }) => cache.remote?.stats())
  expect(counts.map(each => each?.errors)).toEqual([30, 0, 0])
  expect(counts.map(each => each?.skipped)).toEqual([0, 30, 30])
})

test('remotes with different tokens share nothing', async () => {
  const server = await memoryServer()
  const tree = new Tree({ 'a/package.json': '{}', 'a/x.js': 'x' })
  for (const token of ['one', 'two']) {
    const { cache } = openIn(tree.at('cache'), { remote: { url: server.url, token, ...reader } })
    await cache
      .namespace(`of ${token}`, { project: tree.at('a') })
      .analyze('text', tree.at('a/x.js'), ctx => ctx.source)
  }
  expect(server.requests.map(({ authorization }) => authorization)).toEqual(['Bearer one', 'Bearer two'])
})
