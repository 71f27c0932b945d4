// The remote tier's keys as Node's crypto objects.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { RemoteKeys } from '../api/index.js'
import { keyBytes, PUBLIC_PREFIX, SECRET_PREFIX } from './key-text.js'

/** The DER prefix of an Ed25519 key; the 32 bytes of the key follow. https://www.rfc-editor.org/rfc/rfc8410 */
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex')
const SECRET_DER = Buffer.from('302e020100300506032b657004220420', 'hex')
/** The short id of a key, as it is in envelopes. */
export const KEY_ID_BYTES = 8

export interface PublicKey {
  id: Buffer
  key: KeyObject
}

export interface SigningKey extends PublicKey {
  secret: KeyObject
}

function publicKeyOf(raw: Buffer): PublicKey {
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' })
  return { id: createHash('sha256').update(raw).digest().subarray(0, KEY_ID_BYTES), key }
}

/** Undefined if the text isn't a public key. */
export function parsePublicKey(text: unknown): PublicKey | undefined {
  const raw = keyBytes(PUBLIC_PREFIX, text)
  return raw && publicKeyOf(raw)
}

/** Undefined if the text isn't a signing key. */
export function parseSigningKey(text: unknown): SigningKey | undefined {
  const seed = keyBytes(SECRET_PREFIX, text)
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
