// Does each operation to a real cache and to the model, and compares what they give.

import { join } from 'node:path'
import { inspect as inspectValue, isDeepStrictEqual } from 'node:util'
import { CacheHandle } from '../../src/cache/cache.js'
import type { CacheWarning, ComputeContext, EntryInfo, Namespace, SetOptions } from '../../src/index.js'
import { FaultyDisk } from '../support/files.js'
import { randomFrom } from '../support/random.js'
import type { TestDisk } from './disks.js'
import { Model, type ModelEntry, type ModelNamespace } from './model.js'
import {
  CONTENTS,
  DIRECTORY,
  FILES,
  KEYS,
  type Life,
  NAMESPACES,
  type Operation,
  PROCESSES,
  type Read,
  VALUES,
  VERSIONS,
  type Write,
} from './operations.js'

interface Process {
  cache: CacheHandle
  disk: FaultyDisk
}

/** What an operation addresses: the library's namespace and the model's. */
interface Sides {
  real: Namespace
  model: ModelNamespace
  version: string
  process: number
}

const longKey = (index: number) => `${index} ${'k'.repeat(3900)}`
const extensionOf = (source: number) => (FILES[source] as string).replace(/^[^.]*/, '')

export class Player {
  readonly model = new Model()
  /** How many processes were killed in the middle of something. */
  kills = 0
  readonly #disk: TestDisk
  readonly #random: (below: number) => number
  readonly #processes: Process[] = []
  readonly #warnings: CacheWarning[] = []

  constructor(disk: TestDisk, seed: number) {
    this.#disk = disk
    this.#random = randomFrom(seed)
    for (let process = 0; process < PROCESSES; process++) this.#processes.push(this.#open())
    for (const source of [0, 1, 2]) this.#edit(source, source, 'replace')
  }

  /** @throws Error that says how the two differ */
  async do(operation: Operation): Promise<void> {
    // Another process's sets are seen from the next turn on.
    await Promise.resolve()
    await this.#do(operation)
    expectSame(this.#warnings, [], 'warnings')
  }

  /** Compares all there is, as a process that comes later finds it. */
  lookReadOnly(): void {
    const cache = this.#openAt(this.#disk.files, true)
    for (const namespace of NAMESPACES) {
      for (const version of VERSIONS) {
        const real = cache.namespace(namespace, { version, ...this.#baseOf(namespace) })
        const model = this.model.namespace(namespace)
        for (const key of KEYS) {
          expectSame(real.get(key), model.valueOf(version, key), `a later get of ${namespace}/${version}/${key}`)
        }
        this.#compareLists({ real, model, version, process: -1 })
      }
    }
    cache.close()
  }

  close(): void {
    for (const { cache } of this.#processes) cache.close()
  }

  #do(operation: Operation): unknown {
    switch (operation.do) {
      case 'clock':
        this.model.nowMs += operation.byMs
        return
      case 'fileClock':
        return this.#disk.passMs(operation.byMs)
      case 'edit':
        return this.#edit(operation.file, operation.content, operation.how)
      case 'lookReadOnly':
        return this.lookReadOnly()
      case 'reopen':
        return this.#reopen(operation.process, operation.isKill)
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
        const plan = this.#planOf(operation, this.#sides(operation))
        expectSame(plan.run(), plan.gives, operation.do)
        return plan.apply()
      }
      default:
        return this.#read(operation, this.#sides(operation))
    }
  }

  #read(operation: Read, sides: Sides): void {
    const { real, model, version, process } = sides
    if (operation.do === 'list') return this.#compareLists(sides)
    if (operation.do === 'stats') return this.#compareStats(sides)
    if (operation.do === 'wrap') return this.#wrap(operation.argument, sides)
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
    if (operation.do === 'has') return expectSame(real.has(key), isHit(key), 'has')
    if (operation.do === 'find') {
      const expected = [...model.entries.values()].filter(entry => entry.key === key)
      return this.#compareInfos(real.find(key), expected, 'find')
    }
    const { isHit: given, reason } = real.explain(key)
    expectSame(given, isHit(key), 'explain')
    // A file that was rewritten has forgotten why an entry was removed.
    if (reason) expectSame(model.reasons(version, key).includes(reason), true, `whether it can be ${reason}`)
  }

  async #getOrSet(operation: Operation & { do: 'getOrSet' }): Promise<void> {
    const { real, model, version, process } = this.#sides(operation)
    const key = KEYS[operation.key] as string
    const known = model.valueOf(version, key)
    const value = VALUES[operation.value]
    let entry: ModelEntry | undefined
    const compute = (context: ComputeContext) => {
      for (const source of operation.reads) {
        if (this.model.contentOf(source) === undefined) context.addDependency(this.#path(source))
        else expectSame(context.readFile(this.#path(source)), this.model.contentOf(source), 'readFile')
      }
      entry = this.model.newEntry(version, key, value, operation.life, operation.reads)
      if (operation.edits !== undefined) this.#edit(operation.edits, this.#random(CONTENTS.length), 'replace')
      return value
    }
    const options = this.#optionsOf(operation.life)
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
    const { real, model, version: of, process } = this.#sides(target)
    const other = (file + 1) % FILES.length
    const content = this.model.contentOf(file)
    const version = `${of}\0${kind}`
    const path = this.#path(file)
    let isHit = true
    const compute = (context: ComputeContext & { source: string }) => {
      isHit = false
      if (kind === 'with') context.addDependency(this.#path(other))
      return { kind, source: context.source, other: kind === 'with' ? this.model.stateOf(other) : '' }
    }
    const options = { version: kind, path: kind === 'path' }
    let given: unknown
    try {
      given = isSync ? real.analyzeSync(path, compute, options) : await real.analyze(path, compute, options)
    } catch (error) {
      const code = file === DIRECTORY ? 'EISDIR' : content === undefined ? 'ENOENT' : 'no error'
      return expectSame((error as { code?: string }).code, code, 'the error of analyze')
    }
    const state = kind === 'with' ? this.model.stateOf(other) : ''
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
    for (const key of results) model.put(this.model.newEntry(version, key, undefined, {}))
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
    model.put(this.model.newEntry(pseudoVersion, key, { of: argument }, {}))
    model.count(process, 'sets')
  }

  async #gc(process: number): Promise<void> {
    const { cache } = this.#processes[process] as Process
    const { expiredEntries, staleEntries, keptEntries } = await cache.gc()
    expectSame({ expiredEntries, staleEntries, keptEntries }, this.model.gc(process), 'gc')
  }

  /** What the killed process was at holds what it held or what it was given; which of them is asked, and stays so. */
  #kill({ at, share, during }: Operation & { do: 'kill' }): void {
    const { process } = during
    // Totals that are added up meanwhile could be the old or the new ones.
    if (this.model.pendingCountOf(process) > 512) this.#reopen(process, false)
    // So that an entry tells whether it is the new one.
    this.model.nowMs++
    const sides = this.#sides(during)
    const plan = this.#planOf(during, sides)
    const { disk } = this.#processes[process] as Process
    disk.fail({ at, code: 'EIO', span: 'lasting', writtenShare: share })
    const given = plan.run()
    const isDead = disk.hasFailed
    disk.heal()
    if (!isDead) {
      expectSame(given, plan.gives, `${during.do} that no kill met`)
      return plan.apply()
    }
    this.#warnings.length = 0
    this.kills++
    this.#reopen(process, true)
    if (given === plan.gives) plan.apply()
    else this.#settle(during, plan, this.#sides(during))
    // The dead one's counts are lost with it.
    this.model.end(process, true)
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
    const entries = items.map(({ key, value, life }) => this.model.newEntry(version, key, value, life))
    const toSet = items.map(({ key, value, life }) => ({ key, value, ...this.#optionsOf(life) }))
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

  #compareLists({ real, model, version }: Sides): void {
    const ofVersion = [...model.entries.values()].filter(entry => entry.version === version)
    expectSame([...real.keys()].sort(), ofVersion.map(({ key }) => key).sort(), 'keys')
    this.#compareInfos([...real.entries()], ofVersion, 'entries')
    const all = [...real.entries({ allVersions: true })]
    expectSame(all.length, model.entries.size, 'the number of entries of all versions')
    const named = [...model.entries.values()].filter(entry => !entry.version.includes('\0'))
    const infos = all.filter(info => !info.version.includes('\0'))
    this.#compareInfos(infos, named, 'entries of all versions')
  }

  #compareInfos(infos: EntryInfo[], entries: ModelEntry[], what: string): void {
    const given = infos.map(({ sizeBytes, digest, ...info }) => {
      expectSame(digest.endsWith(`-${sizeBytes}`), true, 'the size in the digest')
      return info
    })
    const expected = entries.map(entry => {
      const { key, version, createdAt, ttlMs, sources } = entry
      return {
        key,
        version,
        mode: sources ? 'file' : ttlMs === undefined ? 'manual' : 'ttl',
        valid: this.model.staleness(entry).length === 0,
        createdAt,
        ageMs: this.model.nowMs - createdAt,
        ...(ttlMs === undefined ? {} : { expiresAt: createdAt + ttlMs }),
        files: sources?.map(({ source }) => this.#path(source)) ?? [],
      }
    })
    const byName = (a: { version: string; key: string }, b: { version: string; key: string }) =>
      `${a.version}\n${a.key}` < `${b.version}\n${b.key}` ? -1 : 1
    expectSame(given.sort(byName), expected.sort(byName), what)
  }

  #compareStats({ real, model, process }: Sides): void {
    const { entryCount, hitCount, missCount, setCount, missReasons, totalSize, oldestEntryAgeMs } = real.stats()
    const { hits, misses, sets } = model.countsSeenBy(process)
    const ages = [...model.entries.values()].map(({ createdAt }) => this.model.nowMs - createdAt)
    const expected = {
      entryCount: model.entries.size,
      hitCount: hits,
      missCount: misses,
      setCount: sets,
      oldestEntryAgeMs: ages.length === 0 ? null : Math.max(...ages),
    }
    expectSame({ entryCount, hitCount, missCount, setCount, oldestEntryAgeMs }, expected, 'stats')
    const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0)
    expectSame(sum(Object.values(missReasons)), missCount, 'the sum of the reasons')
    const sizes = [...real.entries({ allVersions: true })].map(({ sizeBytes }) => sizeBytes)
    expectSame(totalSize, sum(sizes), 'totalSize')
  }

  #edit(file: number, content: number, how: Extract<Operation, { do: 'edit' }>['how']): void {
    const isThere = this.model.files.has(file)
    const path = this.#path(file)
    if (how === 'touch') {
      if (isThere) this.#disk.touch(path)
    } else if (how === 'remove') {
      if (this.model.files.delete(file)) this.#disk.remove(path)
    } else {
      this.#disk.write(path, CONTENTS[content] as string, how === 'in place')
      this.model.files.set(file, content)
    }
  }

  #reopen(process: number, isKill: boolean): void {
    if (!isKill) this.#processes[process]?.cache.close()
    this.model.end(process, isKill)
    this.#processes[process] = this.#open()
  }

  #open(): Process {
    const disk = new FaultyDisk({ files: this.#disk.files, now: this.#disk.files.now })
    return { cache: this.#openAt(disk.files, false), disk }
  }

  #openAt(files: FaultyDisk['files'], readOnly: boolean): CacheHandle {
    return new CacheHandle(
      {
        dir: join(this.#disk.directory, 'cache'),
        readOnly,
        clock: () => this.model.nowMs,
        onWarning: warning => this.#warnings.push(warning),
      },
      { files, random: () => this.#random(2 ** 32) / 2 ** 32 },
    )
  }

  #sides({ process, namespace, version }: { process: number; namespace: number; version: number }): Sides {
    const name = NAMESPACES[namespace] as string
    const { cache } = this.#processes[process] as Process
    const options = { version: VERSIONS[version] as string, ...this.#baseOf(name) }
    return { real: cache.namespace(name, options), model: this.model.namespace(name), version: options.version, process }
  }

  /** One of the namespaces records its sources relative to their directory. */
  #baseOf(namespace: string): { base?: string } {
    return namespace === 'two' ? { base: this.#path(DIRECTORY) } : {}
  }

  #path(source: number): string {
    const directory = join(this.#disk.directory, 'src')
    return source === DIRECTORY ? directory : join(directory, FILES[source] as string)
  }

  #optionsOf({ ttlMs, files }: Life): SetOptions {
    return {
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(files ? { files: files.map(source => this.#path(source)) } : {}),
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

function itemsOf(operation: Extract<Write, { do: 'set' | 'setMany' | 'fill' }>): { key: string; value: unknown; life: Life }[] {
  if (operation.do === 'fill') {
    const from = operation.from
    return Array.from({ length: operation.count }, (_, at) => ({ key: longKey(from + at), value: at, life: {} }))
  }
  const items = operation.do === 'set' ? [operation] : operation.items
  return items.map(({ key, value, life }) => ({ key: KEYS[key] as string, value: VALUES[value], life }))
}

function expectSame(given: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(given, expected)) return
  throw new Error(`${what} gave ${inspect(given)}, not ${inspect(expected)}`)
}

const inspect = (value: unknown) => inspectValue(value, { depth: 4, maxStringLength: 60, maxArrayLength: 10 })
