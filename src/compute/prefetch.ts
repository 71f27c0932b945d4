// Fetches answers of other machines before synchronous calls ask for them.

import type { PrefetchKey } from '../api/index.js'
import { isCacheBroken } from '../base/errors.js'
import { assertOptions, refuseOption } from '../base/options.js'
import type { Entries } from '../entries/entries.js'
import { storeTaken } from './commit.js'
import { dropLease, letGo, takeLease } from './leases.js'
import { analyzeQuestion, getOrSetQuestion } from './parse-question.js'
import type { Ask } from './question.js'
import { askRemote, isAsked, type Taken } from './remote.js'

const NOTHING = () => undefined

/**
 * Returns how many of the questions have an answer here now. @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`,
 * `ERR_CACHE_CLOSED`
 */
export async function prefetch(entries: Entries, asked: Iterable<PrefetchKey>): Promise<number> {
  try {
    return await fetchAll(entries, asked)
  } catch (error) {
    if (!isCacheBroken(error)) throw error
    entries.store.report(error)
    return 0
  }
}

async function fetchAll(entries: Entries, asked: Iterable<PrefetchKey>): Promise<number> {
  if (typeof asked !== 'object' || asked === null || !(Symbol.iterator in asked)) {
    throw refuseOption('prefetch takes a list of keys and analyses.', asked)
  }
  const questions = Array.from(asked, each => questionOf(entries, each))
  const found = await Promise.all(questions.map(question => fetchOne(entries, question)))
  return found.filter(Boolean).length
}

function questionOf(entries: Entries, asked: PrefetchKey): Ask {
  if (typeof asked === 'string') return getOrSetQuestion(entries, asked, NOTHING)
  if (typeof asked === 'object' && asked !== null && 'key' in asked) {
    const { key, ...options } = assertOptions('A question of prefetch', asked, ['key', 'files', 'inputs'])
    return getOrSetQuestion(entries, key, NOTHING, options)
  }
  const names = ['name', 'file', 'inputs', 'anywhere']
  const { name, file, ...options } = assertOptions('A question of prefetch', asked, names)
  return analyzeQuestion(entries, name, file, NOTHING, options)
}

/**
 * Returns whether there is an answer. Takes the lease like a computation, so that a set or a delete meanwhile voids the answer.
 */
export async function fetchOne(entries: Entries, question: Ask): Promise<boolean> {
  const { store } = entries
  if (question.isUnkept) return false
  const set = question.setKey && entries.find(question.setKey, question)
  const outcome = set && set.reason === undefined ? set : entries.find(question.key, question)
  if (outcome.reason === undefined) return true
  const tier = store.remote()
  if (!tier || !store.canWrite || !isAsked(entries, question, outcome.reason, outcome.found?.head?.epoch)) return false
  return underLease(entries, question, async epoch => {
    const taken = await askRemote(entries, question, tier, true)
    return taken !== undefined && storeTaken(entries, question, epoch, taken)
  })
}

/** Whether the answer was stored. */
export function keepTaken(entries: Entries, question: Ask, taken: Taken): boolean {
  const epoch = lease(entries, question)
  if (epoch === undefined) return false
  const isStored = storeTaken(entries, question, epoch, taken)
  giveUp(entries, question, epoch, isStored)
  return isStored
}

async function underLease(
  entries: Entries,
  question: Ask,
  work: (epoch: number) => Promise<boolean>,
): Promise<boolean> {
  const epoch = lease(entries, question)
  if (epoch === undefined) return false
  let isStored = false
  try {
    isStored = await work(epoch)
    return isStored
  } finally {
    giveUp(entries, question, epoch, isStored)
  }
}

function lease(entries: Entries, { key }: Ask): number | undefined {
  const { store } = entries
  return entries.attempt(undefined, () => takeLease(store, key, store.manifest.look(key), false))
}

function giveUp(entries: Entries, { key }: Ask, epoch: number, isStored: boolean): void {
  letGo(key, epoch)
  if (!isStored) entries.attempt(undefined, () => dropLease(entries.store, key, epoch))
}
