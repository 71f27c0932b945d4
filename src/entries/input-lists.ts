// Lists of inputs, stored once by content in a manifest of their own that no namespace's name leads to: 300 results over the
// same 300 sources refer to one list. A list that a gc has evicted makes the entries that refer to it miss.

import type { Blobs } from '../blobs/blobs.js'
import { type Input, inputOf, lookOf } from '../inputs/input.js'
import { decodeInputs, encodeInputs, type InputForm } from '../inputs/input-bytes.js'
import type { Environment } from '../log/environment.js'
import { encodePrefix } from '../manifest/key.js'
import type { Manifest } from '../manifest/manifest.js'
import type { EntryKey } from '../manifest/records.js'
import { isUseDue } from '../policy/policy.js'

/** The first byte of a list's blob, so that it is never taken for a value. */
const LIST_CODEC = 0
/** Lists that are kept decoded, by the inputs in them. */
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
  /** The references of lists, by the lists' names. */
  readonly #references = new Map<string, string>()

  constructor(storage: ListStorage) {
    this.#storage = storage
  }

  get root(): string {
    return this.#storage.root
  }

  /** The inputs, or references, of a list; undefined when it is gone. */
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

  /** Many inputs as an entry holds them: beyond the first, they are one list. Stores what is new. */
  fold(inputs: readonly Input[], now: number): readonly Input[] {
    // `location` differs by caller: it is not stored in the shared list.
    const isPlace = ({ kind }: Input) => kind === 'location'
    const [first, ...rest] = inputs.filter(input => !isPlace(input))
    if (!first) return inputs
    // A list alone must not name the analyzed file.
    const isFirstAlone = lookOf(first.kind) === 'list'
    const list = inputOf('list', this.#save(isFirstAlone ? [first, ...rest] : rest, 'state', now))
    return [...(isFirstAlone ? [list] : [first, list]), ...inputs.filter(isPlace)]
  }

  /** The inputs without states; lists become lists of references. */
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

  /** The name that a list with these inputs has. */
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
