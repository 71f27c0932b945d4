// Does each operation to a real cache and to the model, and compares what they give.

import type { ComputeContext } from '../../src/index.js'
import { compareInfos, compareLists, compareStats, expectSame } from './compare.js'
import type { TestDisk } from './disks.js'
import type { ModelEntry } from './model.js'
import {
  CONTENTS,
  DIRECTORY,
  FILES,
  KEYS,
  type Life,
  NAMESPACES,
  type Operation,
  type Read,
  VALUES,
  VERSIONS,
  type Write,
} from './operations.js'
import { type Process, type Sides, World } from './world.js'

const longKey = (index: number) => `${index} ${'k'.repeat(3900)}`
const extensionOf = (source: number) => (FILES[source] as string).replace(/^[^.]*/, '')

export class Player {
  /** How many processes were killed in the middle of something. */
  kills = 0
  readonly #world: World

  constructor(disk: TestDisk, seed: number) {
    this.#world = new World(disk, seed)
  }

  /** @throws Error that says how the two differ */
  async do(operation: Operation): Promise<void> {
    // Another process's sets are seen from the next turn on.
    await Promise.resolve()
    await this.#do(operation)
    expectSame(this.#world.warnings, [], 'warnings')
  }

  /** Compares all there is, as a process that comes later finds it. */
  lookReadOnly(): void {
    const cache = this.#world.openReadOnly()
    for (const namespace of NAMESPACES) {
      for (const version of VERSIONS) {
        const real = cache.namespace(namespace, { version, ...this.#world.baseOf(namespace) })
        const model = this.#world.model.namespace(namespace)
        for (const key of KEYS) {
          expectSame(real.get(key), model.valueOf(version, key), `a later get of ${namespace}/${version}/${key}`)
        }
        compareLists(this.#world, { real, model, version, process: -1 })
      }
    }
    cache.close()
  }

  close(): void {
    for (const { cache } of this.#world.processes) cache.close()
  }

  #do(operation: Operation): unknown {
    switch (operation.do) {
      case 'clock':
        this.#world.model.nowMs += operation.byMs
        return
      case 'fileClock':
        return this.#world.passMs(operation.byMs)
      case 'edit':
        return this.#world.edit(operation.file, operation.content, operation.how)
      case 'lookReadOnly':
        return this.lookReadOnly()
      case 'reopen':
        return this.#world.reopen(operation.process, operation.isKill)
      case 'kill':
        return this.#kill(operation)
      case 'gc':
        return this.#gc(operation.process)
      case 'getOrSet':
        return this.#getOrSet(operation)
      case 'analyze':
        return this.#analyze(operation)
      case 'set':
      case 'setMany':
      case 'fill':
      case 'clear':
      case 'delete':
      case 'invalidate': {
        const plan = this.#planOf(operation, this.#world.sides(operation))
        expectSame(plan.run(), plan.gives, operation.do)
        return plan.apply()
      }
      default:
        return this.#read(operation, this.#world.sides(operation))
    }
  }

  #read(operation: Read, sides: Sides): void {
    const { real, model, version, process } = sides
    if (operation.do === 'list') return void compareLists(this.#world, sides)
    if (operation.do === 'stats') return void compareStats(this.#world, sides)
    if (operation.do === 'wrap') return void this.#wrap(operation.argument, sides)
    const keys = ('keys' in operation ? operation.keys : [operation.key]).map(at => KEYS[at] as string)
    const isHit = (key: string) => model.reasons(version, key).length === 0
    if (operation.do === 'get' || operation.do === 'getMany') {
      const given = operation.do === 'get' ? [real.get(keys[0] as string)] : real.getMany(keys)
      const expected = keys.map(key => model.valueOf(version, key))
      expectSame(given, expected, operation.do)
      for (const key of keys) model.count(process, isHit(key) ? 'hits' : 'misses')
      return
    }
    const key = keys[0] as string
    if (operation.do === 'has') return void expectSame(real.has(key), isHit(key), 'has')
    if (operation.do === 'find') {
      const expected = [...model.entries.values()].filter(entry => entry.key === key)
      return void compareInfos(this.#world, real.find(key), expected, 'find')
    }
    const { isHit: given, reason } = real.explain(key)
    expectSame(given, isHit(key), 'explain')
    // A file that was rewritten has forgotten why an entry was removed.
    if (reason) expectSame(model.reasons(version, key).includes(reason), true, `whether it can be ${reason}`)
  }

  async #getOrSet(operation: Operation & { do: 'getOrSet' }): Promise<void> {
    const { real, model, version, process } = this.#world.sides(operation)
    const key = KEYS[operation.key] as string
    const known = model.valueOf(version, key)
    const value = VALUES[operation.value]
    let entry: ModelEntry | undefined
    const compute = (context: ComputeContext) => {
      for (const source of operation.reads) {
        if (this.#world.model.contentOf(source) === undefined) context.addDependency(this.#world.path(source))
        else expectSame(context.readFile(this.#world.path(source)), this.#world.model.contentOf(source), 'readFile')
      }
      entry = this.#world.model.newEntry(version, key, value, operation.life, operation.reads)
      if (operation.edits !== undefined)
        this.#world.edit(operation.edits, this.#world.random(CONTENTS.length), 'replace')
      return value
    }
    const options = this.#world.optionsOf(operation.life)
    const given = operation.isSync
      ? real.getOrSetSync(key, compute, options)
      : await real.getOrSet(key, compute, options)
    const isHit = known !== undefined
    expectSame({ isHit: !entry, given }, { isHit, given: isHit ? known : value }, 'getOrSet')
    model.count(process, isHit ? 'hits' : 'misses')
    if (!entry) return
    model.put(entry)
    model.count(process, 'sets')
  }

  async #analyze({ file, kind, isSync, ...target }: Operation & { do: 'analyze' }): Promise<void> {
    const { real, model, version: of, process } = this.#world.sides(target)
    const other = (file + 1) % FILES.length
    const content = this.#world.model.contentOf(file)
    const version = `${of}\0${kind}`
    const path = this.#world.path(file)
    let isHit = true
    const compute = (context: ComputeContext & { source: string }) => {
      isHit = false
      if (kind === 'with') context.addDependency(this.#world.path(other))
      return { kind, source: context.source, other: kind === 'with' ? this.#world.model.stateOf(other) : '' }
    }
    const options = { version: kind, path: kind === 'path' }
    let given: unknown
    try {
      given = isSync ? real.analyzeSync(path, compute, options) : await real.analyze(path, compute, options)
    } catch (error) {
      const code = file === DIRECTORY ? 'EISDIR' : content === undefined ? 'ENOENT' : 'no error'
      return void expectSame((error as { code?: string }).code, code, 'the error of analyze')
    }
    const state = kind === 'with' ? this.#world.model.stateOf(other) : ''
    const results = {
      alone: [`result ${content} ${extensionOf(file)}`],
      path: [`result ${content} ${path}`],
      with: [`result ${content} ${path} ${state}`, `sources ${content} ${path}`],
    }[kind]
    const isKnown = results.every(key => model.at(version, key))
    const expected = { isHit: isKnown, given: { kind, source: content, other: state } }
    expectSame({ isHit, given }, expected, 'analyze')
    model.count(process, isHit ? 'hits' : 'misses')
    if (isHit) return
    for (const key of results) model.put(this.#world.model.newEntry(version, key, undefined, {}))
    model.count(process, 'sets', results.length)
  }

  #wrap(argument: number, { real, model, version, process }: Sides): void {
    let isHit = true
    const wrapped = real.wrapSync(function wrapped(of: number) {
      isHit = false
      return { of }
    })
    expectSame(wrapped(argument), { of: argument }, 'a wrapped function')
    const [pseudoVersion, key] = [`${version}\0wrap`, `${argument}`]
    expectSame(isHit, model.at(pseudoVersion, key) !== undefined, 'whether a wrapped call hits')
    model.count(process, isHit ? 'hits' : 'misses')
    if (isHit) return
    model.put(this.#world.model.newEntry(pseudoVersion, key, { of: argument }, {}))
    model.count(process, 'sets')
  }

  async #gc(process: number): Promise<void> {
    const { cache } = this.#world.processes[process] as Process
    const { expiredEntries, staleEntries, keptEntries } = await cache.gc()
    expectSame({ expiredEntries, staleEntries, keptEntries }, this.#world.model.gc(process), 'gc')
  }

  /** What the killed process was at holds what it held or what it was given; which of them is asked, and stays so. */
  #kill({ at, share, during }: Operation & { do: 'kill' }): void {
    const { process } = during
    // Totals that are added up meanwhile could be the old or the new ones.
    if (this.#world.model.pendingCountOf(process) > 512) this.#world.reopen(process, false)
    // So that an entry tells whether it is the new one.
    const sides = this.#world.sides(during)
    while ([...sides.model.entries.values()].some(each => each.createdAt === this.#world.model.nowMs))
      this.#world.model.nowMs++
    const plan = this.#planOf(during, sides)
    const { disk } = this.#world.processes[process] as Process
    disk.fail({ at, code: 'EIO', span: 'lasting', writtenShare: share })
    const given = plan.run()
    const isDead = disk.hasFailed
    disk.heal()
    if (!isDead) {
      expectSame(given, plan.gives, `${during.do} that no kill met`)
      plan.apply()
      return
    }
    this.#world.warnings.length = 0
    this.kills++
    this.#world.reopen(process, true)
    // A clear that would remove nothing gives 0, done or not.
    if (given === plan.gives && given > 0) plan.apply()
    else this.#settle(during, plan, this.#world.sides(during))
    // The dead one's counts are lost with it.
    this.#world.model.end(process, true)
  }

  #settle(during: Write, { changes }: Plan, { real, model, version }: Sides): void {
    for (const [key, entry] of changes) {
      const info = real.find(key).find(each => each.version === version)
      const known = model.at(version, key)
      const isEither = [known, entry].some(each => each?.createdAt === info?.createdAt)
      expectSame(isEither, true, `whether ${key.slice(0, 20)} is the old or the new after a killed ${during.do}`)
      if (info?.createdAt !== entry?.createdAt) continue
      if (entry) model.put(entry)
      else model.remove(version, key, during.do === 'invalidate' ? 'invalidated' : 'deleted')
    }
    if (during.do !== 'clear') return
    expectSame(real.clear() <= model.clear(), true, 'clear after a killed clear')
  }

  #planOf(operation: Write, { real, model, version, process }: Sides): Plan {
    if (operation.do === 'clear') {
      const keys = KEYS.filter(key => model.at(version, key))
      return {
        run: () => real.clear(),
        gives: model.entries.size,
        apply: () => void model.clear(),
        changes: new Map(keys.map(key => [key, undefined])),
      }
    }
    if (operation.do === 'delete' || operation.do === 'invalidate') {
      const key = KEYS[operation.key] as string
      const isThere = model.at(version, key) !== undefined
      return {
        run: () => Number(real[operation.do](key)),
        gives: Number(isThere),
        apply: () => void model.remove(version, key, operation.do === 'delete' ? 'deleted' : 'invalidated'),
        changes: new Map(isThere ? [[key, undefined]] : []),
      }
    }
    const items = itemsOf(operation)
    const entries = items.map(({ key, value, life }) => this.#world.model.newEntry(version, key, value, life))
    const toSet = items.map(({ key, value, life }) => ({ key, value, ...this.#world.optionsOf(life) }))
    const [{ key, value, ...options } = { key: '', value: 0 }] = toSet
    return {
      run: () => (operation.do === 'set' ? Number(real.set(key, value, options)) : real.setMany(toSet)),
      gives: items.length,
      apply: () => {
        for (const entry of entries) model.put(entry)
        model.count(process, 'sets', items.length)
      },
      changes: new Map(entries.map(entry => [entry.key, entry])),
    }
  }
}

/** A write of the library, what it gives when it is done, and what it does to the model and to single keys. */
interface Plan {
  run(): number
  gives: number
  apply(): void
  changes: Map<string, ModelEntry | undefined>
}

function itemsOf(
  operation: Extract<Write, { do: 'set' | 'setMany' | 'fill' }>,
): { key: string; value: unknown; life: Life }[] {
  if (operation.do === 'fill') {
    const from = operation.from
    return Array.from({ length: operation.count }, (_, at) => ({ key: longKey(from + at), value: at, life: {} }))
  }
  const items = operation.do === 'set' ? [operation] : operation.items
  return items.map(({ key, value, life }) => ({ key: KEYS[key] as string, value: VALUES[value], life }))
}
