// Computations in progress in this thread, and who waits for whom. A computation that would wait for itself, directly or
// through others, would wait for ever: it computes instead.

import type { Recorder } from './recorder.js'
import { RunningTime } from './running-time.js'

/** What a computation came to. */
export interface Result {
  value: unknown
  /** Undefined where there is nothing to store. */
  bytes: Buffer | undefined
  answer: Answer | undefined
  computeMs: number
}

/** What a result is valid for: what one that is computed from it depends on as well. */
export interface Answer {
  inputs: readonly import('../inputs/input.js').Input[]
  /** When it expires, ms since the epoch; Infinity for never. */
  expiresAt: number
}

export class Computation {
  /** Names the question, in this thread. */
  readonly id: string
  readonly parent: Computation | undefined
  readonly recorder: Recorder
  /** Of the key, since it was leased; undefined before, and where nothing is to be stored. */
  epoch: number | undefined
  /** False: it is part of a circle, and its result is returned without being stored. */
  isStorable = true
  /** Whether the result was stored, and the lease given up with it. */
  isCommitted = false
  /** Whether it waits for nothing any more: a timer that it has set may go on in its frame. */
  hasEnded = false
  /** Whether time has gone by since the question was asked. */
  hasWaited = false
  /** Computations that this one waits for. */
  readonly waitsFor = new Set<Computation>()
  /** Its own, without that in which it waits for others. */
  readonly time = new RunningTime()
  /** The time of computations that it began, and theirs. */
  nestedMs = 0
  /** Of the caller that began it. */
  signal: AbortSignal | undefined
  /** For others to wait for; undefined for a synchronous one. */
  promise: Promise<Result> | undefined

  constructor(id: string, parent: Computation | undefined, recorder: Recorder) {
    this.id = id
    this.parent = parent
    this.recorder = recorder
  }

  waitFor(other: Computation): void {
    this.waitsFor.add(other)
    this.time.pause()
  }

  goOnAfter(other: Computation): void {
    if (this.waitsFor.delete(other) && this.waitsFor.size === 0) this.time.goOn()
  }
}

/** Whether `from` waits for `target`, directly or through others. */
function isWaitingFor(from: Computation, target: Computation): boolean {
  return between(from, target).size > 0
}

/** All that lie on a way from one to the other, both included; empty if there is none. */
function between(from: Computation, target: Computation): Set<Computation> {
  const leads = new Map<Computation, boolean>()
  const visit = (computation: Computation): boolean => {
    if (computation === target) return true
    const known = leads.get(computation)
    if (known !== undefined) return known
    leads.set(computation, false)
    let isOnTheWay = false
    for (const next of computation.waitsFor) if (visit(next)) isOnTheWay = true
    leads.set(computation, isOnTheWay)
    return isOnTheWay
  }
  if (!visit(from)) return new Set()
  const found = new Set([target])
  for (const [computation, isOnTheWay] of leads) if (isOnTheWay) found.add(computation)
  return found
}

/** The ancestor that computes the same question, if there is one. */
export function ancestorOf(computation: Computation | undefined, id: string): Computation | undefined {
  for (let each = computation; each; each = each.parent) if (each.id === id && !each.hasEnded) return each
  return undefined
}

/** The computation of a question that waits for who asks it, if there is one. It has no flight yet while it runs without a pause. */
export function circleOf(asking: Computation, id: string, flight: Computation | undefined): Computation | undefined {
  if (flight && isWaitingFor(flight, asking)) return flight
  return ancestorOf(asking, id)
}

/** A computation would wait for itself: nothing on the way of the circle can be stored. */
export function markCircle(from: Computation, to: Computation): void {
  for (const computation of between(from, to)) computation.isStorable = false
}
