// The computations in progress in this thread, and which of them waits for which. A computation that would wait for itself,
// directly or through others, would never end, so it computes instead.

import type { Recorder } from './recorder.js'
import { RunningTime } from './running-time.js'

/** The outcome of a computation. */
export interface Result {
  value: unknown
  /** Undefined if there is nothing to store. */
  bytes: Buffer | undefined
  answer: Answer | undefined
  computeMs: number
}

/** The conditions under which a result is valid. A result that is computed from it inherits them. */
export interface Answer {
  inputs: readonly import('../inputs/input.js').Input[]
  /** When it expires, ms since the epoch; Infinity for never. */
  expiresAt: number
}

export class Computation {
  /** Identifies the question within this thread. */
  readonly id: string
  readonly parent: Computation | undefined
  readonly recorder: Recorder
  /** The epoch of the key, once the lease is taken; undefined before that, and if nothing is to be stored. */
  epoch: number | undefined
  /** False if the computation is part of a cycle: its result is returned but not stored. */
  isStorable = true
  /** Whether the result was stored, which also gives up the lease. */
  isCommitted = false
  /** Whether the computation has ended. A timer that it set may still run in its frame. */
  hasEnded = false
  /** Whether the computation has waited since the question was asked. */
  hasWaited = false
  /** The computations that this one waits for. */
  readonly waitsFor = new Set<Computation>()
  /** The time that the computation itself took, without waiting for others. */
  readonly time = new RunningTime()
  /** The time of the computations that it started, and of those that they started. */
  nestedMs = 0
  /** The signal of the caller that started the computation. */
  signal: AbortSignal | undefined
  /** The promise that other callers wait for; undefined for a synchronous computation. */
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

/** All computations on a path from one to the other, both included; empty if there is no path. */
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

/** The ancestor that computes the same question, if any. */
export function ancestorOf(computation: Computation | undefined, id: string): Computation | undefined {
  for (let each = computation; each; each = each.parent) if (each.id === id && !each.hasEnded) return each
  return undefined
}

/**
 * The computation of the question that already waits for the one that asks it, if any. A computation that has not paused yet
 * has no flight.
 */
export function circleOf(asking: Computation, id: string, flight: Computation | undefined): Computation | undefined {
  if (flight && isWaitingFor(flight, asking)) return flight
  return ancestorOf(asking, id)
}

/** Called when a computation would wait for itself. No result of the cycle can be stored. */
export function markCircle(from: Computation, to: Computation): void {
  for (const computation of between(from, to)) computation.isStorable = false
}
