// Installs the plugin's files in a directory that may contain other files. A record lists our files with their hashes. A file
// that differs from the record belongs to someone else and stays.

import { createHash, randomBytes } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const RECORD = '.wicked-cache-setup.json'
/** The directory that Python creates beside cache.py. */
const COMPILED = /^__pycache__$|\.pyc$/

/** Paths with `/`, relative to the directory. */
export interface Report {
  created: string[]
  updated: string[]
  unchanged: string[]
  removed: string[]
  /** Files that are not ours. */
  kept: string[]
}

type Hashes = Record<string, string>

export class Installation {
  readonly #source: string
  readonly #target: string
  readonly #isDryRun: boolean

  constructor(source: string, target: string, isDryRun: boolean) {
    this.#source = source
    this.#target = target
    this.#isDryRun = isDryRun
  }

  /** The link or file that is where a directory should be. */
  obstacle(): string | undefined {
    const directories = new Set([this.#target, ...filesBelow(this.#source).map(path => dirname(this.#at(path)))])
    return [...directories].find(path => kindOf(path) !== 'absent' && kindOf(path) !== 'directory')
  }

  /** Whether the directory is a link. */
  isLinked(): boolean {
    return kindOf(this.#target) === 'other'
  }

  /** Whether the directory is the plugin itself, or a link to it. */
  isItself(): boolean {
    return isSameDirectory(this.#target, this.#source)
  }

  put(): Report {
    const report: Report = { created: [], updated: [], unchanged: [], removed: [], kept: [] }
    const recorded = this.#recorded()
    const ours: Hashes = {}
    for (const path of filesBelow(this.#source)) {
      const hash = hashOf(join(this.#source, path)) as string
      const present = hashOf(this.#at(path))
      const isOurs = present === undefined || present === hash || present === recorded[path]
      if (isOurs) ours[path] = hash
      if (!isOurs) report.kept.push(path)
      else if (present === hash) report.unchanged.push(path)
      else {
        report[present === undefined ? 'created' : 'updated'].push(path)
        this.#copy(path)
      }
    }
    const gone = Object.keys(recorded).filter(path => !(path in ours) && !report.kept.includes(path))
    for (const path of gone) this.#remove(path, recorded, report)
    this.#write(RECORD, `${JSON.stringify({ files: ours }, undefined, 2)}\n`, 0o644)
    return report
  }

  remove(): Report {
    const report: Report = { created: [], updated: [], unchanged: [], removed: [], kept: [] }
    const recorded = this.#recorded()
    for (const path of Object.keys(recorded)) this.#remove(path, recorded, report)
    if (!this.#isDryRun) {
      rmSync(this.#at(RECORD), { force: true })
      removeIfEmpty(this.#target)
    }
    return report
  }

  #at(path: string): string {
    return join(this.#target, path)
  }

  #recorded(): Hashes {
    const path = this.#at(RECORD)
    if (kindOf(path) !== 'file') return {}
    try {
      const { files } = JSON.parse(readFileSync(path, 'utf8')) as { files?: Hashes }
      const isInside = (name: string) => !name.split(/[\\/]/).includes('..')
      return Object.fromEntries(Object.entries(files ?? {}).filter(([name]) => isInside(name)))
    } catch (error) {
      if (error instanceof SyntaxError) return {}
      throw error
    }
  }

  #copy(path: string): void {
    const from = join(this.#source, path)
    this.#write(path, readFileSync(from), statSync(from).mode & 0o777)
  }

  /** Replaces the file in one step, because a process may be reading it. */
  #write(path: string, content: Buffer | string, mode: number): void {
    if (this.#isDryRun) return
    const to = this.#at(path)
    makeDirectory(dirname(to))
    const temporary = `${to}.${randomBytes(6).toString('hex')}`
    writeFileSync(temporary, content, { mode, flag: 'wx' })
    renameSync(temporary, to)
  }

  #remove(path: string, recorded: Hashes, report: Report): void {
    const present = hashOf(this.#at(path))
    if (present === undefined) return
    if (present !== recorded[path]) {
      report.kept.push(path)
      return
    }
    report.removed.push(path)
    if (this.#isDryRun) return
    rmSync(this.#at(path))
    for (let directory = dirname(path); directory !== '.'; directory = dirname(directory)) {
      removeCompiled(this.#at(directory))
      if (!removeIfEmpty(this.#at(directory))) break
    }
  }
}

/** Creates the directories one by one: below /proc, Node's recursive mkdir never ends. */
function makeDirectory(path: string): void {
  if (kindOf(path) === 'directory') return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    // Another process has created it, or a link leads to a directory.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function kindOf(path: string): 'absent' | 'directory' | 'file' | 'other' {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return 'absent'
  return stat.isDirectory() ? 'directory' : stat.isFile() ? 'file' : 'other'
}

function isSameDirectory(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Undefined if nothing is there. */
function hashOf(path: string): string | undefined {
  const kind = kindOf(path)
  if (kind === 'absent') return undefined
  return kind === 'file' ? createHash('sha256').update(readFileSync(path)).digest('hex') : kind
}

function filesBelow(directory: string, prefix = ''): string[] {
  return readdirSync(join(directory, prefix), { withFileTypes: true })
    .filter(({ name }) => !COMPILED.test(name))
    .flatMap(entry => {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
      return entry.isDirectory() ? filesBelow(directory, path) : [path]
    })
    .sort()
}

function removeCompiled(directory: string): void {
  const isAll = readdirSync(directory).every(name => COMPILED.test(name))
  if (isAll) rmSync(join(directory, '__pycache__'), { recursive: true, force: true })
}

function removeIfEmpty(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}
