// Two machines as the network knows them: namespaces of Linux with 20 ms between them, and one packet of a hundred lost. Needs
// root. The kernel delays packets where it can (netem); else a proxy does, and iptables loses them.

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { engine, programOf, redisServer } from '../remote/engines.js'
import { PATIENT, reader, smallSources, Team, writer } from '../remote/machines.js'
import { temporaryDirectory } from '../support/caches.js'
import { runModule, startModule } from '../support/children.js'

const COUNT = 1_000
const PORT = 6380
const NEAR = '10.213.77.1'
const FAR = '10.213.77.2'
const FILES = smallSources(COUNT)

const ip = programOf('ip')
const iptables = programOf('iptables')

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Two namespaces with a cable between them; undefined where this process may not make any. */
function namespaces(): { near: string; far: string; isDelayed: boolean } | undefined {
  const [near, far] = ['near', 'far'].map(each => `wicked-${process.pid}-${each}`) as [string, string]
  if (!ip || !succeeds(ip, ['netns', 'add', near])) return undefined
  onTestFinished(() => {
    for (const each of [near, far]) succeeds(ip, ['netns', 'del', each])
  })
  const isMade =
    succeeds(ip, ['netns', 'add', far]) &&
    succeeds(ip, ['-n', near, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', far])
  if (!isMade) return undefined
  for (const [name, address] of [
    [near, NEAR],
    [far, FAR],
  ] as const) {
    execFileSync(ip, ['-n', name, 'address', 'add', `${address}/24`, 'dev', 'cable'])
    for (const link of ['cable', 'lo']) execFileSync(ip, ['-n', name, 'link', 'set', link, 'up'])
  }
  const netem = ['qdisc', 'add', 'dev', 'cable', 'root', 'netem', 'delay', '10ms', 'loss', '1%']
  const isDelayed = [near, far].every(name => succeeds('tc', ['-n', name, ...netem]))
  const lose = [
    '-A',
    'INPUT',
    '-i',
    'cable',
    '-m',
    'statistic',
    '--mode',
    'random',
    '--probability',
    '0.01',
    '-j',
    'DROP',
  ]
  const isLossy =
    isDelayed || [near, far].every(name => iptables && succeeds(ip, ['netns', 'exec', name, iptables, ...lose]))
  return isLossy ? { near, far, isDelayed } : undefined
}

/** Delays what goes to Redis and comes from it, by 10 ms each way. */
const PROXY = `
  const { connect, createServer } = await import('node:net')
  const late = (to, chunk) => setTimeout(() => to.write(chunk), args.delayMs)
  createServer(client => {
    const store = connect(args.port, '127.0.0.1')
    for (const [from, to] of [[client, store], [store, client]]) {
      from.setNoDelay(true)
      from.on('data', chunk => late(to, chunk))
      from.on('error', () => undefined)
      from.on('close', () => to.destroy())
    }
  }).listen(args.port, args.address, () => print('ready'))
`

/** A machine of the team, as a process in the near namespace. */
const MACHINE = `
  process.chdir(args.project)
  const cache = library.openCacheSync({ dir: args.dir, onWarning, remote: args.remote })
  const entries = cache.namespace('tool')
  let hits = 0
  const onResult = ({ isHit }) => void (hits += isHit ? 1 : 0)
  const values = await Promise.all(args.files.map(file => entries.analyze('text', file, ctx => ctx.source, { onResult })))
  const { remote } = cache
  await cache.close()
  print(JSON.stringify({ values, hits, stats: remote.stats() }))
`

test.skipIf(!redisServer)('two machines share results over a slow network with packet loss', async () => {
  const made = namespaces()
  if (!made) {
    process.stdout.write('Skipped: network namespaces need root, ip, and netem or iptables.\n')
    return
  }
  const { near, far, isDelayed } = made
  const directory = join(temporaryDirectory(), 'redis')
  mkdirSync(directory)
  const address = isDelayed ? FAR : '127.0.0.1'
  const config = ['--port', `${PORT}`, '--bind', address, '--protected-mode', 'no', '--save', '', '--dir', directory]
  engine(ip as string, ['netns', 'exec', far, redisServer as string, ...config])
  const under = (name: string) => [ip as string, 'netns', 'exec', name]
  if (!isDelayed) {
    const proxy = startModule(PROXY, { port: PORT, address: FAR, delayMs: 10 }, { under: under(far) })
    expect(await proxy.line()).toBe('ready')
  }
  const team = new Team(FILES)
  const run = async (remote: object) => {
    const machine = team.machine(undefined)
    const args = {
      dir: team.tree.at(`${machine.name}/cache`),
      project: machine.project,
      files: Object.keys(FILES),
      remote: { url: `redis://${FAR}:${PORT}`, timeouts: PATIENT, ...remote },
    }
    const { lines, stderr } = await runModule(MACHINE, args, { under: under(near) })
    expect(stderr).toBe('')
    const { values, ...others } = JSON.parse(lines[0] ?? '')
    expect(values).toEqual(Object.values(FILES))
    return others
  }
  expect(await run(writer)).toMatchObject({ hits: 0, stats: { uploads: COUNT, errors: 0 } })
  const found = await run(reader)
  expect(found).toMatchObject({ hits: COUNT, stats: { hits: COUNT, errors: 0, rejected: {} } })
  expect(found.stats.p50).toBeGreaterThanOrEqual(19)
})
