// PostgreSQL through Keyv as the remote.

import { expect, test } from 'vitest'
import { closed, describeAdapters } from '../remote/contract.js'
import { reader, smallSources, Team, writer } from '../remote/machines.js'
import { runModule } from '../support/children.js'
import { postgres, postgresAdapter, startPostgres } from './servers.js'

const FILES = smallSources(100)

describeAdapters([
  ['PostgreSQL through Keyv', postgres !== undefined, async () => closed(postgresAdapter((await startPostgres()).url))],
])

async function run(team: Team, url: string, options: object) {
  const machine = team.machine({ adapter: postgresAdapter(url), ...options })
  expect(await machine.sourcesOf(FILES)).toEqual(Object.values(FILES))
  const stats = machine.remote.stats()
  await machine.opened.cache.close()
  expect(machine.opened.warnings).toEqual([])
  return { computed: machine.computedCount, stats }
}

test.skipIf(!postgres)('another machine gets all results; a stopped or dead server costs one timeout', async () => {
  const { url, child } = await startPostgres()
  const team = new Team(FILES)
  expect((await run(team, url, writer)).computed).toBe(100)
  expect((await run(team, url, reader)).computed).toBe(0)

  child.kill('SIGSTOP')
  const stopped = await run(team, url, { ...reader, timeouts: { read: 300 } })
  expect(stopped).toMatchObject({ computed: 100, stats: { hits: 0, breaker: 'open' } })
  child.kill('SIGCONT')
  expect((await run(team, url, reader)).computed).toBe(0)

  const ended = new Promise(resolve => child.on('exit', resolve))
  child.kill('SIGQUIT')
  await ended
  const dead = await run(team, url, { ...reader, timeouts: { read: 300 } })
  expect(dead).toMatchObject({ computed: 100, stats: { hits: 0, breaker: 'open' } })
})

test.skipIf(!postgres)('a process exits after closing its cache, even if Keyv keeps connections', async () => {
  const { url } = await startPostgres()
  const team = new Team({ 'a.js': 'a' })
  const machine = team.machine(undefined)
  const modules = ['keyv', '@keyv/postgres'].map(name => import.meta.resolve(name))
  const code = `
    const [{ default: Keyv }, { default: KeyvPostgres }] = await Promise.all(args.modules.map(each => import(each)))
    const adapter = library.fromKeyv(new Keyv(new KeyvPostgres(args.url)))
    process.chdir(args.project)
    const cache = library.openCacheSync({ dir: args.dir, onWarning, remote: { adapter, mode: 'readwrite', trust: 'store' } })
    await cache.namespace('tool').analyze('text', 'a.js', ctx => ctx.source)
    await cache.close()
    print(JSON.stringify(cache.dir))`
  const args = { modules, url, project: machine.project, dir: team.tree.at('another-cache') }
  const { lines, stderr } = await runModule(code, args)
  expect(lines).toHaveLength(1)
  expect(stderr).toBe('')
  expect((await run(new Team(FILES), url, writer)).computed).toBe(100)
})
