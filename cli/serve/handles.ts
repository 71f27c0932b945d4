// The namespaces that a client uses. Each is opened twice: for values as JSON, and for everything else.

import type { Cache, Namespace, NamespaceOptions } from '../../src/index.js'
import { assertPath, RequestError } from './request.js'

export interface Handles {
  /** The handle for values as JSON. */
  json: Namespace<Uint8Array>
  plain: Namespace
}

/** If a client uses more, the first ones are reopened when needed. */
const MAX_HANDLES = 256

export class HandleTable {
  readonly #cache: Cache
  readonly #handles = new Map<string, Handles>()

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** @throws RequestError; CacheError `ERR_CACHE_NAMESPACE`, `ERR_CACHE_OPTION` */
  of({ namespace, version = '', project = false }: Record<string, unknown>): Handles {
    if (typeof namespace !== 'string') throw new RequestError('namespace must be a text.')
    if (typeof version !== 'string') throw new RequestError('version must be a text.')
    if (project !== false && typeof project !== 'string') {
      throw new RequestError('project must be the absolute path of a directory, or false.')
    }
    const directory = project === false ? false : assertPath(project)
    const id = JSON.stringify([namespace, version, directory])
    const known = this.#handles.get(id)
    if (known) return known
    const options: NamespaceOptions = { version, project: directory }
    const handles = {
      json: this.#cache.namespace<Uint8Array>(namespace, { ...options, values: 'json' }),
      plain: this.#cache.namespace(namespace, options),
    }
    if (this.#handles.size >= MAX_HANDLES) this.#handles.clear()
    this.#handles.set(id, handles)
    return handles
  }
}
