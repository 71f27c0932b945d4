// The unstorage driver in the configuration of a real Nitro server, as docs/hosts/unstorage.md shows it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blocksOf } from '../support/documents.js'
import { Project } from './support.js'

const page = join(import.meta.dirname, '..', '..', 'docs', 'hosts', 'unstorage.md')
const CONFIG = blocksOf('docs/hosts/unstorage.md', readFileSync(page, 'utf8')).find(
  ({ comment }) => comment === 'host: nitro.config.mjs',
)?.text as string
const ROUTE = `
import { randomUUID } from 'node:crypto'
export default defineEventHandler(async () => {
  const storage = useStorage('answers')
  const known = await storage.getItem('answer')
  if (known) return known
  const answer = { id: randomUUID() }
  await storage.setItem('answer', answer, { ttl: 3600 })
  return answer
})`
const ASK = `
import { once } from 'node:events'
import { createServer } from 'node:http'
import { listener } from './.output/server/index.mjs'
const server = createServer(listener).listen(0)
await once(server, 'listening')
const response = await fetch('http://localhost:' + server.address().port)
console.log(response.status, await response.text())
process.exit()`

test('a second server finds what the first one stored', async () => {
  const project = new Project({ 'nitro.config.mjs': CONFIG, 'routes/index.js': ROUTE, 'ask.mjs': ASK })
  await project.node(['node_modules/nitropack/dist/cli/index.mjs', 'build'])
  const first = await project.node(['ask.mjs'])
  expect(first).toMatch(/^200 \{"id":".{36}"\}$/m)
  expect(await project.node(['ask.mjs'])).toBe(first)
  expect(project.counts()).toEqual({ hits: 1, misses: 1 })
})
