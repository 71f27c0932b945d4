// Every path, magic number and version of the on-disk format. FORMAT.md explains them; a change to any value here is a
// new FORMAT_VERSION, which is a new directory, so that versions never read each other's files.

import { childOf } from './child.js'
import { CacheError } from './errors.js'

export const FORMAT_VERSION = 2

/** The signature that https://bford.info/cachedir/ asks for in the first line of the tag file. */
export const CACHE_TAG_NAME = 'CACHEDIR.TAG'
export const CACHE_TAG =
  'Signature: 8a477f597d28d172789f06886806bc55\n' +
  '# This directory holds a cache made by wicked-cache; it can be deleted at any time.\n'

export const DIR_MODE = 0o700
export const FILE_MODE = 0o600

/**
 * Frame header, little-endian: magic u8, type u8, key length u16, payload length u32, hash u32, tag u32, payload checksum
 * u32, header checksum u32.
 */
export const FRAME_HEADER_BYTES = 24
/** After the payload: 21 bits of the header checksum, 7 in each byte, and a byte of its own. */
export const FRAME_TRAILER_BYTES = 4
/** The first byte of each frame. No byte of a trailer equals it, so a truncated frame never looks complete. */
export const FRAME_MAGIC = 0xf7
export const FRAME_END = 0x0a

export const FRAME = {
  /** First frame of every file: format version and identity, for people and for `verify`. */
  open: 1,
  put: 2,
  remove: 3,
  /** `put` and `remove` that apply only if the key's current record is the expected one. */
  putIf: 4,
  removeIf: 5,
  /** Voids every record before it. */
  clear: 6,
  /** Frames after a seal are void: the records continue in the bucket's successors. */
  seal: 7,
  /** Names the successor of a sealed bucket. The first one counts. */
  successor: 8,
  blob: 9,
  /** The progress of a background gc cycle, and the blobs that it found in use. */
  state: 10,
  marks: 11,
} as const

/** Length of the random part of a candidate's name. */
export const SUCCESSOR_NAME_BYTES = 8

export const BLOB_ID_BYTES = 21
/** Where a blob's bytes begin in its frame. */
export const BLOB_BYTES_START = FRAME_HEADER_BYTES + BLOB_ID_BYTES
/** Length of a blob's frame without the blob's bytes. */
export const BLOB_FRAME_BYTES = BLOB_BYTES_START + FRAME_TRAILER_BYTES

/** A pack of this size takes no more blobs: a new pack is started. */
export const PACK_BYTES = 64 * 1024 * 1024
/**
 * The first bucket of a map is rewritten at this size: split where most of it is live, compacted where it is not. Its parts are
 * rewritten at twice this size, and theirs and all others at four times.
 */
export const BUCKET_BYTES = 80 * 1024
/** A bucket is split into four, one for each value of the next base-4 digit. A 32-bit hash has sixteen digits. */
export const BUCKET_FANOUT = 4
export const BUCKET_MAX_DEPTH = 14

export const MAX_KEY_BYTES = 16 * 1024
export const MAX_VALUE_BYTES = 512 * 1024 * 1024
export const MAX_FRAME_BYTES = BLOB_FRAME_BYTES + MAX_VALUE_BYTES
const MAX_ESCAPED_NAME = 200

/** Directory of the manifest of input lists, beside those of the namespaces. No namespace name is escaped to this. */
export const LISTS_DIRECTORY = '%lists'

export interface Layout {
  root: string
  tag: string
  config: string
  /** Remote stores that failed recently. */
  remote: string
  version: string
  /** The random number under which keys are hashed. */
  hashSeed: string
  blobIndex: string
  packs: string
  fileHashes: string
  /** Counters of the cache as a whole. */
  history: string
  namespaces: string
  gcLock: string
  /** What repairs have cut out of damaged files. */
  lostAndFound: string
  upkeep: string
  namespace(escapedName: string): string
  manifest(escapedName: string): string
  counters(escapedName: string): string
}

/** `root` is absolute and normalized. */
export function layoutOf(root: string): Layout {
  const version = childOf(root, `v${FORMAT_VERSION}`)
  const blobs = childOf(version, 'blobs')
  const namespaces = childOf(version, 'namespaces')
  const namespace = (escapedName: string) => childOf(namespaces, escapedName)
  return {
    root,
    tag: childOf(root, CACHE_TAG_NAME),
    config: childOf(root, 'config.json'),
    remote: childOf(root, 'remote'),
    version,
    hashSeed: childOf(version, 'seed'),
    blobIndex: childOf(blobs, 'index'),
    packs: childOf(blobs, 'packs'),
    fileHashes: childOf(version, 'file-hashes'),
    history: childOf(version, 'history'),
    namespaces,
    gcLock: childOf(version, 'gc.lock'),
    lostAndFound: childOf(root, 'salvaged'),
    upkeep: childOf(version, 'upkeep'),
    namespace,
    manifest: escapedName => childOf(namespace(escapedName), 'manifest'),
    counters: escapedName => childOf(namespace(escapedName), 'counters'),
  }
}

const RESERVED_ON_WINDOWS = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/
/** Names that are used as they are. Most are. */
const PLAIN_NAME = /^[a-z0-9_-](?:[a-z0-9_.-]*[a-z0-9_-])?$/

/**
 * Returns the directory name of a namespace. Lower-case ASCII letters, digits, `-`, `_` and inner dots are kept; every other
 * UTF-8 byte becomes `%` and two hex digits. So names that differ only in case stay apart on case-insensitive file systems,
 * and no name becomes `..`, a device name or a path.
 *
 * @throws CacheError `ERR_CACHE_NAMESPACE` for what is not a string, empty, not well-formed or too long.
 */
export function escapeNamespace(name: unknown): string {
  const refuse = (why: string) => new CacheError('ERR_CACHE_NAMESPACE', `A namespace name ${why}.`, { value: name })
  if (typeof name !== 'string') throw refuse('must be a string')
  if (name === '') throw refuse('must not be empty')
  if (!name.isWellFormed()) throw refuse('must not contain lone surrogates')
  const isDevice = RESERVED_ON_WINDOWS.test(name.toLowerCase())
  if (PLAIN_NAME.test(name) && !isDevice && name.length <= MAX_ESCAPED_NAME) return name
  const bytes = Buffer.from(name)
  let escaped = ''
  for (const [index, byte] of bytes.entries()) {
    const char = String.fromCharCode(byte)
    const isEdge = index === 0 || index === bytes.length - 1
    const stands = /[a-z0-9_-]/.test(char) || (char === '.' && !isEdge)
    escaped += stands && !(isDevice && index === 0) ? char : `%${byte.toString(16).padStart(2, '0')}`
  }
  if (escaped.length > MAX_ESCAPED_NAME) throw refuse(`must fit in ${MAX_ESCAPED_NAME} bytes once escaped`)
  return escaped
}
