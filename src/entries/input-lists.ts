// Stores lists of inputs by content, so that 300 results over the same 300 sources refer to one list. The lists have a manifest
// of their own, which no namespace can open. If a gc evicts a list, the entries that refer to it miss.

import type { Blobs } from '../blobs/blobs.js'
import { type Input, inputOf, lookOf } from '../inputs/input.js'
import { decodeInputs, encodeInputs, type InputForm } from '../inputs/input-bytes.js'
import type { Environment } from '../log/environment.js'
import { encodePrefix } from '../manifest/key.js'
import type { Manifest } from '../manifest/manifest.js'
import type { EntryKey } from '../manifest/records.js'
import { isUseDue } from '../policy/policy.js'

/** The first byte of a list's blob, which keeps it from being taken for a value. */
const LIST_CODEC = 0
/** How many inputs the decoded lists in memory may have in all. */
const MAX_KEPT_INPUTS = 100_000

const PREFIX = encodePrefix({ version: '', scope: 'user', kind: 'plain', project: '' })
const FORMS = ['state', 'reference'] as const

export interface ListStorage {
  /** The cache's directory. */
  root: string
  environment: Environment
  manifest: Manifest
  blobs: Blobs
}

export function createInputLists(storage: ListStorage): InputListStore {
  return new InputListStore(storage)
}

export class InputListStore {
  readonly #storage: ListStorage
  readonly #kept = new Map<string, readonly Input[]>()
  #keptInputs = 0
  /** The references of lists, by list name. */
  readonly #references = new Map<string, string>()

  constructor(storage: ListStorage) {
    this.#storage = storage
  }

  get root(): string {
    return this.#storage.root
  }

  /** Returns the inputs or references of a list; undefined if it is gone. */
  load(id: string): readonly Input[] | undefined {
    const kept = this.#kept.get(id)
    if (kept) return kept
    const { manifest, blobs } = this.#storage
    const key = this.#keyOf(id)
    const { entry, head, check } = manifest.look(key)
    const bytes = entry && blobs.get(entry.blob)
    if (!entry || !head || !bytes || bytes[0] !== LIST_CODEC) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const { inputs } = decodeInputs(view, 2, FORMS[bytes[1] ?? 0] ?? 'state')
    this.#touch(key, head, check)
    return this.#keep(id, inputs)
  }

  /** Returns many inputs in the form that an entry holds: the first, and one list of the others. Stores a new list. */
  fold(inputs: readonly Input[], now: number): readonly Input[] {
    // `location` differs by caller: it is not stored in the shared list.
    const isPlace = ({ kind }: Input) => kind === 'location'
    const [first, ...rest] = inputs.filter(input => !isPlace(input))
    if (!first) return inputs
    // The analyzed file must not be named by a list alone.
    const isFirstAlone = lookOf(first.kind) === 'list'
    const list = inputOf('list', this.#save(isFirstAlone ? [first, ...rest] : rest, 'state', now))
    return [...(isFirstAlone ? [list] : [first, list]), ...inputs.filter(isPlace)]
  }

  /** Returns the inputs without states. Lists become lists of references. */
  references(inputs: readonly Input[], now: number): Input[] | undefined {
    const references: Input[] = []
    for (const input of inputs) {
      if (lookOf(input.kind) !== 'list') {
        references.push(input)
        continue
      }
      const id = this.#referencesOf(input.path, now)
      if (id === undefined) return undefined
      references.push(inputOf('list', id))
    }
    return references
  }

  /** The name of a list with these inputs. */
  idOf(inputs: readonly Input[]): string {
    return this.#storage.environment.hashing.contentDigest(bytesOf(inputs, 'state')).toString('hex')
  }

  #referencesOf(id: string, now: number): string | undefined {
    const known = this.#references.get(id)
    if (known !== undefined) return known
    const inputs = this.load(id)
    const references = inputs && this.references(inputs, now)
    if (!references) return undefined
    const name = this.#save(references, 'reference', now)
    this.#references.set(id, name)
    return name
  }

  #save(inputs: readonly Input[], form: 'state' | 'reference', now: number): string {
    const { manifest, blobs, environment } = this.#storage
    const bytes = bytesOf(inputs, form)
    const id = environment.hashing.contentDigest(bytes).toString('hex')
    const key = this.#keyOf(id)
    const { entry } = manifest.look(key)
    if (!entry || !blobs.get(entry.blob)) {
      const stored = blobs.putOne(bytes)
      const [blob] = stored.refs
      if (blob) manifest.put(key, { blob, createdAt: now, usedAt: now, epoch: 0 })
      blobs.confirm(stored)
    }
    this.#keep(id, inputs)
    return id
  }

  #touch(key: EntryKey, head: NonNullable<ReturnType<Manifest['look']>['head']>, check: number): void {
    const { environment, manifest } = this.#storage
    const nowMs = environment.files.now()
    if (environment.readOnly || !head.entry || !isUseDue(head.entry.usedAt, nowMs)) return
    manifest.amendLater(key, { ...head, entry: { ...head.entry, usedAt: nowMs } }, check)
  }

  #keep(id: string, inputs: readonly Input[]): readonly Input[] {
    if (this.#keptInputs + inputs.length > MAX_KEPT_INPUTS) {
      this.#kept.clear()
      this.#references.clear()
      this.#keptInputs = 0
    }
    if (!this.#kept.has(id)) this.#keptInputs += inputs.length
    this.#kept.set(id, inputs)
    return inputs
  }

  #keyOf(id: string): EntryKey {
    return this.#storage.manifest.keyOf(PREFIX, id)
  }
}

function bytesOf(inputs: readonly Input[], form: InputForm): Buffer {
  return Buffer.concat([Buffer.from([LIST_CODEC, form === 'reference' ? 1 : 0]), encodeInputs(inputs, form)])
}
