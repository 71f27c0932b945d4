// The remote tier as tools use it: its status, and the transfer of a whole cache's answers.

import type { Remote, RemoteTransfer, RemoteTransferOptions } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { escapeNamespace } from '../base/layout.js'
import { assertOptionalFunction, assertOptions, refuseOption } from '../base/options.js'
import { fetchOne, keepTaken } from '../compute/prefetch.js'
import { answeredFrom, nameFor, namesOf, take } from '../compute/remote.js'
import type { NamespaceStore } from '../entries/store.js'
import type { Input } from '../inputs/input.js'
import { askerWhereRecorded } from '../inputs/recorded-place.js'
import type { Entry } from '../manifest/entry.js'
import { BundleWriter, readBundle } from '../remote/bundle.js'
import { type Answered, open } from '../remote/envelope.js'
import { RemoteFailure } from '../remote/failure.js'
import type { RemoteTier } from '../remote/tier.js'
import { explainRemote } from './remote-explain.js'
import { type Asked, projectIn, Questions } from './remote-questions.js'

export interface RemoteToolsMeans {
  tier: RemoteTier
  /** Directories of all namespaces. */
  directories(): string[]
  storeOf(directory: string): NamespaceStore
}

type Listed = Asked & { entry: Entry }

/** How many answers are transferred at once. */
const MAX_RUNNING = 16

export function createRemote(means: RemoteToolsMeans): Remote {
  const { tier } = means
  return {
    status: () => tier.status(),
    stats: () => tier.stats(),
    flush: () => tier.flush(),
    explain: asked => explainRemote(means, asked),
    push: async options => push(means, checked('push', options)),
    pull: async options => {
      const given = checked('pull', options)
      return given.bundle === undefined ? pull(means, given) : pullBundle(means, given, given.bundle)
    },
  }
}

/** @throws CacheError `ERR_CACHE_OPTION` */
function checked(where: string, options: RemoteTransferOptions | undefined): RemoteTransferOptions {
  const given = assertOptions(where, options, ['namespace', 'project', 'bundle', 'signal', 'onProgress'])
  const { namespace, project, bundle, signal, onProgress } = given
  if (namespace !== undefined) escapeNamespace(namespace)
  for (const [name, path] of Object.entries({ project, bundle })) {
    if (path !== undefined && (typeof path !== 'string' || path === '' || path.includes('\0')))
      throw refuseOption(`${name} must be a path.`, path)
  }
  assertOptionalFunction('onProgress', onProgress)
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw refuseOption('signal must be an AbortSignal.', signal)
  return given
}

class TransferProgress {
  readonly report: RemoteTransfer = { transferred: 0, skipped: 0, rejected: 0, bytes: 0 }
  readonly #options: RemoteTransferOptions
  #done = 0

  constructor(options: RemoteTransferOptions) {
    this.#options = options
  }

  /** @throws the reason of the signal */
  count(what: 'transferred' | 'skipped' | 'rejected', total: number, bytes = 0): void {
    this.report[what]++
    this.report.bytes += bytes
    this.#options.onProgress?.({ done: ++this.#done, total: Math.max(total, this.#done) })
    this.#options.signal?.throwIfAborted()
  }
}

/** The portable answers of the cache as questions in the project. */
function listed({ directories, storeOf }: RemoteToolsMeans, { namespace, project }: RemoteTransferOptions): Listed[] {
  const chosen = namespace === undefined ? directories() : [escapeNamespace(namespace)]
  return chosen.flatMap(directory => {
    const store = storeOf(directory)
    const here = projectIn(store, project)
    if (!here) return []
    const questions = new Questions(here)
    const found: Listed[] = []
    for (const { keyBytes, entry } of store.manifest.entries(store.report)) {
      if (entry.computeMs === undefined) continue
      const asked = questions.ask(store, Buffer.from(keyBytes), entry.question)
      if (typeof asked === 'object') found.push({ ...whereRecorded(asked, entry.inputs ?? []), entry })
    }
    return found
  })
}

async function push(means: RemoteToolsMeans, options: RemoteTransferOptions): Promise<RemoteTransfer> {
  const { tier } = means
  const { bundle } = options
  const isTrusted = tier.settings.signingKey !== undefined || tier.settings.trust === 'store'
  if (bundle === undefined ? !tier.canWrite : !isTrusted) {
    const mode = bundle === undefined ? "mode: 'readwrite', and " : ''
    const message = `Answers can't be stored: that needs ${mode}a key to sign with or trust: 'store'.`
    throw new CacheError('ERR_CACHE_REMOTE', message)
  }
  const all = listed(means, options)
  const course = new TransferProgress(options)
  const writer = bundle === undefined ? undefined : new BundleWriter(bundle)
  let next = 0
  const work = async () => {
    while (next < all.length) {
      const { sent, bytes } = await pushOne(tier, all[next++] as Listed, writer)
      course.count(sent, all.length, bytes)
    }
  }
  try {
    await Promise.all(Array.from({ length: MAX_RUNNING }, work))
    writer?.finish()
    return course.report
  } catch (error) {
    next = all.length
    writer?.abandon()
    throw error
  }
}

/** @throws CacheError `ERR_CACHE_REMOTE`; errors of writing the bundle */
async function pushOne(tier: RemoteTier, { entries, question, entry }: Listed, writer: BundleWriter | undefined) {
  const answered = entries.attempt(undefined, () => answeredFrom(entries, question, entry))
  const name = answered && entries.attempt(undefined, () => nameFor(entries, question, tier, entries.store.snapshot()))
  if (!answered || name === undefined) return { sent: 'skipped' as const, bytes: 0 }
  try {
    const names = writer ? [name] : namesOf(name, answered.inputs)
    let bytes = 0
    for (const each of names) {
      const envelope = tier.seal(each, answered)
      const { key, digest } = question
      if (writer) writer.add({ namespace: entries.store.name, key: key.bytes, digest, envelope })
      else await tier.put(each, envelope)
      bytes += envelope.length
    }
    return { sent: 'transferred' as const, bytes }
  } catch (error) {
    if (!(error instanceof RemoteFailure)) throw error
    if (error.kind === 'refused') return { sent: 'rejected' as const, bytes: 0 }
    throw new CacheError('ERR_CACHE_REMOTE', `The remote tier failed: ${error.message}.`)
  }
}

/** @throws CacheError `ERR_CACHE_REMOTE` if the store left questions unanswered */
async function pull(means: RemoteToolsMeans, options: RemoteTransferOptions): Promise<RemoteTransfer> {
  const { tier } = means
  const unansweredCount = () => tier.stats().errors + tier.stats().skipped
  const before = unansweredCount()
  const all = listed(means, options)
  const course = new TransferProgress(options)
  const ask = async ({ entries, question }: Listed) => {
    const isThere = entries.find(question.key, question).reason === undefined
    const isPulled = !isThere && (await fetchOne(entries, question))
    course.count(isPulled ? 'transferred' : 'skipped', all.length)
  }
  await Promise.all(all.map(ask))
  const count = unansweredCount() - before
  if (count > 0) {
    const message = `The remote tier left ${count} of ${all.length} questions unanswered; ${course.report.transferred} answers were taken.`
    throw new CacheError('ERR_CACHE_REMOTE', message)
  }
  course.report.bytes = tier.stats().bytesIn
  return course.report
}

/** @throws CacheError `ERR_CACHE_OPTION` for what is no bundle; errors of reading it */
async function pullBundle(
  { tier, storeOf }: RemoteToolsMeans,
  options: RemoteTransferOptions,
  bundle: string,
): Promise<RemoteTransfer> {
  const course = new TransferProgress(options)
  const { keys, maxBytes } = tier.settings
  const questionsOf = new Map<string, Questions>()
  let done = 0
  for (const { namespace, key, digest, envelope, fraction } of readBundle(bundle)) {
    const total = Math.round(++done / fraction)
    if (options.namespace !== undefined && options.namespace !== namespace) {
      course.count('skipped', total)
      continue
    }
    const asked = askedIn(storeOf, options.project, questionsOf, { namespace, key, digest })
    if (asked === 'elsewhere') {
      course.count('skipped', total)
      continue
    }
    const name = asked && nameHere(asked, tier)
    const answered = name === undefined ? 'wrong-name' : open(envelope, { name, keys, maxBytes })
    if (!asked) course.count('rejected', total)
    // The name differs if this checkout has another version of the file.
    else if (typeof answered === 'string') course.count(answered === 'wrong-name' ? 'skipped' : 'rejected', total)
    else if (keep(asked, answered)) course.count('transferred', total, envelope.length)
    else course.count('skipped', total)
    await undefined
  }
  return course.report
}

function nameHere({ entries, question }: Asked, tier: RemoteTier): string | undefined {
  return entries.attempt(undefined, () => nameFor(entries, question, tier, entries.store.snapshot()))
}

/** Whether the answer is valid here, and is new here. */
function keep(asked: Asked, answered: Answered): boolean {
  const { entries, question } = whereRecorded(asked, answered.inputs)
  if (entries.find(question.key, question).reason === undefined) return false
  const taken = take(entries, question, answered)
  return taken !== undefined && keepTaken(entries, question, taken)
}

/** The question as the plugin asked it, whatever the tool's working directory is. */
function whereRecorded({ entries, question }: Asked, inputs: readonly Input[]): Asked {
  const load = (id: string) => entries.attempt(undefined, () => entries.store.lists.load(id))
  return { entries, question: { ...question, asker: askerWhereRecorded(question.asker, inputs, load) } }
}

function askedIn(
  storeOf: (directory: string) => NamespaceStore,
  project: string | undefined,
  questionsOf: Map<string, Questions>,
  { namespace, key, digest }: { namespace: string; key: Buffer; digest: Buffer | undefined },
): Asked | 'elsewhere' | undefined {
  try {
    const store = storeOf(escapeNamespace(namespace))
    const here = projectIn(store, project)
    if (!here) return undefined
    const questions = questionsOf.get(here.dir) ?? new Questions(here)
    questionsOf.set(here.dir, questions)
    return questions.ask(store, key, digest)
  } catch (error) {
    // Bad content of a bundle is not the caller's mistake.
    if (error instanceof CacheError) return undefined
    throw error
  }
}
