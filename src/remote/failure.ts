// The kinds of failure of a store, by what the tier does about them.

/**
 * `down`: unreachable, silent or broken; the breaker counts it. `busy`: the store asks for a pause. `off`: permanent, such as
 * a wrong password. `readonly`: nothing can be stored. `refused`: this object can't be stored.
 */
export type FailureKind = 'down' | 'busy' | 'off' | 'readonly' | 'refused'

export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure'
  readonly kind: FailureKind
  readonly retryAfterMs: number | undefined

  /** The message is shown to users and must not contain a secret. */
  constructor(kind: FailureKind, message: string, retryAfterMs?: number) {
    super(message)
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }
}

/** Adapters may throw anything, and a foreign error's message may contain a URL with a password. */
export function failureOf(error: unknown): RemoteFailure {
  if (error instanceof RemoteFailure) return error
  const code = (error as { code?: unknown } | null | undefined)?.code
  if (code === 'ERR_INVALID_CHAR')
    return new RemoteFailure('off', 'its token or user has a character that a header cannot have')
  return new RemoteFailure('down', typeof code === 'string' ? `it failed with ${code}` : 'it failed')
}
