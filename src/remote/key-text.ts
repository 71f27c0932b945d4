// The text form of keys: a prefix for the kind, and 32 bytes as base64url.

export const PUBLIC_PREFIX = 'wicked-cache-public:'
export const SECRET_PREFIX = 'wicked-cache-secret:'
const KEY_BYTES = 32

/** Undefined if the text isn't a key of this kind. */
export function keyBytes(prefix: string, text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || !text.startsWith(prefix)) return undefined
  const bytes = Buffer.from(text.slice(prefix.length), 'base64url')
  return bytes.length === KEY_BYTES ? bytes : undefined
}
