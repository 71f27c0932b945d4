// Keys as people copy them: a prefix that says what it is, and 32 bytes as base64url.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { RemoteKeys } from '../api/index.js'

const PUBLIC_PREFIX = 'wicked-cache-public:'
const SECRET_PREFIX = 'wicked-cache-secret:'
const KEY_BYTES = 32
/** What stands before the 32 bytes of an Ed25519 key in DER, https://www.rfc-editor.org/rfc/rfc8410. */
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex')
const SECRET_DER = Buffer.from('302e020100300506032b657004220420', 'hex')
/** Names a key in an envelope. */
export const KEY_ID_BYTES = 8

export interface PublicKey {
  id: Buffer
  key: KeyObject
}

export interface SigningKey extends PublicKey {
  secret: KeyObject
}

function bytesOf(prefix: string, text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || !text.startsWith(prefix)) return undefined
  const bytes = Buffer.from(text.slice(prefix.length), 'base64url')
  return bytes.length === KEY_BYTES ? bytes : undefined
}

function publicKeyOf(raw: Buffer): PublicKey {
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' })
  return { id: createHash('sha256').update(raw).digest().subarray(0, KEY_ID_BYTES), key }
}

/** Undefined for what is no public key. */
export function parsePublicKey(text: unknown): PublicKey | undefined {
  const raw = bytesOf(PUBLIC_PREFIX, text)
  return raw && publicKeyOf(raw)
}

/** Undefined for what is no secret key. */
export function parseSigningKey(text: unknown): SigningKey | undefined {
  const seed = bytesOf(SECRET_PREFIX, text)
  if (!seed) return undefined
  const secret = createPrivateKey({ key: Buffer.concat([SECRET_DER, seed]), format: 'der', type: 'pkcs8' })
  return { ...publicKeyOf(rawPublicKey(createPublicKey(secret))), secret }
}

function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length)
}

/**
 * A new pair of keys.
 *
 * @example
 * const { publicKey, signingKey } = createRemoteKeys()
 */
export function createRemoteKeys(): RemoteKeys {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(SECRET_DER.length)
  return {
    publicKey: PUBLIC_PREFIX + rawPublicKey(publicKey).toString('base64url'),
    signingKey: SECRET_PREFIX + seed.toString('base64url'),
  }
}
