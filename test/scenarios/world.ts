// The surroundings of one run: a fresh directory with the tree and the cache root.
//
//   <temporary directory>/tree/           the working directory, a copy of the scenario's own
//                        /home/cache/     the cache root, with a level to spare above it for names that try `..`
//                        /meetings/       how computations wait for each other

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { setDifferences } from './compare.js'
import type { TreeStep } from './format.js'
import { changeTree } from './tree.js'

/** Whole seconds: only those survive being read and set again, see `keepTimes`. */
const TREE_TIME = new Date('2024-02-29T12:00:00Z')
/** What file systems count time in, at most: what is older than this isn't of now. */
const CLOCK_STEP_MS = 25

export class World {
  tree = ''
  cacheDir = ''
  meetings = ''
  #dir = ''
  /** What the steps made of the tree. */
  #expectedPaths = new Set<string>()

  constructor(startingTree: string | undefined) {
    this.#settle()
    if (startingTree === undefined) mkdirSync(this.tree)
    else cpSync(startingTree, this.tree, { recursive: true })
    this.#expectedPaths = new Set(pathsBelow(this.tree))
    for (const path of this.#expectedPaths) utimesSync(join(this.tree, path), TREE_TIME, TREE_TIME)
  }

  #settle(): void {
    // Without links in it, as file names are compared later on.
    this.#dir = realpathSync(mkdtempSync(join(tmpdir(), 'wicked-cache-scenario-')))
    this.tree = join(this.#dir, 'tree')
    this.cacheDir = join(this.#dir, 'home', 'cache')
    this.meetings = join(this.#dir, 'meetings')
    mkdirSync(dirname(this.cacheDir))
    mkdirSync(this.meetings)
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }

  /** As a build server restores it: the tree at another path with new times, and the cache directory copied. */
  moveToAnotherMachine(): void {
    const { tree, cacheDir } = this
    const before = this.#dir
    this.#settle()
    cpSync(tree, this.tree, { recursive: true, verbatimSymlinks: true })
    if (existsSync(cacheDir)) cpSync(cacheDir, this.cacheDir, { recursive: true })
    rmSync(before, { recursive: true })
  }

  /** Returns when all files of the tree are older than what the file system's clock can tell apart. */
  async letFilesAge(): Promise<void> {
    const newest = Math.max(...pathsBelow(this.tree).map(path => statSync(join(this.tree, path)).ctimeMs))
    const probe = join(this.meetings, 'probe')
    for (;;) {
      writeFileSync(probe, '')
      if (statSync(probe).ctimeMs > newest + CLOCK_STEP_MS) break
      rmSync(probe)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    rmSync(probe)
  }

  /** Texts with the run's own directories replaced, as a scenario can expect them. */
  withoutDirectories(text: string): string {
    const replace = (given: string, form: (path: string) => string) =>
      given.replaceAll(form(this.cacheDir), '{cache}').replaceAll(form(this.tree), '{tree}')
    const replaced = replace(text, path => path)
    if (sep === '/') return replaced
    // Paths behind them as they are elsewhere; in JSON, each separator is two.
    return replace(replaced, path => path.replaceAll('\\', '\\\\')).replace(/\{(?:cache|tree)\}[^\s"']*/g, path =>
      path.replace(/\\{1,2}/g, '/'),
    )
  }

  withDirectories(text: string): string {
    return text.replaceAll('{tree}', this.tree)
  }

  /** @throws StepError when the step changes nothing */
  do(step: TreeStep): void {
    changeTree(this.tree, step)
    this.note(step)
  }

  /** That a process has taken the step. */
  note(step: TreeStep): void {
    const paths = this.#expectedPaths
    if (step.step === 'write file') paths.add(step.file)
    if (step.step === 'remove file') paths.delete(step.file)
    if (step.step !== 'rename') return
    const { from, to } = step
    for (const path of [...paths]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      paths.delete(path)
      paths.add(to + path.slice(from.length))
    }
  }

  /** Files that the cache put where none of its files may be, and files of others that it took. */
  strayFiles(): string[] {
    return [
      ...setDifferences(['tree', 'home', 'meetings'], readdirSync(this.#dir)),
      ...readdirSync(dirname(this.cacheDir)).filter(name => name !== 'cache'),
      ...setDifferences([...this.#expectedPaths], pathsBelow(this.tree)),
    ]
  }
}

/** Files, not those behind links. */
function pathsBelow(dir: string, below = ''): string[] {
  return readdirSync(join(dir, below), { withFileTypes: true }).flatMap(entry => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    return entry.isDirectory() ? pathsBelow(dir, path) : entry.isFile() ? path : []
  })
}
