// Node and Python processes use the same namespaces at once, and some are killed. Each sets and removes its own keys and reads
// those of all others.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { type Child, startModule } from '../support/children.js'
import { python, startPython } from '../support/python.js'
import { printedSeed, randomFrom } from '../support/random.js'

const KINDS = ['node', 'python'] as const
const PROCESSES = 4
const STEPS = 60
const KILLS = 4
/** Of answers, between one kill and the next. */
const ANSWERS_BETWEEN = 60
const NAMESPACES = ['shared', 'repo:{owner}/{repo}']
const KEYS = 3

// Both programs do the same. A value has its key and the number of its set, which never goes back.
const PYTHON = `
import json, random, sys
from cache import namespace
me, others, steps, seed, names, keys = json.loads(sys.argv[1])
chance = random.Random(seed)
caches = [namespace(name) for name in names]
latest = {}
for number in range(1, steps + 1):
    space = chance.randrange(len(caches))
    cache = caches[space]
    key = f"{me} {chance.randrange(keys)}"
    kind = chance.random()
    if kind < 0.6:
        cache.set(key, {"key": key, "number": number, "text": "x" * chance.randrange(2000)}, ttl=600 if kind < 0.3 else None)
        print(json.dumps([space, key, number, "set"]), flush=True)
    elif kind < 0.75:
        cache.invalidate(key)
        print(json.dumps([space, key, number, "removed"]), flush=True)
    key = f"{chance.randrange(others)} {chance.randrange(keys)}"
    value = cache.get(key)
    if value is not None:
        assert value["key"] == key, (key, value)
        assert value["number"] >= latest.get((space, key), 0), (key, value, latest)
        latest[space, key] = value["number"]
`
const NODE = `
import assert from 'node:assert'
const [me, others, steps, seed, names, keys] = args
let state = seed
const chance = () => (state = (state * 48271) % 2147483647) / 2147483647
const pick = count => Math.floor(chance() * count)
const cache = await library.openCache({ onWarning })
const spaces = names.map(name => cache.namespace(name, { project: false }))
const latest = new Map()
for (let number = 1; number <= steps; number++) {
  const space = pick(spaces.length)
  const own = me + ' ' + pick(keys)
  const kind = chance()
  if (kind < 0.6) {
    const value = { key: own, number, text: 'x'.repeat(pick(2000)) }
    assert(spaces[space].set(own, value, kind < 0.3 ? { ttl: '10m' } : {}))
    print(JSON.stringify([space, own, number, 'set']))
  } else if (kind < 0.75) {
    spaces[space].invalidate(own)
    print(JSON.stringify([space, own, number, 'removed']))
  }
  const key = pick(others) + ' ' + pick(keys)
  const value = spaces[space].get(key)
  if (value !== undefined) {
    assert.equal(value.key, key)
    const id = space + key
    assert(value.number >= (latest.get(id) ?? 0), id)
    latest.set(id, value.number)
  }
  await new Promise(resolve => setImmediate(resolve))
}
cache.close()
`

interface Member {
  id: number
  kind: (typeof KINDS)[number]
  child: Child
  isKilled: boolean
}

test.skipIf(python === undefined)('every result is correct, and nothing acknowledged is lost', async () => {
  const seed = printedSeed('Node and Python processes')
  const random = randomFrom(seed)
  const dir = join(temporaryDirectory(), 'cache')
  const env = { WICKED_CACHE_DIR: dir }
  const all = 2 * PROCESSES + KILLS
  const members: Member[] = []
  const begin = (kind: Member['kind']) => {
    const id = members.length
    const args = [id, all, STEPS, 1 + ((seed + id) % 2147483646), NAMESPACES, KEYS]
    const child = kind === 'node' ? startModule(NODE, args, { env }) : startPython(PYTHON, env, [JSON.stringify(args)])
    const member = { id, kind, child, isKilled: false }
    members.push(member)
    return member
  }
  for (let i = 0; i < PROCESSES; i++) for (const kind of KINDS) begin(kind)

  const answerCount = () => members.reduce((sum, { child }) => sum + child.lines.length, 0)
  const living = () =>
    members.filter(({ child }) => child.process.exitCode === null && child.process.signalCode === null)
  for (let kills = 0; kills < KILLS; kills++) {
    const enough = answerCount() + ANSWERS_BETWEEN
    while (answerCount() < enough && living().length > 0) await new Promise(resolve => setTimeout(resolve, 5))
    const candidates = living().filter(({ isKilled, child }) => !isKilled && child.lines.length > 0)
    const victim = candidates[random(candidates.length)]
    if (!victim) break
    victim.isKilled = true
    victim.child.process.kill('SIGKILL')
    begin(victim.kind)
  }
  for (const { child, id, kind, isKilled } of members) {
    const { code, signal, stderr } = await child.ended
    const expected = isKilled && signal === 'SIGKILL' ? { code: null, stderr: '' } : { code: 0, stderr: '' }
    expect({ code, stderr }, `seed ${seed}, ${kind} ${id}`).toEqual(expected)
  }
  expect(members.filter(({ isKilled }) => isKilled).length).toBeGreaterThan(0)

  const { cache } = openAsAnotherProcess(dir)
  const spaces = NAMESPACES.map(name => cache.namespace<{ key: string; number: number }>(name, { project: false }))
  for (const { id, child, isKilled, kind } of members) {
    const lines = child.lines.map(line => JSON.parse(line) as [number, string, number, 'set' | 'removed'])
    const last = new Map(lines.map(line => [`${line[0]} ${line[1]}`, line]))
    const lastNumber = lines.at(-1)?.[2] ?? 0
    let unanswered = 0
    for (const [space, key, number, change] of last.values()) {
      const value = spaces[space]?.get(key)
      const where = `seed ${seed}, ${kind} ${id}, ${key}: acknowledged ${change} ${number}, there is ${value?.number}`
      // Of a process that was killed, one more change may have been made that wasn't answered.
      const isAsAnswered = change === 'removed' ? value === undefined : value?.number === number
      if (isKilled && !isAsAnswered && unanswered++ === 0)
        expect(value?.number ?? Infinity, where).toBeGreaterThan(lastNumber)
      else if (change === 'removed') expect(value, where).toBe(undefined)
      else expect(value?.number, where).toBe(number)
    }
  }
  expect((await cache.verify()).problems).toEqual([])
})
