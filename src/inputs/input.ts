// An input is one read that a computation made, and what it found. FORMAT.md describes the bytes.
//
// An input's *reference* says what was read, its *state* what was found. Entries hold a few inputs with file metadata, which
// prove most files unchanged without a read. Lists hold references and states. Nodes hold references alone.

import { CONTENT_DIGEST_BYTES } from '../hashing/hashing.js'

/** All kinds. The index of a kind is its number on disk. */
export const INPUT_KINDS = [
  /** Nothing exists at the path; a read of content found this. */
  'absent',
  /** A file; its digest is that of its bytes. */
  'file',
  /** A directory; its digest is that of the names in it. */
  'directory',
  /** A path that can't be read; `detail` is the error's code. */
  'error',
  /** Existence alone: something is there, or nothing. */
  'present',
  'missing',
  /** A directory's names that match the patterns of `detail`. */
  'glob',
  /** A variable of the environment; its digest is that of the value. */
  'environment',
  /** Another entry, named by `path`; its digest is that of the value. */
  'entry',
  /** `path` is the working directory, as the project sees it. */
  'cwd',
  /** `path` is the project's directory. */
  'checkout',
  /** `path` is where the analyzed file is. */
  'location',
  /** A list of inputs, named by its digest. */
  'list',
  /** The project of the working directory; `path` is empty if it is the handle's project. */
  'home',
] as const
export type InputKind = (typeof INPUT_KINDS)[number]

export interface Input {
  kind: InputKind
  /**
   * For files: the path, relative to the project's directory if `isRelative`, empty for the analyzed file. For other inputs see
   * the kinds.
   */
  path: string
  isRelative: boolean
  /** Whether a later change could leave the same metadata. */
  isRacy: boolean
  sizeBytes: number
  mtimeMs: number
  ctimeMs: number
  inode: number
  /** 16 bytes; zeros if there is nothing to digest. */
  digest: Buffer
  detail: string
}

export const NO_DIGEST: Buffer = Buffer.alloc(CONTENT_DIGEST_BYTES)

/** Groups the kinds that are different outcomes of the same read. */
const LOOKS: Readonly<Record<InputKind, InputKind>> = {
  absent: 'file',
  file: 'file',
  directory: 'file',
  error: 'file',
  present: 'present',
  missing: 'present',
  glob: 'glob',
  environment: 'environment',
  entry: 'entry',
  cwd: 'cwd',
  checkout: 'checkout',
  location: 'location',
  list: 'list',
  home: 'home',
}

/** Creates an input. All inputs are created here, because the engine reads objects with one common shape faster. */
export function inputOf(kind: InputKind, path: string, isRelative = false, digest = NO_DIGEST, detail = ''): Input {
  return { kind, path, isRelative, isRacy: false, sizeBytes: 0, mtimeMs: 0, ctimeMs: 0, inode: 0, digest, detail }
}

const MAX_TEXT_BYTES = 0xffff

/** Whether a path or a detail of this length can be stored. */
export function isRecordableText(text: string): boolean {
  return 3 * text.length <= MAX_TEXT_BYTES || Buffer.byteLength(text) <= MAX_TEXT_BYTES
}

/** The read that the input is an outcome of. */
export function lookOf(kind: InputKind): InputKind {
  return LOOKS[kind]
}

/** Names the read: inputs with equal names come from the same read. */
export function nameOf({ kind, path, isRelative, detail }: Input): string {
  const look = lookOf(kind)
  if (look === 'cwd' || look === 'checkout' || look === 'location' || look === 'home') return look
  return `${look} ${isRelative ? '.' : '/'} ${path}${look === 'glob' ? `\0${detail}` : ''}`
}

/** Whether both inputs have the same state. */
export function isSameState(one: Input, other: Input): boolean {
  if (one.kind !== other.kind || !one.digest.equals(other.digest)) return false
  return one.kind === 'error' || one.kind === 'glob'
    ? one.detail === other.detail
    : !namesItsState(one.kind) || one.path === other.path
}

/** Whether the kind's path says what was found, not where. */
export function namesItsState(kind: InputKind): boolean {
  return kind === 'cwd' || kind === 'checkout' || kind === 'location' || kind === 'list' || kind === 'home'
}

export function hasStat(kind: InputKind): boolean {
  return kind === 'file' || kind === 'directory' || kind === 'glob'
}

export function hasDigest(kind: InputKind): boolean {
  return hasStat(kind) || kind === 'environment' || kind === 'entry'
}

export function hasDetail(kind: InputKind): boolean {
  return kind === 'glob' || kind === 'error'
}
