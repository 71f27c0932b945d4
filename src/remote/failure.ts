// How a store fails, as far as it makes a difference what is done then.

/**
 * `down`: unreachable, silent or broken; the breaker counts it. `busy`: it asks to be left alone for some time. `off`: what it
 * says will not change, such as a wrong password. `readonly`: nothing can be stored. `refused`: this object can't be stored.
 */
export type FailureKind = 'down' | 'busy' | 'off' | 'readonly' | 'refused'

export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure'
  readonly kind: FailureKind
  readonly retryAfterMs: number | undefined

  /** The message is shown to people: it must hold no secret. */
  constructor(kind: FailureKind, message: string, retryAfterMs?: number) {
    super(message)
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }
}

/** An adapter may throw anything, and what others throw may hold a URL with a password. */
export function failureOf(error: unknown): RemoteFailure {
  if (error instanceof RemoteFailure) return error
  const code = (error as { code?: unknown } | null | undefined)?.code
  return new RemoteFailure('down', typeof code === 'string' ? `it failed with ${code}` : 'it failed')
}
