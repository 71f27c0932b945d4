// A remote that returns arbitrary objects never causes a wrong result or an exception.

import { expect, test } from 'vitest'
import type { RemoteAdapter, RemoteOptions } from '../../src/index.js'
import { randomFrom } from '../support/random.js'
import { keys, otherKeys, reader, smallSources, Team, writer } from './machines.js'

/** Keeps what is stored, and answers as it likes. */
class HostileStore implements RemoteAdapter {
  readonly objects = new Map<string, Uint8Array>()
  answer: (name: string, stored: Uint8Array | undefined) => unknown = (_, stored) => stored

  async getMany(names: readonly string[]) {
    return names.map(name => this.answer(name, this.objects.get(name))) as (Uint8Array | undefined)[]
  }

  async put(name: string, bytes: Uint8Array) {
    this.objects.set(name, Uint8Array.from(bytes))
  }

  close() {
    return undefined
  }
}

const FILES = smallSources(40)

/** What each analysis should give, and what it gave. */
async function askAll(team: Team, remote: RemoteOptions) {
  const machine = team.machine(remote)
  const wrong: unknown[] = []
  const ask = async (file: string) => {
    const value = await machine.entries.analyze('text', machine.at(file), ctx => ctx.source, {
      onResult: machine.onResult,
    })
    if (value !== FILES[file]) wrong.push({ file, value })
  }
  await Promise.all(Object.keys(FILES).map(ask))
  const total = await machine.entries.getOrSet(
    'total',
    ctx => ctx.glob('src/*.js', { cwd: machine.project }).map(file => ctx.readFile(machine.at(file)).length),
    { onResult: machine.onResult },
  )
  expect(total).toEqual(
    Object.keys(FILES)
      .sort()
      .map(file => FILES[file]?.length),
  )
  expect(wrong).toEqual([])
  const stats = machine.remote.stats()
  await machine.opened.cache.close()
  return { stats, machine, warnings: machine.opened.warnings }
}

async function filledStore(team: Team, options: RemoteOptions = writer) {
  const store = new HostileStore()
  await askAll(team, { adapter: store, ...options })
  expect(store.objects.size).toBeGreaterThan(40)
  return store
}

test('objects with other names or keys and damaged objects are rejected, each with its reason', async () => {
  const team = new Team(FILES)
  const store = await filledStore(team)
  const forged = await filledStore(team, { ...writer, signingKey: otherKeys.signingKey })
  const all = [...store.objects.values()]
  const cases: [string, HostileStore['answer'], string][] = [
    ['another object', () => all[3], 'wrong-name'],
    ['of another key', name => forged.objects.get(name), 'unknown-key'],
    ['cut', (_, stored) => stored?.subarray(0, stored.length - 1), 'truncated'],
    ['a page', () => Buffer.from('<html>'), 'no-envelope'],
    ['large', () => Buffer.alloc(2 ** 20 + 1), 'too-large'],
  ]
  for (const [what, answer, reason] of cases) {
    store.answer = answer
    const { stats, machine } = await askAll(team, { adapter: store, ...reader })
    const rejected = stats.rejected[reason] ?? 0
    expect({ what, rejected: rejected >= 40, hits: stats.hits <= 1 }).toEqual({ what, rejected: true, hits: true })
    expect(machine.computedCount).toBeGreaterThanOrEqual(40)
  }
})

test.each(['signed', 'store'] as const)(
  'random objects never cause a wrong result or an exception, with trust: %s',
  async trust => {
    const team = new Team(FILES)
    const store = await filledStore(team)
    const all = [...store.objects.values()]
    for (let seed = 1; seed <= 12; seed++) {
      const pick = randomFrom(seed)
      store.answer = (_, stored) => {
        const object = Uint8Array.from((pick(2) === 0 ? stored : all[pick(all.length)]) ?? [])
        const answers = [
          () => undefined,
          () => null,
          () => 'a text',
          () => 7,
          () => object,
          () => object.subarray(0, pick(object.length)),
          () => Buffer.concat([object, object]),
          () => Buffer.from(Array.from({ length: pick(300) }, () => pick(256))),
          () => {
            // Within what the signature covers. Whoever trusts the store believes what is said well.
            const at = trust === 'signed' ? pick(object.length) : pick(64)
            object[at] = (object[at] ?? 0) ^ (1 << pick(8))
            return object
          },
        ]
        return answers[pick(answers.length)]?.()
      }
      const { warnings } = await askAll(team, { adapter: store, trust, ...reader })
      expect({ seed, warnings }).toEqual({ seed, warnings: [] })
    }
  },
)

test('a replayed signed result of an earlier state is checked against this checkout', async () => {
  const team = new Team({ config: 'old' })
  const store = new HostileStore()
  const ask = (machine: ReturnType<typeof team.machine>) =>
    machine.entries.getOrSet('config', ctx => ctx.readFile(machine.at('config')))
  const a = team.machine({ adapter: store, ...writer })
  await ask(a)
  await a.opened.cache.close()
  const b = team.machine({ adapter: store, ...reader })
  b.write({ config: 'new' })
  expect(await ask(b)).toBe('new')
  expect(b.remote.stats()).toMatchObject({ hits: 0, rejected: {} })
})

test.each([
  ['rejects', () => Promise.reject(new Error('secret'))],
  [
    'throws',
    () => {
      throw new TypeError('secret')
    },
  ],
  ['returns no list', async () => ({ length: 1e9 })],
  ['returns too few objects', async () => []],
  ['never answers', () => new Promise(() => undefined)],
] as [string, RemoteAdapter['getMany']][])('an adapter that %s costs one timeout', async (_, getMany) => {
  const team = new Team(FILES)
  let calls = 0
  const adapter: RemoteAdapter = {
    getMany: (names, signal) => {
      calls++
      return getMany(names, signal)
    },
    put: () => Promise.reject(new Error('secret')),
    close: () => new Promise(() => undefined),
  }
  const machine = team.machine({ adapter, ...writer, keys: [keys.publicKey], timeouts: { read: 50, upload: 50 } })
  for (const file of Object.keys(FILES)) {
    const value = await machine.entries.analyze('text', machine.at(file), ctx => ctx.source)
    expect(value).toBe(FILES[file])
  }
  await machine.opened.cache.close()
  expect(machine.opened.warnings).toEqual([])
  expect(calls).toBeLessThanOrEqual(getMany.toString().includes('[]') ? 100 : 1)
})
