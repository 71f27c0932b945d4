// Which namespaces refer to the same values, and how many bytes that saves.
//
// The namespaces that refer to a value are a group: a namespace, and the group of those before it. A value moves from group
// to group as it is met in one namespace after the other, so that of a million values only their groups are kept.

interface Group {
  namespace: string
  before: Group | undefined
  size: number
  /** Of the values that exactly these namespaces refer to. */
  bytes: number
  /** This group and one namespace more. */
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

  /** All values of a namespace before those of the next one. */
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

  /** What each namespace takes where each value counts in equal parts for all that refer to it. */
  shares(): Map<string, number> {
    const shares = new Map<string, number>()
    for (const group of this.#groups) {
      const { bytes, size } = group
      if (bytes === 0) continue
      for (const namespace of namesOf(group)) shares.set(namespace, (shares.get(namespace) ?? 0) + bytes / size)
    }
    return shares
  }

  /** The groups of several namespaces that share the most, the largest first. */
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
