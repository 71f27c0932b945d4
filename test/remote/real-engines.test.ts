// Two machines with a real engine between them that rejects requests, hangs, dies or evicts.

import { describe, expect, test } from 'vitest'
import type { RemoteOptions } from '../../src/index.js'
import { runModule } from '../support/children.js'
import { nginx, redisServer, startNginx, startRedis } from './engines.js'
import { type Machine, reader, Team, writer } from './machines.js'

const FILES = Object.fromEntries(
  Array.from({ length: 200 }, (_, at) => [`src/${at}.js`, `export const v${at} = '${'x'.repeat(at * 7)}'`]),
)

const analyzeAll = (machine: Machine, name = 'outline') =>
  Promise.all(
    Object.keys(FILES).map(file =>
      machine.entries.analyze(name, machine.at(file), ctx => ({ text: ctx.source, length: ctx.bytes.length }), {
        onResult: machine.onResult,
      }),
    ),
  )

async function filled(team: Team, remote: RemoteOptions, name?: string) {
  const machine = team.machine({ ...writer, ...remote })
  const values = await analyzeAll(machine, name)
  await machine.opened.cache.close()
  return { values, machine, warnings: machine.opened.warnings }
}

async function read(team: Team, remote: RemoteOptions, name?: string) {
  const machine = team.machine({ ...reader, ...remote })
  const values = await analyzeAll(machine, name)
  const stats = machine.remote.stats()
  return { values, stats, machine, warnings: machine.opened.warnings, computed: machine.computedCount }
}

describe.skipIf(redisServer === undefined)('Redis', () => {
  test('gives one machine the results of another, byte for byte', async () => {
    const { port } = await startRedis()
    const team = new Team(FILES)
    const { values } = await filled(team, { url: `redis://127.0.0.1:${port}` })
    const found = await read(team, { url: `redis://127.0.0.1:${port}` })
    expect(found.values).toEqual(values)
    expect({ computed: found.computed, hits: found.stats.hits }).toEqual({ computed: 0, hits: 200 })
  })

  test('accepts a password in the URL or as the token', async () => {
    const { port } = await startRedis(['requirepass "pass word"'])
    const team = new Team(FILES)
    const url = `redis://127.0.0.1:${port}`
    await filled(team, { url, token: 'pass word' })
    const outcomes = []
    for (const remote of [{ url, token: 'pass word' }, { url: `redis://:pass%20word@127.0.0.1:${port}` }]) {
      const { computed, warnings } = await read(team, remote)
      outcomes.push([computed, warnings.length])
    }
    expect(outcomes).toEqual([
      [0, 0],
      [0, 0],
    ])
    for (const remote of [{ url, token: 'secret-guess' }, { url }]) {
      const { computed, warnings } = await read(team, remote)
      expect(computed).toBe(200)
      expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_REMOTE'])
      expect(warnings[0]?.message).toMatch(/WRONGPASS|NOAUTH/)
      expect(warnings[0]?.message).not.toContain('secret-guess')
    }
  })

  test('lets one user read and write, and another only read', async () => {
    const { port } = await startRedis([
      'user default off',
      'user ci on >ci ~wicked-cache:* +@all',
      'user pr on >pr ~wicked-cache:* +mget',
    ])
    const team = new Team(FILES)
    const urlOf = (user: string) => `redis://${user}:${user}@127.0.0.1:${port}`
    const asReader = await filled(team, { url: urlOf('pr') })
    expect(asReader.warnings).toEqual([])
    await filled(team, { url: urlOf('ci') })
    const { computed, warnings } = await read(team, { url: urlOf('pr') })
    expect({ computed, warnings }).toEqual({ computed: 0, warnings: [] })
  })

  test('can be used through TLS', async () => {
    const { tlsPort, certificate } = await startRedis([], true)
    const team = new Team({ ...FILES, 'a.js': 'a' })
    team.machine(undefined)
    team.machine(undefined)
    const code = `
      process.chdir(args.project)
      const cache = library.openCacheSync({ dir: args.dir, onWarning })
      const results = []
      await cache.namespace('tool').analyze('text', 'a.js', ctx => ctx.source, { onResult: result => results.push(result) })
      await cache.close()
      print(String(results[0].isHit))`
    const hits = []
    for (const machine of ['machine-1', 'machine-2']) {
      const args = { dir: team.tree.at(`${machine}/cache`), project: team.tree.at(`${machine}/deep/checkout`) }
      const env = {
        NODE_EXTRA_CA_CERTS: certificate,
        WICKED_CACHE_REMOTE: `rediss://localhost:${tlsPort}`,
        WICKED_CACHE_REMOTE_MODE: 'readwrite',
        WICKED_CACHE_REMOTE_SIGNING_KEY: writer.signingKey,
      }
      const { lines, stderr } = await runModule(code, args, { env })
      hits.push(lines[0])
      expect(stderr).toBe('')
    }
    expect(hits).toEqual(['false', 'true'])
    // Without its certificate, there is no remote.
    const { stats, computed } = await read(team, { url: `rediss://localhost:${tlsPort}` })
    expect({ hits: stats.hits, computed }).toEqual({ hits: 0, computed: 200 })
  })

  test('that is stopped costs one timeout, and is used again when it continues', async () => {
    const { port, child } = await startRedis()
    const team = new Team(FILES)
    const url = `redis://127.0.0.1:${port}`
    await filled(team, { url })
    child.kill('SIGSTOP')
    const stopped = await read(team, { url, timeouts: { read: 200 } })
    expect(stopped.computed).toBe(200)
    expect(stopped.stats).toMatchObject({ hits: 0, breaker: 'open' })
    child.kill('SIGCONT')
    expect((await read(team, { url })).computed).toBe(0)
    const ended = new Promise(resolve => child.on('exit', resolve))
    child.kill('SIGKILL')
    await ended
    const dead = await read(team, { url })
    expect({ computed: dead.computed, warnings: dead.warnings }).toEqual({ computed: 200, warnings: [] })
  })

  test('that dies during uploads loses only these', async () => {
    const { port, child } = await startRedis()
    const team = new Team(FILES)
    const machine = team.machine({ ...writer, url: `redis://127.0.0.1:${port}` })
    const values = analyzeAll(machine)
    child.kill('SIGKILL')
    expect(await values).toHaveLength(200)
    await machine.opened.cache.close()
    expect(machine.opened.warnings).toEqual([])
    const again = machine.again(undefined)
    await analyzeAll(again)
    expect(again.computedCount).toBe(0)
  })

  test('that evicts or is full causes misses', async () => {
    const team = new Team(FILES)
    for (const policy of ['allkeys-lru', 'noeviction']) {
      const { port } = await startRedis(['maxmemory 1100kb', `maxmemory-policy ${policy}`])
      const url = `redis://127.0.0.1:${port}`
      const { warnings } = await filled(team, { url }, policy)
      expect(warnings).toEqual([])
      const found = await read(team, { url }, policy)
      expect(found.values.map(({ length }) => length)).toEqual(Object.values(FILES).map(({ length }) => length))
      expect(found.warnings).toEqual([])
    }
  })
})

describe.skipIf(nginx === undefined)('nginx with WebDAV', () => {
  test('gives one machine the results of another, byte for byte', async () => {
    const { url } = await startNginx()
    const team = new Team(FILES)
    const { values } = await filled(team, { url })
    const found = await read(team, { url })
    expect(found.values).toEqual(values)
    expect({ computed: found.computed, hits: found.stats.hits }).toEqual({ computed: 0, hits: 200 })
  })

  test('can be read without a password on a read-only port', async () => {
    const { url, readPort } = await startNginx()
    const team = new Team(FILES)
    const readUrl = `http://127.0.0.1:${readPort}/cache`
    expect((await filled(team, { url: readUrl })).warnings).toEqual([])
    await filled(team, { url })
    const found = await read(team, { url: readUrl })
    expect({ computed: found.computed, warnings: found.warnings }).toEqual({ computed: 0, warnings: [] })
  })

  test('rejects a wrong password and too large objects', async () => {
    const { url } = await startNginx()
    const team = new Team({ ...FILES, large: '' })
    const wrong = await read(team, { url: url.replace('secret', 'wrong-guess') })
    expect(wrong.computed).toBe(200)
    expect(wrong.warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_REMOTE'])
    expect(wrong.warnings[0]?.message).not.toContain('wrong-guess')

    const machine = team.machine({ ...writer, url, maxObject: '4MB' })
    const noise = Array.from({ length: 120_000 }, (_, at) => Math.sin(at))
    await machine.entries.analyze('large', machine.at('large'), () => noise)
    await machine.entries.analyze('small', machine.at('large'), () => 1)
    const { remote } = machine
    await machine.opened.cache.close()
    expect(remote.stats()).toMatchObject({ uploads: 1, dropped: 1, breaker: 'closed' })
    expect(machine.opened.warnings).toEqual([])
  })

  test('that has exited causes misses', async () => {
    const { url, child } = await startNginx()
    const team = new Team(FILES)
    await filled(team, { url })
    const workers = await read(team, { url })
    expect(workers.computed).toBe(0)
    const ended = new Promise(resolve => child.on('exit', resolve))
    child.kill('SIGTERM')
    await ended
    const dead = await read(team, { url })
    expect({ computed: dead.computed, warnings: dead.warnings }).toEqual({ computed: 200, warnings: [] })
  })
})
