// A cycle of the background gc whose steps are run by different processes, some of them twice.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { Blobs } from '../../src/blobs/blobs.js'
import { Counters } from '../../src/counters/counters.js'
import { nodeFiles } from '../../src/files/files.js'
import { Cycle } from '../../src/gc/cycle.js'
import { Journal } from '../../src/gc/journal.js'
import { SampleChoice } from '../../src/gc/sample-choice.js'
import type { State } from '../../src/gc/state.js'
import { Manifest } from '../../src/manifest/manifest.js'
import { filesBelow, openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { printedSeed, randomFrom } from '../support/random.js'
import { newEnvironment, seedIn } from './environment.js'

const NAMES = ['a', 'b', 'c']
let now = 1_790_000_000_000
const clock = () => now

/** One that takes steps. */
class Stepper {
  readonly #journal: Journal
  readonly #cycle: Cycle<unknown>

  constructor(dir: string, maxSizeBytes: number, files = nodeFiles) {
    const layout = layoutOf(dir)
    const environment = newEnvironment({ files, hashSeed: seedIn(dir) })
    const namespaces = {
      directories: () => readdirSync(layout.namespaces).sort(),
      open: (directory: string) => {
        const identity = `namespaces/${directory}`
        const manifest = new Manifest(environment, layout.manifest(directory), `${identity}/manifest`)
        const counters = new Counters(environment, layout.counters(directory), `${identity}/counters`, () => undefined)
        return { name: directory, directory, manifest, counters, close: () => manifest.close() }
      },
    }
    const input = { environment, blobs: new Blobs(environment, layout), layout, namespaces, now: clock }
    const limits = () => ({ whole: { maxSizeBytes }, namespaces: new Map() })
    this.#journal = new Journal(environment, layout.upkeep)
    this.#cycle = new Cycle<unknown>(
      input,
      new SampleChoice({ ...input, limits, isOver: () => false }) as never,
      this.#journal,
      3,
    )
  }

  /** Takes a step from the state in the journal, and with `isNoted` leaves the next one there; false at the end. */
  step(isNoted = true): boolean {
    const noted = this.#journal.read()
    // Those that set may have ended a cycle.
    const found = noted?.phase === 'idle' ? undefined : (noted as State | undefined)
    if (!found) this.#journal.begin(this.#cycle.begin() as never)
    const next = this.#cycle.step(found ?? (this.#journal.read() as State))
    if (next && isNoted) expect(this.#journal.write(next as never)).toBe(true)
    this.#cycle.close()
    if (!next) this.#journal.remove()
    return next !== undefined
  }
}

/** A cache of small packs; the first ones hold what was used least recently. */
function filled(): { dir: string; values: Map<string, string> } {
  const dir = temporaryRoot()
  const { cache } = openAsAnotherProcess(dir, { clock, maxSize: 4_000_000 })
  const values = new Map<string, string>()
  for (let i = 0; i < 700; i++) {
    now++
    const name = NAMES[i % 3] as string
    // Some share a value that is set early.
    const value = i % 50 === 0 ? 'shared'.repeat(500) : `${i} ${'x'.repeat(2000)}`
    values.set(`${name} key ${i}`, value)
    cache.namespace(name).set(`${name} key ${i}`, value)
  }
  cache.close()
  nodeFiles.remove(layoutOf(dir).upkeep)
  return { dir, values }
}

/** Expects each entry that is listed to have its value. */
function expectValues(dir: string, values: ReadonlyMap<string, string>, where: string): number {
  const { cache, warnings } = openAsAnotherProcess(dir, { clock, mode: 'readonly' })
  const keys = NAMES.flatMap(name => [...cache.namespace(name).keys()].map(key => [name, key] as const))
  const lost = keys.filter(([name, key]) => cache.namespace(name).get(key) !== values.get(key))
  expect(lost, where).toEqual([])
  expect(warnings, where).toEqual([])
  cache.close()
  return keys.length
}

const bytesOf = (dir: string) =>
  filesBelow(join(dir, 'v2')).reduce((sum, name) => sum + statSync(join(dir, 'v2', name)).size, 0)

test('gc steps that several processes run in turns, some killed after one, lose no value of a kept entry', async () => {
  const random = randomFrom(printedSeed('steps'))
  for (let round = 0; round < 4; round++) {
    const { dir, values } = filled()
    const others = openAsAnotherProcess(dir, { clock, maxSize: Number.POSITIVE_INFINITY })
    const steppers = [new Stepper(dir, 1_000_000), new Stepper(dir, 1_000_000)]
    for (let step = 0, isOn = true; isOn; step++) {
      // One that is killed before it has noted its step takes no other.
      const isKilled = random(4) === 0
      const stepper = isKilled ? new Stepper(dir, 1_000_000) : (steppers[random(2)] as Stepper)
      isOn = stepper.step(!isKilled)
      expect(step).toBeLessThan(2000)
      if (random(4) > 0) continue
      now++
      const [name, at] = [NAMES[random(3)] as string, random(700)]
      const value = random(2) ? `${at} ${'x'.repeat(2000)}` : `set at ${step}`
      values.set(`${name} key ${at}`, value)
      expect(others.cache.namespace(name).set(`${name} key ${at}`, value)).toBe(true)
      if (step % 5 === 0) expectValues(dir, values, `round ${round}, step ${step}`)
    }
    others.cache.close()
    expect(expectValues(dir, values, `round ${round}, at the end`)).toBeGreaterThan(100)
    expect(readdirSync(layoutOf(dir).packs).filter(name => name.endsWith('.retired'))).toEqual([])
    expect(bytesOf(dir)).toBeLessThan(1_500_000)
    const { cache } = openAsAnotherProcess(dir, { clock })
    expect((await cache.verify()).problems).toEqual([])
  }
})

test('a gc cycle continues where it stopped, in each phase', () => {
  const { dir } = filled()
  let steps = 0
  while (new Stepper(dir, 1_000_000).step()) expect(++steps).toBeLessThan(300)
  // Three namespaces to measure, to drop from and to mark in, packs, their syncs and the index.
  expect(steps).toBeGreaterThan(15)
  expect(bytesOf(dir)).toBeLessThan(1_000_000)
})

test('the cache passes verify after each gc step', async () => {
  const { dir } = filled()
  const stepper = new Stepper(dir, 500_000)
  for (let step = 0, isOn = true; isOn; step++) {
    isOn = stepper.step()
    const { cache } = openAsAnotherProcess(dir, { clock })
    expect((await cache.verify()).problems, `step ${step}`).toEqual([])
    cache.close()
  }
})

test('a pack without live values is removed without reading it', () => {
  const { dir, values } = filled()
  const { packs } = layoutOf(dir)
  const before = readdirSync(packs).length
  const read: string[] = []
  const removed: string[] = []
  const files = interceptedFiles(call => {
    if (call.name === 'open' && call.path.endsWith('.retired') && call.args[1] === 'read') read.push(call.path)
    if (call.name === 'remove' && call.path.endsWith('.retired')) removed.push(call.path)
    return call.proceed()
  })
  const stepper = new Stepper(dir, 500_000, files)
  while (stepper.step());
  expect(before).toBeGreaterThan(4)
  expect(new Set(removed).size - new Set(read).size).toBeGreaterThan(1)
  expectValues(dir, values, 'afterwards')
})

test('values moved by an earlier cycle are kept, though their entries have the old location', () => {
  const { dir, values } = filled()
  for (const maxSizeBytes of [1_200_000, 1_000_000, 800_000, 600_000]) {
    const stepper = new Stepper(dir, maxSizeBytes)
    while (stepper.step());
    expect(expectValues(dir, values, `down to ${maxSizeBytes}`)).toBeGreaterThan(100)
  }
})
