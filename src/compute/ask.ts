// A question is answered from the cache, or by computing: this is the main path of `getOrSet`, `analyze` and `wrap`.
//
// Who asks within a computation takes over what the answer depends on, whether it was stored, computed now, or computed for
// another caller meanwhile. So whatever is stored is valid for all that was seen on the way.

import type { MissReason } from '../api/index.js'
import { CacheError, isStackOverflow } from '../base/errors.js'
import type { Entries } from '../entries/entries.js'
import { filesOf } from '../entries/files-of.js'
import { type Hit, type Miss, missing, type Outcome } from '../entries/outcome.js'
import { inputOf } from '../inputs/input.js'
import type { Snapshot } from '../inputs/snapshot.js'
import { labelOf } from '../manifest/owner.js'
import { commit, isBoundToProject } from './commit.js'
import { type Answer, ancestorOf, between, Computation, isWaitingFor, type Result } from './computation.js'
import { runAsync, runSync, type Steps } from './driver.js'
import { currentFrame, enterAsync, type Frame, leaveAsync, runInAsyncFrame, runInFrame } from './frame.js'
import { handOn } from './hand-on.js'
import { dropLease, isWorthWaiting, letGo, newWait, PATIENCE_MS, takeLease } from './leases.js'
import type { Ask } from './question.js'
import { Recorder } from './recorder.js'
import { contextFor } from './setting.js'

/** Between two looks for a value that another process computes, ms: the first one at first, twice as long each time. */
const MIN_WAIT_MS = 1
const MAX_WAIT_MS = 50

/** Asynchronous computations of this thread that others may join, by question. */
const flights = new Map<string, Computation>()

/** @throws what `compute` throws */
export async function ask(entries: Entries, question: Ask): Promise<unknown> {
  const frame = currentFrame()
  if (frame?.isPlain) return computePlainly(entries, question, runInAsyncFrame)
  const parent = frame?.computation
  if (parent) return answerTo(entries, question, parent)
  try {
    return await answerTo(entries, question, undefined)
  } catch (error) {
    if (!isStackOverflow(error)) throw error
    enterAsync()
    try {
      return await computePlainly(entries, question, runInAsyncFrame)
    } finally {
      leaveAsync()
    }
  }
}

async function answerTo(entries: Entries, question: Ask, parent: Computation | undefined): Promise<unknown> {
  const id = idOf(entries, question)
  // By the time that there is a result, the working directory may be another one.
  question.place = parent?.recorder.workingDirectory
  for (let mayJoin = !question.isUnkept; ; ) {
    const found = lookUp(entries, question)
    if (found.reason === undefined) return hit(entries, question, found, parent)
    const flight = mayJoin ? flights.get(id) : undefined
    const isCircle = flight !== undefined && parent !== undefined && isWaitingFor(flight, parent)
    if (isCircle) markCircle(flight, parent)
    if (!flight || isCircle || !isOfEpoch(flight, found)) {
      const isStorable = !isCircle && ancestorOf(parent, id) === undefined
      return (await begin(entries, question, start(entries, id, parent, isStorable), found)).value
    }
    const joined = await join(entries, question, flight, parent)
    // It may be waiting for what this caller would do next.
    if (!joined && flights.get(id) === flight) flights.delete(id)
    const { bytes, answer, computeMs = 0 } = joined ?? {}
    if (bytes && answer && isStillValid(entries, question, answer)) {
      entries.count('hits')
      handOn(entries, question, parent, answer)
      tell(entries, question, true, undefined, answer, computeMs)
      return entries.decode(bytes)
    }
    // What can't be shared is computed by each of its callers at the same time, as without a cache.
    mayJoin = bytes !== undefined
  }
}

/** @throws the same */
export function askSync(entries: Entries, question: Ask): unknown {
  const frame = currentFrame()
  if (frame?.isPlain) return computePlainly(entries, question, runInFrame)
  const parent = frame?.computation
  if (parent) return answerToSync(entries, question, parent)
  try {
    return answerToSync(entries, question, undefined)
  } catch (error) {
    if (!isStackOverflow(error)) throw error
    return computePlainly(entries, question, runInFrame)
  }
}

function answerToSync(entries: Entries, question: Ask, parent: Computation | undefined): unknown {
  const found = lookUp(entries, question)
  if (found.reason === undefined) return hit(entries, question, found, parent)
  const id = idOf(entries, question)
  const ancestor = ancestorOf(parent, id)
  if (parent && ancestor) markCircle(ancestor, parent)
  const computation = start(entries, id, parent, ancestor === undefined)
  return runSync(compute(entries, question, computation, found, true)).value
}

function idOf(entries: Entries, { key, digest }: Ask): string {
  return `${entries.store.id} ${digest?.toString('hex') ?? ''} ${key.bytes.toString('latin1')}`
}

function lookUp(entries: Entries, question: Ask): Outcome {
  if (question.isUnkept) {
    if (entries.hasKeys || entries.store.mode === 'off') return missing('never-set')
    entries.reportNoProject()
    return missing('no-project')
  }
  // What was set in this checkout goes before what was computed for all of them.
  const set = question.setKey && entries.find(question.setKey, question)
  return set && set.reason === undefined ? set : entries.find(question.key, question)
}

/** Whether a computation is for the epoch that its key has now: nothing was set or removed since it began. */
function isOfEpoch(flight: Computation, { found }: Miss): boolean {
  return flight.epoch === undefined || flight.epoch === found?.head?.epoch
}

/** Undefined if it takes longer than is worth waiting for. */
async function join(
  entries: Entries,
  question: Ask,
  flight: Computation,
  parent: Computation | undefined,
): Promise<Result | undefined> {
  parent?.waitsFor.add(flight)
  const { setTimeout, clearTimeout } = process.getBuiltinModule('node:timers')
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, PATIENCE_MS, undefined)
  })
  try {
    return await Promise.race([flight.promise, patience])
  } catch (error) {
    handOn(entries, question, parent, flight.recorder)
    throw error
  } finally {
    clearTimeout(timer)
    parent?.waitsFor.delete(flight)
  }
}

/** Starts to compute, so that others can join. */
function begin(entries: Entries, question: Ask, computation: Computation, found: Miss): Promise<Result> {
  const { id } = computation
  enterAsync()
  const promise = runAsync(compute(entries, question, computation, found, false)).finally(() => {
    if (flights.get(id) === computation) flights.delete(id)
    leaveAsync()
  })
  computation.promise = promise
  if (!question.isUnkept && !flights.has(id)) {
    flights.set(id, computation)
    // The caller handles a failure, and so does each that joins.
    promise.catch(() => undefined)
  }
  return promise
}

function start(entries: Entries, id: string, parent: Computation | undefined, isStorable: boolean): Computation {
  const recorder = new Recorder(entries, entries.store.environment.files.now())
  const computation = new Computation(id, parent, recorder)
  computation.isStorable = isStorable
  return computation
}

/** A computation would wait for itself: nothing on the way of the circle can be stored. */
function markCircle(from: Computation, to: Computation): void {
  for (const computation of between(from, to)) computation.isStorable = false
}

function* compute(
  entries: Entries,
  question: Ask,
  computation: Computation,
  found: Miss,
  isSync: boolean,
): Steps<Result> {
  const { parent, recorder } = computation
  parent?.waitsFor.add(computation)
  const isKept = !question.isUnkept && entries.store.canWrite
  try {
    // A nested computation waits for no other process, which might wait for this one.
    const waited = isKept
      ? yield* lease(entries, question, computation, found, isSync, parent === undefined)
      : undefined
    if (waited)
      return { value: hit(entries, question, waited, parent), bytes: undefined, answer: undefined, computeMs: 0 }
    entries.count(found.reason)
    // What was looked at a moment ago needn't be read again.
    const before = computation.hasWaited ? undefined : found.snapshot
    return yield* run(entries, question, computation, found.reason, isSync, before ?? entries.store.snapshot())
  } catch (error) {
    // The one that asked may go on without the result, and depends on why there is none.
    handOn(entries, question, parent, recorder)
    throw error
  } finally {
    recorder.end()
    computation.hasEnded = true
    parent?.waitsFor.delete(computation)
    const { epoch } = computation
    if (epoch !== undefined) {
      letGo(question.key, epoch)
      if (!computation.isCommitted) {
        entries.attempt(undefined, () => dropLease(entries.store, question.key, epoch))
      }
    }
  }
}

/** Takes the lease, or waits for the value that another process computes; a hit, if that has stored it. */
function* lease(
  entries: Entries,
  question: Ask,
  computation: Computation,
  miss: Miss,
  isSync: boolean,
  mayWait: boolean,
): Steps<Hit | undefined> {
  const { store } = entries
  const wait = newWait()
  // The lease is taken only of the head that was found to hold no answer: another one may hold it.
  let { found } = miss
  for (let waitMs = MIN_WAIT_MS; ; ) {
    found ??= entries.attempt(undefined, () => store.manifest.look(question.key))
    if (!found) return undefined
    if (mayWait && isWorthWaiting(found, wait, isSync)) {
      computation.hasWaited = true
      yield { waitMs }
      waitMs = Math.min(2 * waitMs, MAX_WAIT_MS)
    } else {
      const head = found
      const epoch = entries.attempt(null, () => takeLease(store, question.key, head, isSync))
      // Nothing can be written, so that nothing will be stored.
      if (epoch === null) return undefined
      if (epoch !== undefined) {
        computation.epoch = epoch
        return undefined
      }
    }
    // The lease may be gone because its owner has just finished.
    store.environment.turn.end()
    const outcome = entries.find(question.key, question)
    if (outcome.reason === undefined) return outcome
    found = outcome.found
  }
}

/** Calls the caller's function, and stores what it returns. */
function* run(
  entries: Entries,
  question: Ask,
  computation: Computation,
  reason: MissReason,
  isSync: boolean,
  before: Snapshot,
): Steps<Result> {
  const { parent, recorder } = computation
  const frame: Frame = { computation, snapshots: currentFrame()?.snapshots }
  const enter = isSync ? runInFrame : runInAsyncFrame
  const context = contextFor(entries, question, recorder, { frame, enter, before })
  const startedAt = process.uptime()
  const value = yield { outcome: enter(frame, () => question.compute(context as never)) }
  const computeMs = (process.uptime() - startedAt) * 1000
  recorder.end()
  const result = finish(entries, question, computation, value, computeMs)
  handOn(entries, question, parent, result.answer ?? recorder)
  tell(entries, question, false, reason, result.answer ?? answerOf(recorder), computeMs)
  return result
}

/**
 * Without the cache, which takes some twenty times as much of the stack as a call: where that overflows, plain calls may not.
 * All within it are computed so, too.
 */
function computePlainly(entries: Entries, question: Ask, enter: typeof runInFrame): unknown {
  const outer = currentFrame()
  const frame: Frame = { computation: undefined, snapshots: outer?.snapshots, isPlain: true }
  const recorder = new Recorder(entries, entries.store.environment.files.now())
  const context = contextFor(entries, question, recorder, { frame, enter, before: entries.store.snapshot() })
  return outer?.isPlain ? question.compute(context as never) : enter(frame, () => question.compute(context as never))
}

function finish(entries: Entries, question: Ask, computation: Computation, value: unknown, computeMs: number): Result {
  const { recorder } = computation
  const unstored = { value, bytes: undefined, answer: undefined, computeMs }
  if (value === undefined) return unstored
  const bytes = encoded(entries, question, value)
  if (!bytes) return unstored
  if (!recorder.isRecordable || !computation.isStorable || question.isUnkept) return unstored
  if (question.isPortable && isBoundToProject(entries, question, recorder, bytes)) {
    recorder.add(inputOf('checkout', entries.project?.dir ?? ''))
  }
  const { epoch } = computation
  const isStored = epoch !== undefined
  const fold = () => (isStored ? entries.store.lists.fold(recorder.inputs, entries.store.now()) : recorder.inputs)
  const inputs = entries.attempt(undefined, fold)
  if (!inputs) return unstored
  const answer = { inputs, expiresAt: Math.min(recorder.expiresAt, entries.store.now() + (question.ttlMs ?? Infinity)) }
  if (isStored) computation.isCommitted = commit(entries, { question, epoch, answer, bytes, computeMs })
  return { value, bytes, answer, computeMs }
}

/** A result that can't be stored is returned all the same. */
function encoded(entries: Entries, question: Ask, value: unknown): Buffer | undefined {
  try {
    return Buffer.from(entries.encodeValue(value))
  } catch (error) {
    if (!(error instanceof CacheError)) throw error
    const { code, value: part } = error
    const label = labelOf(entries.store.manifest.partsOf(question.key))
    const where = `${JSON.stringify(label)} in the namespace ${JSON.stringify(entries.store.name)}`
    const message = `What is computed for ${where} is computed each time: ${error.message}`
    entries.store.report(new CacheError(code, message, { value: part, cause: error }))
    return undefined
  }
}

function hit(entries: Entries, question: Ask, { value, entry }: Hit, parent: Computation | undefined): unknown {
  entries.count('hits')
  const lifetimeMs = Math.min(entry.ttlMs ?? Number.POSITIVE_INFINITY, question.ttlMs ?? Number.POSITIVE_INFINITY)
  const answer = { inputs: entry.inputs ?? [], expiresAt: entry.createdAt + lifetimeMs }
  handOn(entries, question, parent, answer, entry)
  tell(entries, question, true, undefined, answer, entry.computeMs ?? 0)
  return value
}

function answerOf({ inputs, expiresAt }: Recorder): Answer {
  return { inputs, expiresAt }
}

/** Whether what another caller computed holds for one that asks now. */
function isStillValid(entries: Entries, { asker }: Ask, { inputs, expiresAt }: Answer): boolean {
  if (expiresAt <= entries.store.now()) return false
  return entries.attempt(
    false,
    () => entries.store.snapshot().validate(inputs, asker, entries.options.strategy).reason === undefined,
  )
}

function tell(
  entries: Entries,
  { onResult, asker, content }: Ask,
  isHit: boolean,
  reason: MissReason | undefined,
  { inputs }: Answer,
  computeMs: number,
): void {
  if (!onResult) return
  const files = entries.attempt([], () => filesOf(entries.store, content ? [content, ...inputs] : inputs, asker))
  onResult({ isHit, ...(reason === undefined ? {} : { reason }), files, computeMs })
}
