// Finds the name that a mistyped one was meant to be.

const MAX_EDITS = 4
const MAX_LENGTH = 300

/** The candidate that is most like the name, if one is like it. Reads all candidates, or stops once `isLate` says so. */
export function nearest(
  name: string,
  candidates: Iterable<string>,
  isLate: () => boolean = () => false,
): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  const folded = name.toLowerCase()
  let best: string | undefined
  // Of short names, most are a few edits away from each other.
  let bound = Math.max(1, Math.min(MAX_EDITS, Math.floor(name.length / 4)))
  for (const candidate of candidates) {
    if (isLate()) break
    const edits = likeness(folded, candidate, bound)
    if (edits === undefined) continue
    best = candidate
    bound = edits - 0.5
    if (edits === 0) break
  }
  return best
}

/** Edits between the two, at most `bound`; undefined for more. A file's name or the end of its path is near to the path. */
function likeness(folded: string, candidate: string, bound: number): number | undefined {
  const other = candidate.toLowerCase()
  if (other === folded) return 0
  if (bound >= 1 && folded.length > 2 && other.endsWith(`/${folded}`)) return 1
  if (other.length > MAX_LENGTH || Math.abs(other.length - folded.length) > bound) return undefined
  const edits = distance(folded, other, bound)
  return edits <= bound ? edits : undefined
}

/** Insertions, deletions, replacements and swaps of neighbours; anything above `bound` where it is more. */
function distance(one: string, other: string, bound: number): number {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1
      let edits = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost)
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      if (isSwap) edits = Math.min(edits, (beforeLast[j - 2] ?? 0) + 1)
      row.push(edits)
      least = Math.min(least, edits)
    }
    if (least > bound + 1) return least
    beforeLast = last
    last = row
  }
  return last[other.length] ?? 0
}
