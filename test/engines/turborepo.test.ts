// A Turborepo cache server as the remote.

import { expect, test } from 'vitest'
import type { RemoteOptions } from '../../src/index.js'
import { reader, smallSources, Team, writer } from '../remote/machines.js'
import { startTurborepo } from './servers.js'

const FILES = smallSources(100)

async function run(team: Team, remote: RemoteOptions) {
  const machine = team.machine(remote)
  expect(await machine.sourcesOf(FILES)).toEqual(Object.values(FILES))
  await machine.opened.cache.close()
  return { computed: machine.computedCount, codes: machine.opened.warnings.map(({ code }) => code) }
}

test('machines share results through it, and a wrong token is rejected', async () => {
  const { url, token } = await startTurborepo()
  const team = new Team(FILES)
  expect(await run(team, { url, token, ...writer })).toEqual({ computed: 100, codes: [] })
  expect(await run(team, { url, token, ...reader })).toEqual({ computed: 0, codes: [] })
  const refused = await run(team, { url, token: 'wrong', ...reader })
  expect(refused).toEqual({ computed: 100, codes: ['ERR_CACHE_REMOTE'] })
  // Another team of the same server has nothing yet.
  const other = await run(team, { url: url.replace('teamId=team', 'teamId=other'), token, ...reader })
  expect(other).toEqual({ computed: 100, codes: [] })
})

test('if it is read-only, machines keep reading', async () => {
  const { url, token } = await startTurborepo({ READ_ONLY: 'true' })
  const team = new Team(FILES)
  expect(await run(team, { url, token, ...writer })).toEqual({ computed: 100, codes: [] })
})
