// Machines that share a remote give the same results as without a cache, even if the remote returns arbitrary objects.

import { expect, test } from 'vitest'
import type { RemoteOptions } from '../../src/index.js'
import { createRemoteKeys } from '../../src/remote/keys.js'
import { type MemoryServer, memoryServer } from '../remote/http-servers.js'
import { randomFrom } from '../support/random.js'
import { counting, inRounds } from '../support/torture.js'
import { createProgram } from './generate.js'
import { PORTABLE_HANDLES } from './generate-questions.js'
import type { MachineOptions, Played } from './player.js'
import type { Phase, Program } from './program.js'
import { Runner } from './runner.js'

const count = counting()
const SHRINKING_MS = 60_000
const TIMEOUT_MS = (Number(process.env.TORTURE_MINUTES) || 0) * 60_000 + 4 * SHRINKING_MS
/** Times that a busy machine keeps: what is asked for again and again here is how answers are used. */
const timeouts = { connect: 20_000, read: 30_000, upload: 30_000 }
const keys = createRemoteKeys()
const writer = { mode: 'readwrite', signingKey: keys.signingKey, keys: [], timeouts } as const satisfies RemoteOptions
const reader = { mode: 'read', keys: [keys.publicKey], timeouts } as const satisfies RemoteOptions

/** For a machine with a remote: `clear` forgets what this machine has alone, and not what it has stored for others. */
function withoutClear(phase: Phase): Phase {
  const voids = phase.do === 'flight' || phase.do === 'void'
  return voids && phase.operation === 'clear' ? { ...phase, operation: 'delete' } : phase
}

/**
 * For a machine that asks what others have computed: the phases that look for what the library wasn't told of would find what
 * these were not told of. All but single ticks is asked asynchronously: synchronous calls ask no store.
 */
function anotherMachine({ phases, ...program }: Program): Program {
  const kept = phases.filter(({ do: kind }) => !['flight', 'void', 'late'].includes(kind))
  const text = JSON.stringify({ ...program, phases: kept }).replaceAll('"isSync":true', '"isSync":false')
  return JSON.parse(text) as Program
}

/** Some phases of it come before others, so that it meets other states of its files. */
function inAnotherOrder({ phases, ...program }: Program, seed: number): Program {
  const below = randomFrom(seed)
  const isFirst = phases.map(() => below(2) === 0)
  return { ...program, phases: [...phases.filter((_, at) => isFirst[at]), ...phases.filter((_, at) => !isFirst[at])] }
}

async function play(runner: Runner, what: string, program: Program, machine: MachineOptions): Promise<Played> {
  try {
    const played = await runner.play(program, machine)
    count('questions', played.questions)
    count('rejected answers', played.remote.rejected)
    return played
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error })
  }
}

/** Three machines, one after the other. What they have asked and given in all. */
async function playTeam(runner: Runner, seed: number, url: string): Promise<Played['remote'][]> {
  const program = createProgram(seed, PORTABLE_HANDLES)
  const played: Played[] = []
  const machines: [string, Program, RemoteOptions][] = [
    ['the first machine', { ...program, phases: program.phases.map(withoutClear) }, writer],
    ['the second machine', inAnotherOrder(anotherMachine(program), seed), writer],
    ['a reader', anotherMachine(program), reader],
  ]
  for (const [what, own, remote] of machines) {
    // Each begins when the one before it has ended, so that nothing is older than it seems.
    const endMs = played.at(-1)?.endMs
    const machine = { remote: { ...remote, url }, ...(endMs !== undefined && { beginMs: endMs }) }
    played.push(await play(runner, what, own, machine))
  }
  count('programs')
  const remotes = played.map(({ remote }) => remote)
  count('answers of other machines', (remotes[1]?.hits ?? 0) + (remotes[2]?.hits ?? 0))
  return remotes
}

test('machines that share a remote give the same results as each alone', { timeout: TIMEOUT_MS }, async () => {
  const runner = new Runner()
  let hits = 0
  await inRounds({ short: 2, share: 0.05 }, async seed => {
    const server = await memoryServer()
    const remotes = await playTeam(runner, seed, server.url)
    hits += remotes.reduce((sum, each) => sum + each.hits, 0)
    expect(remotes.map(({ rejected }) => rejected)).toEqual([0, 0, 0])
    await closed(server)
  })
  expect(hits).toBeGreaterThan(0)
})

test('a remote that returns arbitrary objects never causes a wrong result', { timeout: TIMEOUT_MS }, async () => {
  const runner = new Runner()
  let rejected = 0
  await inRounds({ short: 2, share: 0.05 }, async seed => {
    const server = await hostileServer(seed)
    for (const remote of await playTeam(runner, seed, server.url)) rejected += remote.rejected
    await closed(server)
  })
  expect(rejected).toBeGreaterThan(0)
})

/** Keeps all that was ever stored, and gives any of it for any name: whole, cut, changed, twice; or something else. */
async function hostileServer(seed: number): Promise<MemoryServer> {
  const server = await memoryServer()
  const below = randomFrom(seed)
  const all: Buffer[] = []
  const earlier = new Map<string, Buffer[]>()
  server.interfere = ({ method, url: path = '' }, response) => {
    if (method === 'PUT') {
      response.on('finish', () => {
        const stored = server.objects.get(path) as Buffer
        all.push(stored)
        earlier.set(path, [...(earlier.get(path) ?? []), stored])
      })
      return false
    }
    const of = (objects: readonly Buffer[] = []) => objects[below(Math.max(1, objects.length))] ?? Buffer.alloc(0)
    const own = below(3) > 0 ? of(earlier.get(path)) : of(all)
    const answers: (() => Buffer)[] = [
      () => own,
      () => own,
      () => own.subarray(0, below(own.length + 1)),
      () => Buffer.concat([own, own]),
      () => changed(own, below),
      () => Buffer.from(Array.from({ length: below(400) }, () => below(256))),
    ]
    const answer = answers[below(answers.length + 1)]?.()
    response.writeHead(answer ? 200 : 404).end(answer)
    return true
  }
  return server
}

function changed(object: Buffer, below: (limit: number) => number): Buffer {
  const copy = Buffer.from(object)
  const at = below(copy.length + 1)
  if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << below(8))
  return copy
}

function closed({ server }: MemoryServer): Promise<void> {
  server.closeAllConnections()
  return new Promise(resolve => server.close(() => resolve()))
}
