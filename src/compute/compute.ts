// Answers a question that has no stored result: the caller joins a computation of this process, waits for one of another
// process, or computes and stores the result.

import type { MissReason } from '../api/index.js'
import type { Entries } from '../entries/entries.js'
import type { Hit, Miss } from '../entries/outcome.js'
import type { Snapshot } from '../inputs/snapshot.js'
import { storeTaken } from './commit.js'
import { type Answer, ancestorOf, Computation, circleOf, markCircle, type Result } from './computation.js'
import { runAsync, runSync, type Steps } from './driver.js'
import { finish } from './finish.js'
import { currentFrame, type Frame } from './frame.js'
import { handOn } from './hand-on.js'
import { countHit, hit, lookUp, tell, traceAnswer } from './hit.js'
import { dropLease, isWorthWaiting, letGo, newWait, PATIENCE_MS, takeLease } from './leases.js'
import type { Ask } from './question.js'
import { Recorder } from './recorder.js'
import { askRemote, isAsked, offerRemote, type Taken } from './remote.js'
import { enterAsync, leaveAsync, runInAsyncFrame, runInFrame } from './run-in-frame.js'
import { contextFor } from './setting.js'

/**
 * Delays between two lookups of a value that another process computes, in ms. The first number is the first delay, which
 * doubles each time up to the second.
 */
const MIN_WAIT_MS = 1
const MAX_WAIT_MS = 50

/** The asynchronous computations of this thread that other callers may join, by question. */
const flights = new Map<string, Computation>()

/**
 * Returns the result of a question without a stored answer: another caller's, or one that is computed now. @throws what
 * `compute` throws
 */
export async function answerByComputing(
  entries: Entries,
  question: Ask,
  miss: Miss,
  parent: Computation | undefined,
): Promise<unknown> {
  const id = idOf(entries, question)
  let found = miss
  for (let mayJoin = !question.isUnkept; ; ) {
    const stale = found.reason === 'expired' && !parent ? findStale(entries, question) : undefined
    if (stale) {
      if (!flights.has(id)) refresh(entries, { ...question, onResult: undefined, signal: undefined }, id, found)
      return hit(entries, question, stale, parent, true)
    }
    const flight = mayJoin ? flights.get(id) : undefined
    const circle = parent && circleOf(parent, id, flight)
    if (circle) markCircle(circle, parent)
    if (!flight || circle || !isOfEpoch(flight, found)) {
      return (await begin(entries, question, start(entries, id, parent, !circle), found)).value
    }
    const joinedAt = process.uptime()
    const joined = await join(entries, question, flight, parent, found.reason)
    // The other computation may wait for what this caller would do next.
    if (!joined && flights.get(id) === flight) flights.delete(id)
    const { bytes, answer, computeMs = 0 } = joined ?? {}
    if (bytes && answer && isStillValid(entries, question, answer)) {
      countHit(entries, computeMs, joinedAt)
      handOn(entries, question, parent, answer)
      tell(entries, question, true, undefined, answer, computeMs, bytes.length)
      return entries.decode(bytes)
    }
    // A result that can't be shared is computed by every caller, as without a cache.
    mayJoin = bytes !== undefined
    const again = lookUp(entries, question)
    if (again.reason === undefined) return hit(entries, question, again, parent)
    found = again
  }
}

/** Computes the result of a question without a stored answer. @throws what `compute` throws */
export function answerByComputingSync(
  entries: Entries,
  question: Ask,
  found: Miss,
  parent: Computation | undefined,
): unknown {
  const id = idOf(entries, question)
  const ancestor = ancestorOf(parent, id)
  if (parent && ancestor) markCircle(ancestor, parent)
  const computation = start(entries, id, parent, ancestor === undefined)
  return runSync(compute(entries, question, computation, found, true)).value
}

/**
 * Whether a failure may be shared. A portable key serves all checkouts and all versions of a file, so a failure of one says
 * nothing about the others.
 */
function idOf(entries: Entries, { key, digest, asker }: Ask): string {
  const { dir = '', file = '', text } = asker
  const about = `${digest?.toString('hex') ?? ''} ${text?.digest.toString('hex') ?? ''} ${dir}\0${file}`
  return `${entries.store.id} ${about}\0${key.bytes.toString('latin1')}`
}

/** Whether the computation's epoch is still that of its key: nothing was set or removed since it began. */
function isOfEpoch(flight: Computation, { found }: Miss): boolean {
  return flight.epoch === undefined || flight.epoch === found?.head?.epoch
}

/** Waits for the computation. Returns undefined if it takes too long. */
async function join(
  entries: Entries,
  question: Ask,
  flight: Computation,
  parent: Computation | undefined,
  reason: MissReason,
): Promise<Result | undefined> {
  parent?.waitFor(flight)
  const { setTimeout, clearTimeout } = process.getBuiltinModule('node:timers')
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, PATIENCE_MS, undefined)
  })
  try {
    return await Promise.race([flight.promise, patience])
  } catch (error) {
    // The caller that started the computation has given up, but this one hasn't.
    if (flight.signal?.aborted) return undefined
    entries.count(reason)
    handOn(entries, question, parent, flight.recorder)
    traceAnswer(entries, question, { reason: 'error', ...answerOf(flight.recorder) })
    throw error
  } finally {
    clearTimeout(timer)
    parent?.goOnAfter(flight)
  }
}

/** An expired result that may still be returned (`staleWhileRevalidate`). */
function findStale(entries: Entries, question: Ask): Hit | undefined {
  const { staleMs, ttlMs } = question
  // A result that can't be stored would be recomputed for each caller, and none of them would get it.
  if (staleMs === undefined || ttlMs === undefined || !entries.store.canWrite) return undefined
  const found = lookUp(entries, { ...question, ttlMs: ttlMs + staleMs })
  return found.reason === undefined ? found : undefined
}

/**
 * Computes in the background for later callers. If that fails, they compute the result themselves once the stale one has
 * expired.
 */
function refresh(entries: Entries, question: Ask, id: string, found: Miss): void {
  begin(entries, question, start(entries, id, undefined, true), found).catch(() => undefined)
}

/** Starts a computation that other callers can join. */
function begin(entries: Entries, question: Ask, computation: Computation, found: Miss): Promise<Result> {
  const { id } = computation
  computation.signal = question.signal
  enterAsync()
  const promise = runAsync(compute(entries, question, computation, found, false)).finally(() => {
    if (flights.get(id) === computation) flights.delete(id)
    leaveAsync()
  })
  computation.promise = promise
  if (!question.isUnkept && !flights.has(id)) {
    flights.set(id, computation)
    // Each caller that waits for the promise handles a failure itself.
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

function* compute(
  entries: Entries,
  question: Ask,
  computation: Computation,
  found: Miss,
  isSync: boolean,
): Steps<Result> {
  const { parent, recorder } = computation
  const askedAt = process.uptime()
  parent?.waitFor(computation)
  const isKept = !question.isUnkept && entries.store.canWrite
  try {
    // A nested computation doesn't wait for other processes: they might wait for this one.
    const waited = isKept
      ? yield* lease(entries, question, computation, found, isSync, parent === undefined)
      : undefined
    if (waited) {
      const value = hit(entries, question, waited, parent, false, askedAt)
      return { value, bytes: undefined, answer: undefined, computeMs: 0 }
    }
    const mayAsk = question.isPortable && !isSync && computation.isStorable
    const tier = mayAsk ? entries.store.remote() : undefined
    if (tier && isAsked(entries, question, found.reason, computation.epoch ?? found.found?.head?.epoch)) {
      const taken = (yield { outcome: askRemote(entries, question, tier) }) as Taken | undefined
      if (taken) return takeOver(entries, question, computation, taken, askedAt)
      computation.hasWaited = true
    }
    entries.count(found.reason)
    if (question.tracedAt !== undefined) question.changed = found.validity?.input
    // The snapshot that was used for the lookup needn't be read again.
    const before = computation.hasWaited ? undefined : found.snapshot
    return yield* run(entries, question, computation, found.reason, isSync, before ?? entries.store.snapshot())
  } catch (error) {
    // The asking computation may go on without the result, so it depends on why there is none.
    handOn(entries, question, parent, recorder)
    throw error
  } finally {
    recorder.end()
    computation.hasEnded = true
    parent?.goOnAfter(computation)
    const { epoch } = computation
    if (epoch !== undefined) {
      letGo(question.key, epoch)
      if (!computation.isCommitted) {
        entries.attempt(undefined, () => dropLease(entries.store, question.key, epoch))
      }
    }
  }
}

/** Takes the lease, or waits for the value that another process computes. Returns a hit if that process stored it. */
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
  // The lease is taken only if the head is the one that was found without an answer. A newer one may hold the answer.
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
      // Nothing can be written, so nothing will be stored.
      if (epoch === null) return undefined
      if (epoch !== undefined) {
        computation.epoch = epoch
        return undefined
      }
    }
    // The lease may be gone because its owner has just stored the value.
    store.environment.tick.end()
    const outcome = entries.find(question.key, question)
    if (outcome.reason === undefined) return outcome
    found = outcome.found
  }
}

/** Calls the compute function and stores what it returns. */
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
  let computeMs = 0
  let value: unknown
  let hasComputed = false
  computation.time.begin()
  question.hasBegun = true
  try {
    value = yield { outcome: enter(frame, () => question.compute(context as never)) }
    hasComputed = true
    question.computed = { value }
  } finally {
    const ownMs = computation.time.end()
    computeMs = ownMs + computation.nestedMs
    if (parent) parent.nestedMs += computeMs
    if (!hasComputed) traceAnswer(entries, question, { reason: 'error', computeMs, ...answerOf(recorder) })
    entries.countTime('time-computed', ownMs)
  }
  recorder.end()
  const result = finish(entries, question, computation, value, computeMs)
  handOn(entries, question, parent, result.answer ?? recorder)
  tell(entries, question, false, reason, result.answer ?? answerOf(recorder), computeMs, result.bytes?.length)
  const { answer, bytes } = result
  // If the key was set or removed meanwhile, the result is void, also for callers that joined.
  if (question.isPortable && computation.isCommitted && answer && bytes && entries.store.remote()) {
    offerRemote(entries, question, answer, bytes, computeMs)
  }
  return result
}

/** Stores an answer of another machine as if it had been computed here. */
function takeOver(entries: Entries, question: Ask, computation: Computation, taken: Taken, askedAt: number): Result {
  const { epoch, parent } = computation
  const { value, bytes, computeMs } = taken
  if (epoch !== undefined) computation.isCommitted = storeTaken(entries, question, epoch, taken)
  countHit(entries, computeMs, askedAt)
  handOn(entries, question, parent, taken)
  tell(entries, question, true, undefined, taken, computeMs, bytes.length)
  return { value, bytes, answer: taken, computeMs }
}

function answerOf({ inputs, expiresAt }: Recorder): Answer {
  return { inputs, expiresAt }
}

/** Whether a result that was computed for another caller is valid for this one. */
function isStillValid(entries: Entries, { asker }: Ask, { inputs, expiresAt }: Answer): boolean {
  if (expiresAt <= entries.store.now()) return false
  return entries.attempt(
    false,
    () => entries.store.snapshot().validate(inputs, asker, entries.options.strategy).reason === undefined,
  )
}

/**
 * Computes without the cache, and so do nested questions. The cache takes about twenty times as much stack as a plain call, so
 * a plain call may succeed where the cache overflows the stack.
 */
export function computePlainly(entries: Entries, question: Ask, isSync: boolean): unknown {
  const enter = isSync ? runInFrame : runInAsyncFrame
  const outer = currentFrame()
  const frame: Frame = { computation: undefined, snapshots: outer?.snapshots, isPlain: true }
  const recorder = new Recorder(entries, entries.store.environment.files.now())
  const context = contextFor(entries, question, recorder, { frame, enter, before: entries.store.snapshot() })
  question.hasBegun = true
  return outer?.isPlain ? question.compute(context as never) : enter(frame, () => question.compute(context as never))
}
