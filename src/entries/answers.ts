// Keeps several answers to one question, one for each state of its inputs. So switching to a branch and back hits both times,
// and checkouts don't evict each other's answers.
//
// The answers form a tree. A node under the question names the first input. The state of that input leads to a second node,
// which names the other inputs. Their states lead to the answer. A deterministic computation always reads the same first input,
// whatever it finds there. ccache's direct mode works alike (https://ccache.dev/manual/latest.html#_how_ccache_works), and so
// do the constructive traces of https://doi.org/10.1145/3236774.

import type { Input } from '../inputs/input.js'
import { digestOfStates, encodeInputs } from '../inputs/input-bytes.js'
import type { Asker, Snapshot } from '../inputs/snapshot.js'
import type { Entry, Node } from '../manifest/entry.js'
import type { EntryChange, EntryKey, Lookup } from '../manifest/records.js'
import { isExpired } from '../policy/policy.js'
import type { NamespaceStore } from './store.js'

/** How many lists of inputs a node keeps: the latest ones. */
const MAX_LISTS = 8
/** The question, its first input, the others. */
const MAX_DEPTH = 3

/** The store of answers. */
export type AnswerStore = Pick<NamespaceStore, 'manifest' | 'lists' | 'environment' | 'now'>

export interface FoundAnswer {
  key: EntryKey
  entry: Entry
  check: number
}

/** Returns the answer for the current states of the inputs. @throws errno-style errors; RangeError for damaged records */
export function findAnswer(
  store: Pick<AnswerStore, 'manifest' | 'environment'>,
  key: EntryKey,
  epoch: number,
  question: Buffer | undefined,
  asker: Asker,
  snapshot: Snapshot,
): FoundAnswer | undefined {
  const findAt = (digest: Buffer, depth: number): FoundAnswer | undefined => {
    const answerKey = store.manifest.answerKeyOf(key, digest)
    const found = store.manifest.lookAnswer(answerKey)
    if (!found) return undefined
    if (found.entry) return { key: answerKey, entry: found.entry, check: found.check }
    if (depth === MAX_DEPTH) return undefined
    for (const references of found.node?.lists ?? []) {
      const inputs = snapshot.restate(references, asker)
      const answer = inputs && findAt(digestOfStates(store.environment.hashing, inputs, digest), depth + 1)
      if (answer) return answer
    }
    return undefined
  }
  return findAt(rootDigest(store, epoch, question), 1)
}

/**
 * Makes an entry the current one of its key. The previous one is kept as an answer if it was computed. Returns false if another
 * process has changed the key meanwhile.
 *
 * @throws errno-style errors; CacheError `ERR_CACHE_IO`
 */
export function makeCurrent(store: AnswerStore, key: EntryKey, { head, check }: Lookup, entry: Entry): boolean {
  if (!head) return false
  const { epoch, lease, entry: before } = head
  const isKept = isWorthKeeping(before, store.now()) && !isSameAnswer(before, entry)
  const changes = isKept ? changesToKeep(store, key, before) : []
  changes.push({ key, head: { epoch, entry, lease }, expected: check })
  return store.manifest.write(changes).at(-1) === true
}

function isWorthKeeping(entry: Entry | undefined, now: number): entry is Entry {
  if (entry?.computeMs === undefined) return false
  return entry.ttlMs === undefined || !isExpired(entry.createdAt, entry.ttlMs, now)
}

/** Whether both entries answer the same question for the same states of the same inputs. */
function isSameAnswer(one: Entry, other: Entry): boolean {
  if (!Buffer.from(one.question ?? []).equals(other.question ?? Buffer.alloc(0))) return false
  return encodeInputs(one.inputs ?? [], 'state').equals(encodeInputs(other.inputs ?? [], 'state'))
}

/** The changes that keep an entry as an answer once it is no longer the current one. */
export function changesToKeep(store: AnswerStore, key: EntryKey, entry: Entry): EntryChange[] {
  const { epoch, question, inputs = [] } = entry
  const { hashing } = store.environment
  const changes: EntryChange[] = []
  let digest = rootDigest(store, epoch, question)
  for (const step of [inputs.slice(0, 1), inputs.slice(1)]) {
    if (step.length === 0) break
    const references = store.lists.references(step, store.now())
    if (!references) return []
    const node = nodeWith(store, store.manifest.answerKeyOf(key, digest), references)
    if (node) changes.push({ key: store.manifest.answerKeyOf(key, digest), node, epoch })
    digest = digestOfStates(hashing, step, digest)
  }
  changes.push({ key: store.manifest.answerKeyOf(key, digest), answer: entry })
  return changes
}

/** Returns the node with these references as its first list; undefined if they are that already. */
function nodeWith(store: AnswerStore, key: EntryKey, references: readonly Input[]): Node | undefined {
  const lists = store.manifest.lookAnswer(key)?.node?.lists ?? []
  const nameOfList = (list: readonly Input[]) => encodeInputs(list, 'reference').toString('latin1')
  const name = nameOfList(references)
  const others = lists.filter(list => nameOfList(list) !== name)
  const [first] = lists
  if (first && nameOfList(first) === name) return undefined
  return { lists: [references, ...others].slice(0, MAX_LISTS) }
}

function rootDigest(store: Pick<AnswerStore, 'environment'>, epoch: number, question: Buffer | undefined): Buffer {
  const bytes = Buffer.alloc(6 + (question?.length ?? 0))
  bytes.writeUIntLE(epoch, 0, 6)
  if (question) bytes.set(question, 6)
  return store.environment.hashing.contentDigest(bytes)
}
