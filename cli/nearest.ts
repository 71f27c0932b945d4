// Finds the name that was probably meant by a mistyped one.

const MAX_EDITS = 4
const MAX_LENGTH = 300

/** The most similar candidate, if any is similar enough. Stops reading candidates once `isLate` returns true. */
export function nearest(
  name: string,
  candidates: Iterable<string>,
  isLate: () => boolean = () => false,
): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  const folded = name.toLowerCase()
  let best: string | undefined
  // Most short names are only a few edits apart.
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

/** The edits between the two; undefined above `bound`. The end of a path counts as one edit from the path. */
function likeness(folded: string, candidate: string, bound: number): number | undefined {
  const other = candidate.toLowerCase()
  if (other === folded) return 0
  if (bound >= 1 && folded.length > 2 && other.endsWith(`/${folded}`)) return 1
  if (other.length > MAX_LENGTH || Math.abs(other.length - folded.length) > bound) return undefined
  const edits = distance(folded, other, bound)
  return edits <= bound ? edits : undefined
}

/**
 * The number of insertions, deletions, replacements and swaps of neighbours (optimal string alignment,
 * https://en.wikipedia.org/wiki/Damerau%E2%80%93Levenshtein_distance). Any larger number if it exceeds `bound`.
 */
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
