// Turns the keys of portable answers into the questions that they answer in a checkout.

import { isAbsolute, join, resolve } from 'node:path'
import type { Ask } from '../compute/question.js'
import { contentOf, nameOfContent } from '../entries/content-name.js'
import { Entries, type EntryOptions } from '../entries/entries.js'
import type { NamespaceStore } from '../entries/store.js'
import type { Snapshot } from '../inputs/snapshot.js'
import { keyStart } from '../manifest/key.js'
import { parseKey } from '../manifest/key-parts.js'
import { recordPath } from '../project/paths.js'
import { type Project, workingDirectory } from '../project/project.js'
import { FilesByContent } from './files-by-content.js'

export interface Asked {
  entries: Entries
  question: Ask
}

/** The options under which the entries of any plugin are read. */
export const OPTIONS: Omit<EntryOptions, 'version'> = {
  strategy: 'auto',
  isPortable: true,
  validate: undefined,
  isJson: false,
  cyclic: false,
  classInstances: 'refuse',
}
/** A name that stands for a file's content. */
const BY_CONTENT = /^sha256 [0-9a-f]{32}$/

/** The project to look in; undefined if there is none. */
export function projectIn({ projects }: NamespaceStore, given: string | undefined): Project | undefined {
  const directory = given === undefined ? workingDirectory() : resolve(given)
  if (directory === undefined) return undefined
  return given === undefined ? projects.of(directory) : projects.at(directory)
}

/** The questions of one checkout. */
export class Questions {
  readonly #project: Project
  #files: FilesByContent | undefined

  constructor(project: Project) {
    this.#project = project
  }

  /** Returns undefined for a key that is not a portable answer's, and `elsewhere` if no file of the checkout has its content. */
  ask(store: NamespaceStore, keyBytes: Buffer, digest: Buffer | undefined): Asked | 'elsewhere' | undefined {
    const { version, scope, kind, key, isAnswer, project: dir } = parseKey(keyBytes)
    if (scope !== 'portable' || isAnswer || dir !== '' || keyStart(keyBytes) >= keyBytes.length) return undefined
    const project = this.#project
    const entries = new Entries(store, { ...OPTIONS, version }, project, false)
    const place = kind === 'analysis' ? key.slice(key.indexOf('\0') + 1) : undefined
    if (place !== undefined && (isAbsolute(place) || place === '')) return undefined
    const isByContent = place !== undefined && BY_CONTENT.test(place)
    const file = place === undefined ? undefined : isByContent ? this.#fileOf(entries, place) : join(project.dir, place)
    if (isByContent && file === undefined) return 'elsewhere'
    const path = file === undefined ? undefined : recordPath(project, file).path
    const question: Ask = {
      key: entries.keyOf(key, kind, 'portable'),
      asker: entries.asker(file, path),
      digest,
      ttlMs: undefined,
      isPortable: true,
      isPromised: false,
      isUnkept: false,
      files: [],
      namesRelative: false,
      content: isByContent ? contentOf(entries, file as string) : undefined,
      subject: file === undefined ? undefined : snapshot => subjectAt(entries, snapshot, file, path ?? '', place),
      onResult: undefined,
      compute: () => undefined,
    }
    return { entries, question }
  }

  #fileOf(entries: Entries, content: string): string | undefined {
    this.#files ??= new FilesByContent(entries)
    return this.#files.find(content)
  }
}

/** @throws an errno-style error where there is no file */
function subjectAt(entries: Entries, snapshot: Snapshot, path: string, relativePath: string, place = '') {
  const source = snapshot.source(path)
  const isFile = source.input(true)?.kind === 'file'
  if (!isFile || !source.content) throw Object.assign(new Error(`ENOENT: no file at ${path}`), { code: 'ENOENT' })
  const bytes = source.content
  const isAnywhere = BY_CONTENT.test(place)
  const isAsAsked = !isAnywhere || place === nameOfContent(entries.store.environment.hashing.contentDigest(bytes))
  return { path, relativePath, bytes, text: undefined, isAnywhere, isAsAsked }
}
