// Many processes run random operations on one root, and some are killed at random moments. There must be one order of all
// writes that explains every read and the final values.

import { expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { nodeFiles } from '../../src/files/files.js'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { type Child, startModule } from '../support/children.js'
import { randomFrom } from '../support/random.js'
import { counting, inRounds } from '../support/torture.js'
import { type Act, contradiction, type Write } from './history.js'
import { NAMESPACES, WORKER, type WorkerArguments } from './worker.js'

const count = counting()

type Line = [what: string, key: string, value: string | null, turn: string, start: string, end: string | null]

/** Acts by key, of what one process has said. */
function addActs(history: Map<string, Act[]>, process: string, lines: readonly string[]): void {
  const announced = new Map<string, Write>()
  // The last line of a killed process may be cut short.
  for (const line of lines.filter(each => each.startsWith('[') && each.endsWith(']'))) {
    const [what, key, told, turn, start, end] = JSON.parse(line) as Line
    if (what === 'gc') {
      count('collections')
      continue
    }
    const value = told ?? undefined
    const acts = history.get(key) ?? []
    history.set(key, acts)
    const name = `${key}\n${value}\n${start}`
    if (what === 'read') {
      acts.push({ kind: 'read', process, value, turnNs: BigInt(turn), startNs: BigInt(start), endNs: BigInt(end ?? 0) })
      count('reads')
    } else if (what === 'write') {
      const write: Write = { kind: 'write', process, value, startNs: BigInt(start), endNs: undefined }
      announced.set(name, write)
      acts.push(write)
    } else if (what === 'done' || what === 'computed') {
      const write = announced.get(name) as Write
      write.endNs = BigInt(end ?? 0)
      write.isComputed = what === 'computed'
      count('writes')
    } else {
      acts.splice(acts.indexOf(announced.get(name) as Write), 1)
      if (value === undefined) acts.push({ kind: 'empty delete', startNs: BigInt(start), endNs: BigInt(end ?? 0) })
    }
  }
}

/** What a process that comes now finds, as reads. */
function addLook(history: Map<string, Act[]>, dir: string, process: string): void {
  const { cache, warnings } = openAsAnotherProcess(dir)
  for (const [name, acts] of history) {
    const space = name.indexOf(' ')
    const startNs = globalThis.process.hrtime.bigint()
    const found = cache.namespace(name.slice(0, space)).get<{ tag: string }>(name.slice(space + 1))
    const endNs = globalThis.process.hrtime.bigint()
    acts.push({ kind: 'read', process, value: found?.tag, turnNs: startNs, startNs, endNs })
  }
  cache.close()
  expect(warnings).toEqual([])
}

function expectOrder(history: Map<string, Act[]>): void {
  for (const [key, acts] of history) {
    const wrong = contradiction(acts)
    if (wrong) throw new Error(`${key.slice(0, 30)}: ${wrong}`)
  }
}

async function ended(child: Child, isKilled: boolean): Promise<string[]> {
  const { code, signal, stderr, lines } = await child.ended
  expect({ stderr: stderr.slice(-1000), isGood: code === 0 || (isKilled && signal === 'SIGKILL') }).toEqual({
    stderr: '',
    isGood: true,
  })
  return lines
}

async function together(seed: number, { kills }: { kills: boolean }): Promise<void> {
  const random = randomFrom(seed)
  const dir = temporaryRoot()
  const history = new Map<string, Act[]>()
  const places = 2 + random(kills ? 4 : 6)
  const begin = (name: string): Child => {
    const args: WorkerArguments = {
      dir,
      name,
      seed: random(2 ** 31),
      operations: kills ? 120 : 250,
      isCollector: random(2) === 0,
    }
    return startModule(WORKER, args)
  }
  /** A place is taken by one process after another; all but the last are killed. */
  const live = async (place: number, generations: number, first: Child) => {
    for (let generation = 0, child = first; ; generation++) {
      const isKilled = generation < generations
      child.send('go')
      if (isKilled) {
        for (let left = random(400); left > 0 && (await child.line()) !== undefined; left--);
        child.process.kill('SIGKILL')
        count('killed processes')
      }
      addActs(history, `${place}.${generation}`, await ended(child, isKilled))
      if (!isKilled) return
      child = begin(`${place}.${generation + 1}`)
      expect(await child.line()).toBe('ready')
    }
  }
  const children = Array.from({ length: places }, (_, place) => begin(`${place}.0`))
  for (const child of children) expect(await child.line()).toBe('ready')
  await Promise.all(children.map((child, place) => live(place, kills ? 1 + random(4) : 0, child)))
  count('processes', places)

  addLook(history, dir, 'a later look')
  // Nobody waits for the heartbeat of a collector that was killed.
  nodeFiles.remove(layoutOf(dir).gcLock)
  const { cache } = openAsAnotherProcess(dir)
  await cache.gc()
  addLook(history, dir, 'a look after a gc')
  expectOrder(history)
  // Of a set or a gc that was killed before its blobs were confirmed, index records and entries remain that point to
  // nothing: a miss each, and nothing else.
  const { problems } = await cache.verify()
  expect(problems.filter(({ kind }) => !(kills && kind === 'dangling')).slice(0, 5)).toEqual([])
  cache.close()
  expect(history.size).toBeGreaterThan(NAMESPACES.length)
}

test('one order of all writes explains every read', async () => {
  await inRounds({ short: 1, share: 0.15 }, seed => together(seed, { kills: false }))
})

test('one order of all writes explains every read, with killed processes and those after them', async () => {
  await inRounds({ short: 1, share: 0.2 }, seed => together(seed, { kills: true }))
})
