// Stores what was computed. The entry is written only if its key still has the epoch in which the computation began: since then
// the key was not set, deleted, invalidated or cleared. A current answer for another state of the inputs is kept beside the new
// one.

import { CacheError } from '../base/errors.js'
import { makeCurrent } from '../entries/answers.js'
import type { Entries } from '../entries/entries.js'
import { foldedInputs } from '../entries/folded-inputs.js'
import { afterStore } from '../entries/write.js'
import type { Entry } from '../manifest/entry.js'
import type { Answer } from './computation.js'
import { leaseOfOthers } from './leases.js'
import type { Ask } from './question.js'
import type { Recorder } from './recorder.js'
import type { Taken } from './remote.js'

export interface Computed {
  question: Ask
  epoch: number
  answer: Answer
  bytes: Buffer
  computeMs: number
  /** How much longer than its ttl the answer is kept, in ms. */
  staleMs: number
  /** When the result was computed, if another machine computed it. */
  createdAt?: number | undefined
}

/** How often to retry when other processes change the same head. Failing more often is not a race. */
const MAX_ATTEMPTS = 100

/** Whether the result was stored. */
export function commit(entries: Entries, computed: Computed): boolean {
  const { epoch } = computed
  const { key } = computed.question
  let isStored = false
  const isDone = entries.write(() => {
    const { blobs, manifest } = entries.store
    const stored = blobs.putOne(computed.bytes)
    const [blob] = stored.refs
    if (!blob) return
    const entry = entryOf(entries, computed, blob)
    isStored = swapHead(entries, computed, entry)
    // A gc that didn't find the value may have dropped the entry before `confirm`.
    while (blobs.confirm(stored) && isStored) {
      const found = manifest.look(key)
      const { head = { epoch } } = found
      if (found.entry || found.removal?.cause !== 'evicted' || head.epoch !== epoch) break
      isStored = makeCurrent(entries.store, key, { ...found, head }, entry)
    }
    if (isStored) afterStore(entries, 1, computed.bytes.length)
  })
  return isDone && isStored
}

/** Stores an answer of another machine under the epoch of its key. Returns false if the key was changed meanwhile. */
export function storeTaken(entries: Entries, question: Ask, epoch: number, taken: Taken): boolean {
  const { bytes, computeMs, createdAt, expiresAt } = taken
  const inputs = entries.attempt(undefined, () => foldedInputs(entries.store, taken.inputs))
  if (!inputs) return false
  return commit(entries, { question, epoch, answer: { inputs, expiresAt }, bytes, computeMs, createdAt, staleMs: 0 })
}

function entryOf(entries: Entries, computed: Computed, blob: Entry['blob']): Entry {
  const { question, epoch, answer, computeMs, staleMs } = computed
  const { store, project } = entries
  const now = store.now()
  const { createdAt = now } = computed
  return {
    blob,
    createdAt,
    usedAt: now,
    epoch,
    ttlMs:
      answer.expiresAt === Number.POSITIVE_INFINITY ? undefined : Math.max(1, answer.expiresAt - createdAt + staleMs),
    computeMs,
    question: question.digest,
    seenIn: question.isPortable ? project?.dir : undefined,
    inputs: answer.inputs.length === 0 ? undefined : answer.inputs,
  }
}

function swapHead({ store }: Entries, { question, epoch }: Computed, entry: Entry): boolean {
  const { key } = question
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const found = store.manifest.look(key)
    const { head } = found
    if (head?.epoch !== epoch) return false
    if (makeCurrent(store, key, { ...found, head: { ...head, lease: leaseOfOthers(head.lease) } }, entry)) return true
    store.environment.tick.end()
  }
  return false
}

/**
 * Whether an answer that should be portable is valid in this checkout only, because no file of the project is among its inputs,
 * an input is outside of the checkout, or the value contains the project's path.
 */
export function isBoundToProject(entries: Entries, question: Ask, recorder: Recorder, bytes: Buffer): boolean {
  const { project, store } = entries
  if (!project) return true
  if (question.isPromised && !entries.attempt(false, () => recorder.hasFileInProject)) return true
  if (entries.attempt(true, () => recorder.hasFileElsewhere)) return true
  // The outermost directory is part of all paths below it.
  const { top, alias } = project
  if (!holdsPath(bytes, top) && !(alias !== undefined && holdsPath(bytes, alias))) return false
  if (question.isPromised) {
    const message =
      `A result in the portable namespace ${JSON.stringify(store.name)} holds the path of its project, ` +
      `${project.dir}: it counts in this checkout only.`
    store.report(new CacheError('ERR_CACHE_PORTABLE', message))
  }
  return true
}

/** The ways in which a path may be written, by path. */
const formsOfPaths = new Map<string, Buffer[]>()
const MAX_PATHS = 64

/** Whether the bytes contain the path: as it is, with slashes, escaped as in JSON or in JSON within JSON, or as a URL. */
function holdsPath(bytes: Buffer, path: string): boolean {
  if (process.platform === 'win32') return holdsWindowsPath(bytes.toString('latin1'), path)
  return formsOf(path).some(form => holdsName(bytes, form))
}

function formsOf(path: string): Buffer[] {
  const known = formsOfPaths.get(path)
  if (known) return known
  const json = inJson(path)
  const url = process.getBuiltinModule('node:url').pathToFileURL(path).pathname
  const forms = Array.from(new Set([path, json, inJson(json), encodeURI(path), url]), form => Buffer.from(form))
  if (formsOfPaths.size >= MAX_PATHS) formsOfPaths.clear()
  formsOfPaths.set(path, forms)
  return forms
}

/** With separators of both kinds, in JSON doubled, and letters in either case; drive letters have a form of their own in URLs. */
export function holdsWindowsPath(bytes: string, path: string): boolean {
  const names = path.replace(/^[a-z]:(?=[\\/].)/i, '').split(/[\\/]/)
  return [names, names.map(encodeURIComponent)].some(parts => {
    const quoted = parts.map(part => Buffer.from(part).toString('latin1').replace(/[^\w]/g, '\\$&'))
    return new RegExp(`${quoted.join('[\\\\/]{1,4}')}(?![\\w-])`, 'i').test(bytes)
  })
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** The path must not be the beginning of a longer name: `/apple` doesn't contain `/app`. */
function holdsName(bytes: Buffer, form: Buffer): boolean {
  for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, at + 1)) {
    const next = bytes[at + form.length]
    if (next === undefined || !/[\w-]/.test(String.fromCharCode(next))) return true
  }
  return false
}
