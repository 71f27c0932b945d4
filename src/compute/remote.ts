// Questions to the remote tier: how their answers are named there, whether an answer is valid here, and what is uploaded.
//
// An answer of another machine is treated as if it had been computed here: each of its inputs is checked in this checkout, and
// the states found here are stored. So an answer that isn't valid here is a miss, whatever the store says.

import type { MissReason } from '../api/index.js'
import { errnoOf } from '../base/errors.js'
import { answerTimeName } from '../counters/answer-times.js'
import type { CounterName } from '../counters/names.js'
import type { Entries } from '../entries/entries.js'
import { type Input, isSameState, lookOf } from '../inputs/input.js'
import type { Snapshot } from '../inputs/snapshot.js'
import type { Entry } from '../manifest/entry.js'
import { isVoidEpoch } from '../manifest/epochs.js'
import { labelOf, nameOf } from '../manifest/owner.js'
import { isExpired } from '../policy/policy.js'
import { isWithin } from '../project/paths.js'
import type { Answered } from '../remote/envelope.js'
import { fullDigest, questionName, stateName } from '../remote/names.js'
import type { RemoteTier, Reply } from '../remote/tier.js'
import { MAX_INPUTS, travelling, travels } from '../remote/travel.js'
import type { Answer } from './computation.js'
import type { Ask } from './question.js'

/** An answer that is valid here. */
export interface Taken extends Answer {
  value: unknown
  bytes: Buffer
  createdAt: number
  computeMs: number
}

/** Reasons for a miss after which a caller wants the value recomputed. */
const WANTED_ANEW: readonly MissReason[] = ['deleted', 'invalidated', 'refresh', 'no-project']

/** Whether the question is one that other machines may have answered; `epoch` is that of the key. */
export function isAsked(entries: Entries, question: Ask, reason: MissReason, epoch: number | undefined): boolean {
  if (!mayTravel(entries, question) || entries.store.mode === 'refresh') return false
  return !isVoidEpoch(epoch) && !WANTED_ANEW.includes(reason)
}

function mayTravel({ project, store }: Entries, { isPortable, isUnkept }: Ask): boolean {
  return isPortable && !isUnkept && project !== undefined && store.mode !== 'off'
}

/**
 * Returns the answer of another machine; undefined if none is valid here. `isWanted`: asks even if computing may be quicker.
 * Never rejects.
 */
export async function askRemote(
  entries: Entries,
  question: Ask,
  tier: RemoteTier,
  isWanted = false,
): Promise<Taken | undefined> {
  if (!tier.isAsking(isWanted ? undefined : kindOf(entries, question))) {
    note(entries, question, tier, 'skipped', 'remote-skipped')
    return undefined
  }
  const name = entries.attempt(undefined, () => nameFor(entries, question, tier, entries.store.snapshot()))
  if (name === undefined) return undefined
  const first = counted(entries, question, tier, await tier.get(name))
  if (!first) return undefined
  const taken = take(entries, question, first)
  // Its inputs have other states here: these lead to the second name.
  const state = taken ? undefined : stateHere(entries, question, first)
  const second = state && counted(entries, question, tier, await tier.get(stateName(name, state)))
  const found = taken ?? (second && take(entries, question, second))
  if (found || second || !state) {
    tier.countAnswer(found !== undefined)
    if (found) tier.worth.saved(found.computeMs)
    note(entries, question, tier, found ? 'hit' : 'miss', found ? 'remote-hits' : 'remote-misses')
  }
  return found
}

/** Returns the answer in a reply, or undefined if there is none. Counts the reply. */
function counted(entries: Entries, question: Ask, tier: RemoteTier, reply: Reply): Answered | undefined {
  if ('tookMs' in reply) entries.count(answerTimeName(reply.tookMs))
  if (reply.kind === 'answer') {
    entries.count('remote-bytes-in', reply.sizeBytes)
    return reply.answered
  }
  if (reply.kind === 'rejected') note(entries, question, tier, `rejected: ${reply.rejection}`, 'remote-rejected')
  else note(entries, question, tier, reply.kind === 'missing' ? 'miss' : reply.kind, COUNTS[reply.kind])
  return undefined
}

const COUNTS = { missing: 'remote-misses', error: 'remote-errors', skipped: 'remote-skipped' } as const

/** Counts what the remote said, and remembers it for `explain`. */
function note(entries: Entries, { key }: Ask, tier: RemoteTier, said: string, count: CounterName): void {
  entries.count(count)
  tier.note(entries.store.name, entries.store.manifest.partsOf(key), said)
}

/** Names a group of computations that take about as long as each other. */
export function kindOf(entries: Entries, { key }: Ask): string {
  const parts = entries.store.manifest.partsOf(key)
  return `${entries.store.name} ${parts.kind} ${nameOf(parts) ?? labelOf(parts)}`
}

/** Returns undefined if the analyzed file can't be read. @throws errors that aren't the file system's */
export function nameFor(entries: Entries, question: Ask, tier: RemoteTier, snapshot: Snapshot): string | undefined {
  if (!isLasting(question, snapshot)) return undefined
  const content = contentOf(question, snapshot)
  if (question.subject && !content) return undefined
  const { scope, epoch } = tier.settings
  const { key, digest } = question
  return questionName({ scope, epoch, namespace: entries.store.name, key: key.bytes, digest, content })
}

/** A pipe or a device can be read only once, which the computation does. */
function isLasting({ subject, asker }: Ask, snapshot: Snapshot): boolean {
  if (!subject || asker.text || asker.file === undefined) return true
  const source = snapshot.source(asker.file)
  return source.stat?.kind === 'file' && !source.isUnrecordable
}

/** The SHA-256 of what is analyzed, as it is now. */
function contentOf({ subject }: Ask, snapshot: Snapshot): Buffer | undefined {
  try {
    const read = subject?.(snapshot)
    return read?.isAsAsked ? fullDigest(read.bytes) : undefined
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}

/** Returns the answer with the current states of its inputs in this checkout. */
export function take(entries: Entries, question: Ask, answered: Answered): Taken | undefined {
  const { store } = entries
  const now = store.now()
  const createdAt = Math.min(answered.createdAt, now)
  const lifetimeMs = Math.min(answered.ttlMs, question.ttlMs ?? Number.POSITIVE_INFINITY)
  if (lifetimeMs !== Number.POSITIVE_INFINITY && isExpired(answered.createdAt, lifetimeMs, now)) return undefined
  return quietly(() => {
    const inputs = restated(entries, question, answered)
    if (!inputs?.every((input, at) => isSameState(input, answered.inputs[at] as Input))) return undefined
    const value = entries.decode(answered.bytes)
    if (value === undefined || !entries.isAsExpected(value)) return undefined
    const expiresAt = createdAt + answered.ttlMs
    return { value, bytes: answered.bytes, inputs, expiresAt, createdAt, computeMs: answered.computeMs }
  })
}

function stateHere(entries: Entries, question: Ask, answered: Answered): Input[] | undefined {
  return quietly(() => restated(entries, question, answered))
}

/**
 * Returns the current states of the inputs in this checkout; undefined if one of them leads out of the checkout or can't be
 * recorded.
 */
function restated(entries: Entries, question: Ask, { inputs }: Answered): Input[] | undefined {
  const { project, store } = entries
  const snapshot = store.snapshot()
  const { asker } = question
  const isHere = (input: Input) => {
    if (!travels(input)) return false
    const path = snapshot.pathOf(input, asker)
    return path === undefined || path === asker.file || (project !== undefined && isWithin(path, project.top))
  }
  const isTaken = inputs.length <= MAX_INPUTS && inputs.every(isHere) && isAbout(question, inputs)
  return isTaken ? snapshot.restate(inputs, asker) : undefined
}

/** The inputs of an analysis must include the content, unless it is part of the key. */
function isAbout({ subject, content }: Ask, inputs: readonly Input[]): boolean {
  return !subject || content !== undefined || inputs.some(({ kind, path }) => kind === 'file' && path === '')
}

/** Decodes bytes that other machines made. Whatever fails, there is no answer. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

/** Queues the answer for upload, if it is valid on other machines. Never throws. */
export function offerRemote(entries: Entries, question: Ask, answer: Answer, bytes: Buffer, computeMs: number): void {
  const { store } = entries
  if (!mayTravel(entries, question)) return
  const tier = store.remote()
  tier?.worth.computed(kindOf(entries, question), computeMs)
  if (!tier?.canWrite) return
  const inputs = entries.attempt(undefined, () => travelling(answer.inputs, id => store.lists.load(id)))
  if (!inputs || !isAbout(question, inputs)) return
  const name = entries.attempt(undefined, () => nameFor(entries, question, tier, store.snapshot()))
  if (name === undefined || !isOfContent(entries, question, inputs)) return
  const createdAt = store.now()
  const ttlMs = answer.expiresAt - createdAt
  if (!(ttlMs > 0)) return
  const answered: Answered = { bytes, inputs, createdAt, ttlMs, computeMs }
  tier.offer({
    sizeBytes: bytes.length,
    make: () => ({ names: namesOf(name, inputs), answered }),
    done(sentBytes) {
      entries.count(sentBytes === undefined ? 'remote-dropped' : 'remote-uploads')
      if (sentBytes !== undefined) entries.count('remote-bytes-out', sentBytes)
    },
  })
}

/**
 * Returns a stored answer for other machines; undefined if it isn't valid here, or valid only here. @throws errno-style errors
 */
export function answeredFrom(entries: Entries, question: Ask, entry: Entry): Answered | undefined {
  const { store } = entries
  const { createdAt, ttlMs = Number.POSITIVE_INFINITY, computeMs = 0 } = entry
  if (entries.validate(entry, question.asker).reason !== undefined) return undefined
  const inputs = travelling(entry.inputs ?? [], id => store.lists.load(id))
  if (!inputs || !isAbout(question, inputs)) return undefined
  const bytes = store.blobs.get(entry.blob)
  return bytes && { bytes: Buffer.from(bytes), inputs, createdAt, ttlMs, computeMs }
}

/** An answer needs a second name only if it depends on more than the content. */
export function namesOf(name: string, inputs: readonly Input[]): string[] {
  const isContentOnly = inputs.every(({ kind, path }) => path === '' && lookOf(kind) === 'file')
  return isContentOnly ? [name] : [name, stateName(name, inputs)]
}

/** Whether the file still has the analyzed content. The name was made of its current content. */
function isOfContent(entries: Entries, { asker, subject, content }: Ask, inputs: readonly Input[]): boolean {
  if (!subject || content) return true
  const analyzed = inputs.find(({ kind, path }) => kind === 'file' && path === '')
  const now = analyzed && entries.attempt(undefined, () => entries.store.snapshot().now(analyzed, asker))
  return now !== undefined && isSameState(now, analyzed as Input)
}
