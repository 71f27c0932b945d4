// Answers in one file, to be kept as a CI artefact:
//
//   "wicked-cache bundle 1\n", then for each answer: header length u32 | envelope length u32 | header as JSON | envelope
//
// The header names the question. It needs no signature: the envelope's name is derived from the question, so an envelope
// under another question has the wrong name and is refused.

import { dirname, resolve } from 'node:path'
import { CacheError } from '../base/errors.js'
import { nodeFiles } from '../files/files.js'

const MAGIC = Buffer.from('wicked-cache bundle 1\n')
const MAX_HEADER_BYTES = 2 ** 17
const MAX_ENVELOPE_BYTES = 2 ** 28

export interface BundleRecord {
  namespace: string
  /** The key in the manifest. */
  key: Buffer
  /** Digest of the declared inputs; undefined if there are none. */
  digest: Buffer | undefined
  envelope: Uint8Array
}

/** Writes to a temporary file, which replaces the target at the end. */
export class BundleWriter {
  readonly #path: string
  readonly #temporary: string
  readonly #fd: number

  /** @throws errno-style errors */
  constructor(path: string) {
    this.#path = resolve(path)
    this.#temporary = `${this.#path}.${process.pid}.new`
    nodeFiles.makeDirectory(dirname(this.#path))
    nodeFiles.remove(this.#temporary)
    this.#fd = nodeFiles.open(this.#temporary, 'create')
    this.#append(MAGIC)
  }

  /** @throws errno-style errors */
  add({ namespace, key, digest, envelope }: BundleRecord): void {
    const header = Buffer.from(
      JSON.stringify({ namespace, key: key.toString('base64'), digest: digest?.toString('base64') ?? null }),
    )
    const lengths = Buffer.alloc(8)
    lengths.writeUInt32LE(envelope.length, lengths.writeUInt32LE(header.length, 0))
    this.#append(Buffer.concat([lengths, header, envelope]))
  }

  /** @throws errno-style errors */
  finish(): void {
    nodeFiles.close(this.#fd)
    nodeFiles.rename(this.#temporary, this.#path)
  }

  abandon(): void {
    nodeFiles.close(this.#fd)
    nodeFiles.remove(this.#temporary)
  }

  #append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const rest = bytes.subarray(at)
      at += nodeFiles.append(this.#fd, rest, rest.length)
    }
  }
}

/** @throws CacheError `ERR_CACHE_OPTION` if the file isn't a bundle; errno-style errors */
export function* readBundle(path: string): Generator<BundleRecord & { fraction: number }> {
  const fd = nodeFiles.open(path, 'read')
  try {
    const { sizeBytes, kind } = nodeFiles.fstat(fd)
    const read = (length: number, position: number) => {
      const bytes = Buffer.alloc(length)
      let at = 0
      while (at < length) {
        const count = nodeFiles.read(fd, bytes, at, length - at, position + at)
        if (count === 0) throw noBundle(path)
        at += count
      }
      return bytes
    }
    if (kind !== 'file' || !read(MAGIC.length, 0).equals(MAGIC)) throw noBundle(path)
    for (let position = MAGIC.length; position < sizeBytes; ) {
      const lengths = read(8, position)
      const [headerBytes, envelopeBytes] = [lengths.readUInt32LE(0), lengths.readUInt32LE(4)]
      if (headerBytes > MAX_HEADER_BYTES || envelopeBytes > MAX_ENVELOPE_BYTES) throw noBundle(path)
      if (position + 8 + headerBytes + envelopeBytes > sizeBytes) throw noBundle(path)
      const header = headerIn(read(headerBytes, position + 8))
      if (!header) throw noBundle(path)
      const envelope = read(envelopeBytes, position + 8 + headerBytes)
      position += 8 + headerBytes + envelopeBytes
      yield { ...header, envelope, fraction: position / sizeBytes }
    }
  } finally {
    nodeFiles.close(fd)
  }
}

function headerIn(bytes: Buffer): Omit<BundleRecord, 'envelope'> | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(bytes.toString())
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const { namespace, key, digest } = (parsed ?? {}) as Record<string, unknown>
  if (typeof namespace !== 'string' || typeof key !== 'string') return undefined
  const isDigest = typeof digest === 'string'
  if (!isDigest && digest !== null) return undefined
  return { namespace, key: Buffer.from(key, 'base64'), digest: isDigest ? Buffer.from(digest, 'base64') : undefined }
}

function noBundle(path: string): CacheError {
  return new CacheError('ERR_CACHE_OPTION', `${path} is not a bundle of answers, or was truncated.`, { value: path })
}
