// How processes tell each other that a store fails: a small file per store in the root. It is only a hint. If two processes
// write at once, one of them wins, and a damaged file counts as missing. It contains no secret.

import { join } from 'node:path'
import type { RemoteFailing } from '../api/index.js'
import { errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'

export interface BreakerState {
  failures: number
  /** Time of the latest failure. */
  failedAt: number
  openUntil: number
  openMs: number
  /** The store's URL without secrets, and what was wrong. */
  store?: string
  problem?: string
}

export const MAX_OPEN_MS = 300_000
/** Older failures are ignored. */
const MAX_AGE_MS = 600_000
const MAX_FILE_BYTES = 8192
const MAX_TEXT_LENGTH = 500
export const CLOSED: BreakerState = { failures: 0, failedAt: 0, openUntil: 0, openMs: 0 }

/** 0 if it is closed. A clock that was set back doesn't keep it open. */
export function openUntilOf({ openUntil }: BreakerState, now: number): number {
  return openUntil > now && openUntil <= now + MAX_OPEN_MS ? openUntil : 0
}

export function readBreaker(files: Files, path: string, now: number): BreakerState {
  const text = attempt(() => {
    const stat = files.linkStat(path)
    return stat?.kind === 'file' && stat.sizeBytes <= MAX_FILE_BYTES ? files.readFile(path)?.toString() : undefined
  })
  const state = text === undefined ? undefined : parsed(text)
  return state && Math.abs(now - state.failedAt) <= MAX_AGE_MS ? state : CLOSED
}

export function writeBreaker(files: Files, path: string, state: BreakerState, random: () => number): void {
  const { store = '', problem = '', ...numbers } = state
  const texts = { store: store.slice(0, MAX_TEXT_LENGTH), problem: problem.slice(0, MAX_TEXT_LENGTH) }
  attempt(() => {
    files.makeDirectory(join(path, '..'))
    const temporary = `${path}.${Math.floor(random() * 2 ** 48).toString(16)}.new`
    if (!files.createFile(temporary, JSON.stringify({ ...numbers, ...texts }))) return
    try {
      files.rename(temporary, path)
    } catch (error) {
      files.remove(temporary)
      throw error
    }
  })
}

export function removeBreaker(files: Files, path: string): void {
  attempt(() => files.remove(path))
}

/** The stores that failed recently, latest first. @throws errno-style errors */
export function failingStores(files: Files, directory: string, now: number): RemoteFailing[] {
  const names = (files.list(directory) ?? []).filter(name => /^[0-9a-f]{16}$/.test(name))
  return names
    .map(name => readBreaker(files, join(directory, name), now))
    .filter(({ failures }) => failures > 0)
    .sort((one, other) => other.failedAt - one.failedAt)
    .map(state => {
      const { store = '', problem = '', failures, failedAt } = state
      const openUntil = openUntilOf(state, now)
      const breaker = openUntil > 0 ? ('open' as const) : ('closed' as const)
      return { url: store, breaker, ...(openUntil > 0 && { openUntil }), failures, failedAt, lastError: problem }
    })
}

/** Ignores errors of the file: it is only a hint. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}

function parsed(text: string): BreakerState | undefined {
  try {
    const state = JSON.parse(text) as Partial<BreakerState> | null
    const numbers = [state?.failures, state?.failedAt, state?.openUntil, state?.openMs]
    const texts = [state?.store, state?.problem]
    const isState =
      numbers.every(number => typeof number === 'number' && number >= 0) &&
      texts.every(each => each === undefined || typeof each === 'string')
    return isState ? (state as BreakerState) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
