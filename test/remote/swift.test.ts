// The S3 interface of OpenStack Swift, which checks the signature of each request.

import { expect, test } from 'vitest'
import { reader, Team, writer } from './machines.js'
import { CREDENTIALS, startSwift, swift } from './swift.js'

const FILES = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`src/${at}.js`, `v${at}`]))

test.skipIf(!swift)('two machines share results through the S3 interface of Swift', { timeout: 180_000 }, async () => {
  const endpoint = await startSwift('team')
  const url = `s3://team/a%20prefix/(of)?region=us-east-1&endpoint=${endpoint}`
  const team = new Team(FILES)
  const variables = { AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey }
  const run = async (remote: object, env: Record<string, string>) => {
    Object.assign(process.env, env)
    const machine = team.machine({ url, ...reader, ...remote })
    try {
      await Promise.all(
        Object.entries(FILES).map(async ([file, content]) => {
          const options = { onResult: machine.onResult }
          expect(await machine.entries.analyze('text', machine.at(file), ctx => ctx.source, options)).toBe(content)
        }),
      )
      await machine.opened.cache.close()
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name]
    }
    return { computed: machine.computedCount, codes: machine.opened.warnings.map(({ code }) => code) }
  }
  expect(await run(writer, variables)).toEqual({ computed: 50, codes: [] })
  expect(await run({}, variables)).toEqual({ computed: 0, codes: [] })
  const refused = await run({}, { ...variables, AWS_SECRET_ACCESS_KEY: 'wrong' })
  expect(refused).toEqual({ computed: 50, codes: ['ERR_CACHE_REMOTE'] })
})
