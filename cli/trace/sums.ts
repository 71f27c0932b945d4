// Sums up the lines of a trace.

/** The used members of a line of `$WICKED_CACHE_TRACE`. */
export interface TracedQuestion {
  namespace: string
  key: string
  isHit: boolean
  reason?: string
  /** Time since the question, in ms. */
  ms: number
  /** How long computing the answer took, in ms. */
  computeMs?: number
}

export interface NamespaceSums {
  questions: number
  hits: number
  misses: number
  /** Time from questions to answers, including computations, in ms. */
  ms: number
}

export interface KeySums {
  namespace: string
  key: string
  misses: number
  ms: number
}

export interface TraceSums {
  questions: number
  /** The number of lines that aren't questions. */
  skippedLines: number
  namespaces: Record<string, NamespaceSums>
  reasons: Record<string, number>
  slowest: TracedQuestion[]
  mostMissed: KeySums[]
}

const SHOWN = 10

/** Undefined if the line isn't a question. */
export function parseLine(line: string): TracedQuestion | undefined {
  try {
    const { namespace, key, isHit, reason, ms, computeMs } = JSON.parse(line)
    if (typeof namespace !== 'string' || typeof key !== 'string') return undefined
    if (typeof isHit !== 'boolean' || !Number.isFinite(ms)) return undefined
    return {
      namespace,
      key,
      isHit,
      ...(typeof reason === 'string' && { reason }),
      ms,
      ...(Number.isFinite(computeMs) && { computeMs }),
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}

/** Adds a line; `undefined` stands for one that was too long. */
export async function sumsOf(lines: AsyncIterable<string | undefined>): Promise<TraceSums> {
  let questions = 0
  let skippedLines = 0
  const namespaces = new Map<string, NamespaceSums>()
  const reasons = new Map<string, number>()
  const keys = new Map<string, KeySums>()
  let slowest: TracedQuestion[] = []
  for await (const line of lines) {
    const question = line === undefined ? undefined : parseLine(line)
    if (!question) {
      skippedLines++
      continue
    }
    const { namespace, key, isHit, reason, ms } = question
    questions++
    const sums = namespaces.get(namespace) ?? { questions: 0, hits: 0, misses: 0, ms: 0 }
    namespaces.set(namespace, sums)
    sums.questions++
    sums[isHit ? 'hits' : 'misses']++
    sums.ms += ms
    slowest.push(question)
    if (slowest.length >= 1000) slowest = slowestOf(slowest)
    if (isHit) continue
    if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    const id = JSON.stringify([namespace, key])
    const missed = keys.get(id) ?? { namespace, key, misses: 0, ms: 0 }
    keys.set(id, missed)
    missed.misses++
    missed.ms += ms
  }
  return {
    questions,
    skippedLines,
    namespaces: Object.fromEntries([...namespaces].sort(([, a], [, b]) => b.ms - a.ms)),
    reasons: Object.fromEntries([...reasons].sort(([, a], [, b]) => b - a)),
    slowest: slowestOf(slowest),
    mostMissed: [...keys.values()].sort((a, b) => b.misses - a.misses || b.ms - a.ms).slice(0, SHOWN),
  }
}

function slowestOf(questions: readonly TracedQuestion[]): TracedQuestion[] {
  return [...questions].sort((a, b) => b.ms - a.ms).slice(0, SHOWN)
}
