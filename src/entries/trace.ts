// Writes the trace that `$WICKED_CACHE_TRACE` asks for: one line of JSON for each question, for bug reports. Values are not
// recorded; of environment variables only their digests are. The file is loaded only if the variable is set.

import type { MissReason } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { appendLine } from '../files/trace-file.js'
import { type Input, lookOf } from '../inputs/input.js'
import { labelOf, originOf } from '../manifest/owner.js'
import type { EntryKey } from '../manifest/records.js'
import { blobLength } from '../packs/blob.js'
import type { Outcome } from './outcome.js'
import type { NamespaceStore } from './store.js'

/** A question and its outcome. */
export interface Traced {
  key: EntryKey
  call: 'get' | 'getOrSet' | 'analyze' | 'wrap'
  /** The time since the question, in ms. */
  ms: number
  /** Undefined for a hit; `'error'`: the computation threw. */
  reason?: MissReason | 'error' | undefined
  isStale?: boolean
  /** How long computing the answer took, in ms. */
  computeMs?: number | undefined
  /** Length of the value. */
  sizeBytes?: number | undefined
  inputs: readonly Input[]
  /** The input that made the entry stale. */
  changed?: Input | undefined
}

/** The entries that are asked. */
interface Asked {
  readonly store: NamespaceStore
  readonly project: { dir: string } | undefined
  readonly options: { version: string }
  keyOf(key: unknown): EntryKey
  look(key: string): Outcome
  attempt<T>(fallback: T, work: () => T): T
}

/** How many inputs are listed. More are only counted. */
const MAX_INPUTS = 1000

/** The result of `look`. */
export function tracedLook(entries: Asked, key: string): Outcome {
  const startedAt = process.uptime()
  const outcome = entries.look(key)
  const ms = (process.uptime() - startedAt) * 1000
  const { reason } = outcome
  const entry = outcome.reason === undefined ? outcome.entry : outcome.found?.entry
  trace(entries, {
    key: entries.keyOf(key),
    call: 'get',
    ms,
    reason,
    computeMs: entry?.computeMs,
    sizeBytes: reason === undefined && entry ? blobLength(entry.blob.id) : undefined,
    inputs: entry?.inputs ?? [],
    changed: outcome.reason === undefined ? undefined : outcome.validity?.input,
  })
  return outcome
}

/** How a computed answer is looked up. */
export function callOf(store: NamespaceStore, key: EntryKey): Traced['call'] {
  const call = originOf(store.manifest.partsOf(key), { computeMs: 0 })
  return call === 'set' ? 'getOrSet' : call
}

/** Appends the line. Errors are reported once. */
export function trace(entries: Omit<Asked, 'keyOf' | 'look'>, traced: Traced): void {
  const { store, project, options } = entries
  const { trace: path } = store
  if (path === undefined || store.mode === 'off') return
  entries.attempt(undefined, () => {
    const { key, call, reason, isStale, sizeBytes, changed } = traced
    const all = unfolded(store, traced.inputs)
    const line = {
      at: Date.now(),
      pid: process.pid,
      thread: process.getBuiltinModule('node:worker_threads').threadId,
      namespace: store.name,
      version: options.version,
      project: project?.dir ?? null,
      call,
      key: labelOf(store.manifest.partsOf(key)),
      isHit: reason === undefined,
      ...(reason && { reason }),
      ...(isStale && { isStale }),
      ms: rounded(traced.ms),
      ...(traced.computeMs !== undefined && { computeMs: rounded(traced.computeMs) }),
      ...(sizeBytes !== undefined && { sizeBytes }),
      ...(changed && { changed: textOf(changed) }),
      inputCount: all.length,
      inputs: all.slice(0, MAX_INPUTS).map(textOf),
    }
    appendLine(path, JSON.stringify(line), error => store.report(problemWith(path, error)))
  })
}

function problemWith(path: string, error: unknown): CacheError {
  const why = error instanceof Error ? error.message : String(error)
  const message = `No questions are recorded in ${path}, which $WICKED_CACHE_TRACE names: ${why}.`
  return new CacheError('ERR_CACHE_IO', message, { cause: error })
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

/** The inputs, including those in lists. @throws errno-style errors */
function unfolded(store: NamespaceStore, inputs: readonly Input[], seen = new Set<string>()): Input[] {
  return inputs.flatMap(input => {
    if (lookOf(input.kind) !== 'list') return input
    if (seen.has(input.path)) return []
    seen.add(input.path)
    return unfolded(store, store.lists.load(input.path) ?? [], seen)
  })
}

/** The input's kind, path and detail, and the digest of its state. */
function textOf({ kind, path, detail, digest }: Input): string {
  const hex = digest.toString('hex')
  return [kind, path, detail, /^0*$/.test(hex) ? '' : hex].filter(Boolean).join(' ')
}
