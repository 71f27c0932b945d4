// Works out which namespaces share values, and how many bytes that saves.
//
// The namespaces that refer to a value form a group. Namespaces are read one after the other, and a value moves to a larger
// group each time that it is found. So memory holds a group for each value, and not a set of namespaces.

interface Group {
  namespace: string
  before: Group | undefined
  size: number
  /** Bytes of the values that exactly these namespaces refer to. */
  bytes: number
  /** The groups with one more namespace. */
  larger: Map<string, Group> | undefined
}

export interface SharedBytes {
  namespaces: string[]
  bytes: number
}

export class Sharing {
  readonly #groups: Group[] = []
  readonly #first = new Map<string, Group>()
  readonly #groupOf = new Map<string, Group>()

  /** Adds a value of a namespace. Add all values of one namespace before those of the next. */
  add(namespace: string, id: string, sizeBytes: number): void {
    const group = this.#groupOf.get(id)
    if (group?.namespace === namespace) return
    const larger = this.#groupWith(namespace, group)
    if (group) group.bytes -= sizeBytes
    larger.bytes += sizeBytes
    this.#groupOf.set(id, larger)
  }

  #groupWith(namespace: string, before: Group | undefined): Group {
    if (before) before.larger ??= new Map()
    const known = before?.larger ?? this.#first
    let group = known.get(namespace)
    if (!group) {
      group = { namespace, before, size: (before?.size ?? 0) + 1, bytes: 0, larger: undefined }
      known.set(namespace, group)
      this.#groups.push(group)
    }
    return group
  }

  /** The bytes of each namespace, if a shared value counts in equal parts for all namespaces that refer to it. */
  shares(): Map<string, number> {
    const shares = new Map<string, number>()
    for (const group of this.#groups) {
      const { bytes, size } = group
      if (bytes === 0) continue
      for (const namespace of namesOf(group)) shares.set(namespace, (shares.get(namespace) ?? 0) + bytes / size)
    }
    return shares
  }

  /** The groups of several namespaces that share the most bytes, largest first. */
  largest(count: number): SharedBytes[] {
    return this.#groups
      .filter(({ size, bytes }) => size > 1 && bytes > 0)
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, count)
      .map(group => ({ namespaces: [...namesOf(group)].reverse(), bytes: group.bytes }))
  }
}

function* namesOf(group: Group): IterableIterator<string> {
  for (let each: Group | undefined = group; each; each = each.before) yield each.namespace
}
