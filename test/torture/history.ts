// What several processes did to the same keys, and whether it can be so.
//
// Each key is a register. All writes of it happened in one order (the store's promise), of which a checker knows some pairs:
//
//   - a write that had returned before another began came before it, by the machine's monotonic clock;
//   - a process that read one write's value and later that of another saw them in this order;
//   - a read sees every write that had returned before the reader's turn of the event loop began, and its own.
//
// When these pairs form no circle, some order explains all reads. A value that several writes gave, and the absence of one
// (deletes, clears, the beginning), leaves open which of them was read: one that fits is enough.
//
// One more miss is right: that of a set which has not returned. Its entry may be there while its value, which a gc dropped
// in between, is not yet stored again.

export interface Write {
  kind: 'write'
  process: string
  /** Undefined for a delete or clear. */
  value: string | undefined
  startNs: bigint
  /** Undefined when the process was killed meanwhile or was not told that it is done: it may have happened or not. */
  endNs: bigint | undefined
  /** Of a computed result, which a delete that found nothing makes void. */
  isComputed?: boolean
}

/** A delete that found nothing: it removes nothing but what is being computed. */
export interface EmptyDelete {
  kind: 'empty delete'
  startNs: bigint
  endNs: bigint
}

export interface Read {
  kind: 'read'
  process: string
  value: string | undefined
  /** When the turn began in which it was made. */
  turnNs: bigint
  startNs: bigint
  endNs: bigint
}

export type Act = Write | Read | EmptyDelete

const BEGINNING: Write = { kind: 'write', process: '', value: undefined, startNs: -1n, endNs: -1n }

/** What cannot be, in a sentence; undefined where some order of the writes explains all that was read. */
export function contradiction(acts: readonly Act[]): string | undefined {
  const deletes = acts.filter(act => act.kind === 'empty delete')
  const writes = [BEGINNING, ...acts.filter(act => act.kind === 'write')]
  const reads = acts.filter(act => act.kind === 'read').sort((a, b) => (a.startNs < b.startNs ? -1 : 1))
  const order = new Order(writes.length)
  for (const [at, early] of writes.entries()) {
    for (const [other, late] of writes.entries()) if (isBefore(early, late)) order.add(at, other)
  }
  const chosen = new Map<Read, number>()
  // Those of which one write alone can be the origin say the most about the order.
  const candidatesOf = (read: Read) => writes.flatMap((write, at) => (canGive(write, read) ? at : []))
  const isCertain = (read: Read) => candidatesOf(read).length === 1
  const place = (read: Read, at: number) => {
    chosen.set(read, at)
    for (const seen of seenBy(read, writes, deletes)) if (seen !== at) order.add(seen, at)
    for (const earlier of reads) {
      const origin = chosen.get(earlier)
      if (origin === undefined || origin === at || earlier.process !== read.process) continue
      if (earlier.endNs <= read.startNs) order.add(origin, at)
      else if (read.endNs <= earlier.startNs) order.add(at, origin)
    }
  }
  for (const read of reads.filter(isCertain)) place(read, candidatesOf(read)[0] as number)
  order.close()
  const circle = order.circle()
  if (circle >= 0) return `no order explains the reads of ${show(writes[circle] as Write)}`
  for (const read of reads) {
    if (isCertain(read)) continue
    const candidates = candidatesOf(read)
    if (candidates.length === 0) return `${show(read)}: nobody had written that`
    const mustSee = seenBy(read, writes, deletes)
    const fits = candidates.some(at => mustSee.every(seen => seen === at || !order.has(at, seen)))
    if (!fits)
      return `${show(read)}: it had to see ${mustSee
        .map(at => writes[at] as Write)
        .sort((a, b) => Number((a.endNs ?? 0n) - (b.endNs ?? 0n)))
        .map(show)
        .slice(-3)
        .join('; ')}`
  }
  return undefined
}

function canGive(write: Write, read: Read): boolean {
  if (write.startNs >= read.endNs) return false
  const isUnderWay = write.endNs === undefined || write.endNs > read.turnNs
  return write.value === read.value || (read.value === undefined && isUnderWay)
}

/** Had returned before the other one began, whatever the processes. */
function isBefore(early: Write, late: Write): boolean {
  return early !== late && early.endNs !== undefined && early.endNs < late.startNs
}

/** The writes that a read must not be older than. */
function seenBy(read: Read, writes: readonly Write[], deletes: readonly EmptyDelete[]): number[] {
  return writes.flatMap((write, at) => {
    const { process, endNs } = write
    if (endNs === undefined || mayBeVoid(write, deletes)) return []
    return endNs < read.turnNs || (process === read.process && endNs <= read.startNs) ? at : []
  })
}

function mayBeVoid({ isComputed, startNs, endNs }: Write, deletes: readonly EmptyDelete[]): boolean {
  if (!isComputed || endNs === undefined) return false
  return deletes.some(each => each.startNs < endNs && startNs < each.endNs)
}

function show({ kind, process, value, startNs }: Write | Read): string {
  return `a ${kind} of ${value ?? 'nothing'} by ${process || 'nobody'} at ${startNs}`
}

/** Pairs of earlier and later, and all that follow from them. */
class Order {
  readonly #rows: Uint32Array[]

  constructor(count: number) {
    this.#rows = Array.from({ length: count }, () => new Uint32Array(Math.ceil(count / 32)))
  }

  add(early: number, late: number): void {
    const row = this.#rows[early] as Uint32Array
    row[late >> 5] = (row[late >> 5] as number) | (1 << (late & 31))
  }

  has(early: number, late: number): boolean {
    return (((this.#rows[early] as Uint32Array)[late >> 5] as number) & (1 << (late & 31))) !== 0
  }

  /** Warshall's algorithm. */
  close(): void {
    for (const [middle, reached] of this.#rows.entries()) {
      for (const [early, row] of this.#rows.entries()) {
        if (early === middle || !this.has(early, middle)) continue
        for (let word = 0; word < row.length; word++) row[word] = (row[word] as number) | (reached[word] as number)
      }
    }
  }

  /** Something that is earlier than itself, or -1. */
  circle(): number {
    return this.#rows.findIndex((_, at) => this.has(at, at))
  }
}
