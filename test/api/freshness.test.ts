// Random file changes between reads: a read always returns what a fresh computation would.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FileStat } from '../../src/files/files.js'
import type { AnalyzeContext, ComputeContext, Namespace } from '../../src/index.js'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { printedSeed, randomFrom } from '../support/random.js'

const NAMES = ['a', 'b', 'c', 'd']
const CONTENTS = ['one', 'two', 'six', 'nineteen', '']
const STEPS = 1500

/** What stands at a path: its text, its names, or that nothing does. */
function stateOf(path: string): string {
  if (!existsSync(path)) return 'absent'
  return statSync(path).isDirectory() ? readdirSync(path).sort().join() : readFileSync(path, 'utf8')
}

/** A tree that a generator changes in the ways that editors, build tools and git do. */
function changingTree(random: (below: number) => number) {
  const root = temporaryDirectory()
  const tree = join(root, 'tree')
  mkdirSync(join(tree, 'dir'), { recursive: true })
  const pick = <T>(list: readonly T[]) => list[random(list.length)] as T
  const fileAt = () => join(tree, pick(['.', 'dir']), pick(NAMES))
  const write = (path: string) => existsSync(join(path, '..')) && writeFileSync(path, pick(CONTENTS))
  const changes: (() => unknown)[] = [
    () => write(fileAt()),
    () => write(fileAt()),
    () => rmSync(fileAt(), { force: true }),
    // An atomic save.
    () => write(join(tree, 'save')) && renameSync(join(tree, 'save'), fileAtOr(tree)),
    // A touch.
    () => {
      const path = fileAt()
      if (existsSync(path)) utimesSync(path, new Date(), pick([new Date(), new Date(1000), new Date(2000)]))
    },
    // Another content of the same size with the times put back.
    () => {
      const path = fileAt()
      if (!existsSync(path)) return
      const { atime, mtime } = statSync(path)
      writeFileSync(path, readFileSync(path, 'utf8').split('').reverse().join(''))
      utimesSync(path, atime, mtime)
    },
    // Two files change places.
    () => {
      const [one, other] = [fileAt(), fileAt()]
      if (one === other || !existsSync(one) || !existsSync(other)) return
      renameSync(one, `${one}.swap`)
      renameSync(other, one)
      renameSync(`${one}.swap`, other)
    },
    // A checkout of another branch, and back.
    () => {
      const branch = join(root, `branch-${random(3)}`)
      if (existsSync(branch)) {
        rmSync(tree, { recursive: true })
        cpSync(branch, tree, { recursive: true, preserveTimestamps: random(2) === 0 })
      } else cpSync(tree, branch, { recursive: true })
    },
    // A directory goes away under another name, and comes back.
    () => {
      const [dir, away] = [join(tree, 'dir'), join(tree, 'away')]
      if (existsSync(dir) && !existsSync(away)) renameSync(dir, away)
      else if (existsSync(away) && !existsSync(dir)) renameSync(away, dir)
    },
  ]
  function fileAtOr(directory: string) {
    const path = fileAt()
    return existsSync(join(path, '..')) ? path : join(directory, pick(NAMES))
  }
  return { root, tree, pick, fileAt, change: () => pick(changes)() }
}

const coarse = (stat: FileStat, stepMs: number): FileStat => ({
  ...stat,
  mtimeMs: stat.mtimeMs - (stat.mtimeMs % stepMs),
  ctimeMs: stat.ctimeMs - (stat.ctimeMs % stepMs),
})

/** Returns once the file system's clock shows another time. */
function passTick(directory: string): void {
  const probe = join(directory, 'probe')
  const tick = () => {
    writeFileSync(probe, '')
    return statSync(probe).ctimeMs
  }
  const before = tick()
  while (tick() === before);
}

const readOr = (context: ComputeContext, path: string) => {
  try {
    return context.readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return 'absent'
  }
}

const seed = printedSeed('freshness')

test.each([
  ['with trusted fingerprints', 3_600_000, 0],
  ['with every fingerprint racy', 0, 0],
  ['with file times in steps of 2 s', 0, 2000],
])('a read returns only what a fresh computation would: %s', (_when, aheadMs, stepMs) => {
  const random = randomFrom(seed)
  const { root, tree, pick, fileAt, change } = changingTree(random)
  const files = interceptedFiles(
    call => {
      const result = call.proceed()
      return call.name === 'stat' && stepMs > 0 && result ? coarse(result as FileStat, stepMs) : result
    },
    { now: () => Date.now() + aheadMs },
  )
  const open = (): Namespace[] => {
    const { cache } = openAsAnotherProcess(join(root, 'cache'), {}, { files })
    return [
      cache.namespace('tool', { project: tree }),
      cache.namespace('tool', { project: tree }),
      cache.namespace('other'),
    ]
  }
  let spaces = open()
  const counts = { hits: 0, reads: 0 }
  /** The paths that each key stands for. */
  const keys = new Map(
    Array.from({ length: 12 }, (_, index) => {
      const paths = [fileAt(), fileAt(), pick([join(tree, 'dir'), tree, fileAt()])]
      return [`key ${index}`, paths.slice(0, 1 + random(3))] as [string, string[]]
    }),
  )
  const actions = [
    (entries: Namespace, key: string, paths: string[]) => {
      const value = entries.get(key)
      counts.reads++
      if (value === undefined) entries.set(key, paths.map(stateOf), { files: paths })
      else expect(value).toEqual(paths.map(stateOf))
      counts.hits += value === undefined ? 0 : 1
    },
    (entries: Namespace, key: string, paths: string[]) => {
      const value = entries.getOrSetSync(`computed ${key}`, context =>
        paths.map(path => {
          if (existsSync(path) && statSync(path).isDirectory()) context.readDirectory(path)
          else return readOr(context, path)
          return stateOf(path)
        }),
      )
      expect(value).toEqual(paths.map(stateOf))
    },
    (entries: Namespace, _key: string, paths: string[]) => {
      const path = paths[0] as string
      if (!existsSync(path)) return
      const value = entries.analyzeSync('source', path, ({ source }) => [source])
      expect(value).toEqual([stateOf(path)])
    },
    (entries: Namespace, key: string, paths: string[]) => {
      const path = paths[0] as string
      if (!existsSync(path)) return
      const others = (keys.get(key) as string[]).slice(1).filter(other => NAMES.includes(other.slice(-1)))
      const compute = (context: AnalyzeContext) => [context.source, ...others.map(other => readOr(context, other))]
      expect(entries.analyzeSync(key, path, compute)).toEqual([path, ...others].map(stateOf))
    },
  ]
  for (let step = 0; step < STEPS; step++) {
    if (random(3) === 0) {
      // A fingerprint that is trusted was taken, at the latest, one step of the file system's clock before the change.
      if (aheadMs > 0) passTick(root)
      change()
    }
    if (random(100) === 0) spaces = open()
    const [key, paths] = pick([...keys])
    try {
      pick(actions)(pick(spaces), key, paths)
    } catch (error) {
      throw new Error(`Step ${step} with TEST_SEED=${seed}`, { cause: error })
    }
  }
  // A test in which nothing was ever found would prove nothing.
  expect(counts.hits / counts.reads).toBeGreaterThan(0.2)
})
