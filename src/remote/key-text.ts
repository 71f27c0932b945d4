// Keys as people copy them: a prefix that says what it is, and 32 bytes as base64url.

export const PUBLIC_PREFIX = 'wicked-cache-public:'
export const SECRET_PREFIX = 'wicked-cache-secret:'
const KEY_BYTES = 32

/** Undefined for what is no key of this kind. */
export function keyBytes(prefix: string, text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || !text.startsWith(prefix)) return undefined
  const bytes = Buffer.from(text.slice(prefix.length), 'base64url')
  return bytes.length === KEY_BYTES ? bytes : undefined
}
