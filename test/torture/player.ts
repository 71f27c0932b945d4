// Does each operation to a real cache and to the model, and compares what they give.

import { isDeepStrictEqual } from 'node:util'
import type { AnalyzeContext, ComputeContext } from '../../src/index.js'
import { compareInfos, compareLists, compareStats, expectOneOf, expectSame, infoOf } from './compare.js'
import type { TestDisk } from './disks.js'
import { type Expected, type ModelEntry, nameOf, questionOf } from './model.js'
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
    for (const name of NAMESPACES) {
      for (const version of VERSIONS) {
        const real = cache.namespace(name, { version, project: this.#world.projectOf(name) })
        const model = this.#world.model.namespace(name)
        for (const key of KEYS) {
          const what = `a later get of ${name}/${version}/${key}`
          expectOneOf(real.get(key), model.expect(version, key), what)
        }
        compareLists(this.#world, { name, real, model, version, process: -1 })
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
    const { real, model, version, process, name } = sides
    if (operation.do === 'list') return void compareLists(this.#world, sides)
    if (operation.do === 'stats') return void compareStats(this.#world, sides)
    if (operation.do === 'wrap') return void this.#wrap(operation.argument, sides)
    const keys = ('keys' in operation ? operation.keys : [operation.key]).map(at => KEYS[at] as string)
    const key = keys[0] as string
    if (operation.do === 'find') {
      const expected = [...model.entries.values()].filter(entry => entry.key === key)
      return void compareInfos(this.#world, name, real.find(key), expected, 'find')
    }
    if (operation.do === 'get' || operation.do === 'getMany') {
      const given = operation.do === 'get' ? [real.get(key)] : real.getMany(keys)
      // One after the other, as each may make another entry the current one.
      for (const [at, each] of keys.entries()) {
        const expected = model.expect(version, each)
        const isHit = expectOneOf(given[at], expected, operation.do)
        model.count(process, isHit ? 'hits' : 'misses')
        if (isHit) this.#hit(sides, each, expected)
      }
      return
    }
    const expected = model.expect(version, key)
    const { isHit, reason } = operation.do === 'has' ? { isHit: real.has(key), reason: undefined } : real.explain(key)
    if (!isHit) expectSame(expected.mayMiss, true, `whether ${operation.do} may miss`)
    else expectSame(expected.found.length > 0, true, `whether ${operation.do} may hit`)
    if (isHit) this.#hit(sides, key, expected)
    // A file that was rewritten has forgotten why an entry was removed.
    if (reason) expectSame(model.reasons(version, key).includes(reason), true, `whether it can be ${reason}`)
  }

  /** The entry that was found is the current one from now on. */
  #hit({ real, model, name, version }: Sides, key: string, { found }: Expected): void {
    const infos = found.length > 1 ? real.find(key).filter(info => info.version === version) : []
    const isShown = (entry: ModelEntry) => {
      const { createdAt, files, expiresAt } = infoOf(this.#world, name, entry)
      const [info] = infos
      return isDeepStrictEqual([info?.createdAt, info?.files, info?.expiresAt], [createdAt, files, expiresAt])
    }
    const entry = (infos.length > 0 ? found.find(isShown) : undefined) ?? (found[0] as ModelEntry)
    if (entry !== model.at(version, key)) model.answer(entry)
  }

  async #getOrSet(operation: Operation & { do: 'getOrSet' }): Promise<void> {
    const sides = this.#world.sides(operation)
    const { real, model, version, process } = sides
    const key = KEYS[operation.key] as string
    const { life } = operation
    const expected = model.expect(version, key, { question: questionOf(life), ttlMs: life.ttlMs })
    const value = VALUES[operation.value]
    // More inputs would be a list of their own.
    const reads = operation.reads.slice(0, 4 - (life.files?.length ?? 0))
    let entry: ModelEntry | undefined
    const compute = (context: ComputeContext) => {
      for (const source of reads) this.#look(context, source)
      entry = this.#world.model.newAnswer(version, key, value, life, reads)
      if (operation.edits !== undefined)
        this.#world.edit(operation.edits, this.#world.random(CONTENTS.length), 'replace')
      return value
    }
    const options = this.#world.optionsOf(life)
    const given = operation.isSync
      ? real.getOrSetSync(key, compute, options)
      : await real.getOrSet(key, compute, options)
    if (entry) {
      expectSame(given, value, 'getOrSet')
      expectSame(expected.mayMiss, true, 'whether getOrSet may compute')
      model.answer(entry)
      model.count(process, 'sets')
    } else {
      expectOneOf(given, { ...expected, mayMiss: false }, 'getOrSet')
      this.#hit(sides, key, expected)
    }
    model.count(process, entry ? 'misses' : 'hits')
  }

  #look(context: ComputeContext, source: number): void {
    const { model } = this.#world
    const path = this.#world.path(source)
    if (source === DIRECTORY) {
      context.readDirectory(path)
      return
    }
    try {
      expectSame(context.readFile(path), model.contentOf(source), 'readFile')
    } catch (error) {
      const isMissing = (error as { code?: string }).code === 'ENOENT' && model.contentOf(source) === undefined
      if (!isMissing) throw error
    }
  }

  async #analyze({ file, kind, isSync, ...target }: Operation & { do: 'analyze' }): Promise<void> {
    const sides = this.#world.sides(target)
    const { real, model, version, process, name } = sides
    const other = (file + 1) % FILES.length
    const content = this.#world.model.contentOf(file)
    const path = this.#world.path(file)
    let isHit = true
    const compute = (context: AnalyzeContext) => {
      isHit = false
      if (kind === 'with') this.#look(context, other)
      return {
        kind,
        source: context.source,
        path: kind === 'path' ? context.path : '',
        other: kind === 'with' ? this.#world.model.stateOf(other) : '',
      }
    }
    let given: unknown
    try {
      given = isSync ? real.analyzeSync(kind, path, compute) : await real.analyze(kind, path, compute)
    } catch (error) {
      model.count(process, 'misses')
      const code = file === DIRECTORY ? 'EISDIR' : content === undefined ? 'ENOENT' : 'no error'
      return void expectSame((error as { code?: string }).code, code, 'the error of analyze')
    }
    const value = {
      kind,
      source: content,
      path: kind === 'path' ? path : '',
      other: kind === 'with' ? this.#world.model.stateOf(other) : '',
    }
    const key = `\0analysis ${kind} ${file}`
    const expected = model.expect(version, key, { question: '' })
    expectSame({ isHit, given }, { isHit: !expected.mayMiss, given: value }, 'analyze')
    model.count(process, isHit ? 'hits' : 'misses')
    if (isHit) return void this.#hit(sides, key, expected)
    const sources = kind === 'with' && other !== file ? [file, other] : [file]
    const entry = this.#world.model.newAnswer(version, key, value, {}, sources)
    model.answer({ ...entry, label: this.#world.labelOf(name, kind, file), origin: 'analyze' })
    model.count(process, 'sets')
  }

  #wrap(argument: number, sides: Sides): void {
    const { real, model, version, process } = sides
    let isHit = true
    const wrapped = real.wrapSync('wrapped', (of: number) => {
      isHit = false
      return { of }
    })
    expectSame(wrapped(argument), { of: argument }, 'a wrapped function')
    const key = `\0wrapped ${argument}`
    expectSame(isHit, !model.expect(version, key, { question: '' }).mayMiss, 'whether a wrapped call hits')
    model.count(process, isHit ? 'hits' : 'misses')
    if (isHit) return
    const entry = this.#world.model.newAnswer(version, key, { of: argument }, {}, [])
    model.answer({ ...entry, label: `wrapped(${argument})`, origin: 'wrap' })
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
      // Of a key without an entry, nothing is seen of what became of its answers.
      else if (!known) model.doubtful.add(nameOf(version, key))
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
      const hasAnswers = model.answers.has(nameOf(version, key))
      return {
        run: () => Number(real[operation.do](key)),
        gives: Number(isThere),
        apply: () => void model.remove(version, key, operation.do === 'delete' ? 'deleted' : 'invalidated'),
        changes: new Map(isThere || hasAnswers ? [[key, undefined]] : []),
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
