// What a result saw: one input is one look at the world and what was found. FORMAT.md has the bytes.
//
// An input's *reference* says where to look, its *state* what was found. Entries hold a few inputs with the metadata of
// files, by which most are proved unchanged without a read; lists hold references and states; nodes hold references alone.

import { readU48 } from '../base/u48.js'
import type { Hashing } from '../hashing/hashing.js'
import { CONTENT_DIGEST_BYTES } from '../hashing/hashing.js'

/** In the order of the format's numbers. */
export const INPUT_KINDS = [
  /** By content: nothing is there. */
  'absent',
  /** A file; its digest is that of its bytes. */
  'file',
  /** A directory; its digest is that of the names in it. */
  'directory',
  /** What can't be read: `detail` is the error's code. */
  'error',
  /** By existence alone: there is something, or nothing. */
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
  /** The project of the working directory: `path` is empty where that is the project that is asked in. */
  'home',
] as const
export type InputKind = (typeof INPUT_KINDS)[number]

export interface Input {
  kind: InputKind
  /** Of files, from the project's directory if `isRelative`, and empty for the analyzed file itself; else see the kinds. */
  path: string
  isRelative: boolean
  /** Whether a later change could leave the same metadata. */
  isRacy: boolean
  sizeBytes: number
  mtimeMs: number
  ctimeMs: number
  inode: number
  /** 16 bytes; of zeros where there is nothing to be digested. */
  digest: Buffer
  detail: string
}

export const NO_DIGEST: Buffer = Buffer.alloc(CONTENT_DIGEST_BYTES)

/** Which part of an input is stored. */
export type InputForm = 'full' | 'state' | 'reference'

/** Where to look: kinds that are results of the same look are one. */
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

const KIND_MASK = 0x0f
const IS_RACY = 0x10
const IS_RELATIVE = 0x20
const STAT_BYTES = 6 + 8 + 8 + 8
/** Flags, the lengths of two texts, metadata and digest. */
const MAX_FIXED_BYTES = 1 + 2 + 2 + STAT_BYTES + CONTENT_DIGEST_BYTES

/** All inputs come from here: the engine reads objects that were made in one place quickly. */
export function inputOf(kind: InputKind, path: string, isRelative = false, digest = NO_DIGEST, detail = ''): Input {
  return { kind, path, isRelative, isRacy: false, sizeBytes: 0, mtimeMs: 0, ctimeMs: 0, inode: 0, digest, detail }
}

const MAX_TEXT_BYTES = 0xffff

/** Whether a path or a detail of this length can be stored. */
export function isRecordableText(text: string): boolean {
  return 3 * text.length <= MAX_TEXT_BYTES || Buffer.byteLength(text) <= MAX_TEXT_BYTES
}

/** The look that the input is a result of. */
export function lookOf(kind: InputKind): InputKind {
  return LOOKS[kind]
}

/** Names the look: two inputs with one name looked at the same thing. */
export function nameOf({ kind, path, isRelative, detail }: Input): string {
  const look = lookOf(kind)
  if (look === 'cwd' || look === 'checkout' || look === 'location' || look === 'home') return look
  return `${look} ${isRelative ? '.' : '/'} ${path}${look === 'glob' ? `\0${detail}` : ''}`
}

/** Whether both found the same. */
export function isSameState(one: Input, other: Input): boolean {
  if (one.kind !== other.kind || !one.digest.equals(other.digest)) return false
  return one.kind === 'error' || one.kind === 'glob'
    ? one.detail === other.detail
    : !namesItsState(one.kind) || one.path === other.path
}

/** Whether the kind's path says what was found, not where. */
function namesItsState(kind: InputKind): boolean {
  return kind === 'cwd' || kind === 'checkout' || kind === 'location' || kind === 'list' || kind === 'home'
}

function hasStat(kind: InputKind): boolean {
  return kind === 'file' || kind === 'directory' || kind === 'glob'
}

function hasDigest(kind: InputKind): boolean {
  return hasStat(kind) || kind === 'environment' || kind === 'entry'
}

function hasDetail(kind: InputKind): boolean {
  return kind === 'glob' || kind === 'error'
}

/** The inputs' bytes: how many there are u32, then each. */
export function encodeInputs(inputs: readonly Input[], form: InputForm): Buffer {
  let room = 4
  for (const { path, detail } of inputs) room += MAX_FIXED_BYTES + 3 * (path.length + detail.length)
  const bytes = Buffer.allocUnsafe(room)
  let at = bytes.writeUInt32LE(inputs.length, 0)
  for (const input of inputs) at = writeInput(input, form, bytes, at)
  return bytes.subarray(0, at)
}

function writeInput(input: Input, form: InputForm, bytes: Buffer, start: number): number {
  const isReference = form === 'reference'
  // A reference is the same whatever was found.
  const kind = isReference ? lookOf(input.kind) : input.kind
  const withStat = form === 'full' && hasStat(kind)
  const flags = (withStat && input.isRacy ? IS_RACY : 0) | (input.isRelative ? IS_RELATIVE : 0)
  let at = bytes.writeUInt8(INPUT_KINDS.indexOf(kind) | flags, start)
  at = writeText(isReference && namesItsState(kind) && kind !== 'list' ? '' : input.path, bytes, at)
  if (kind === 'glob' || (hasDetail(kind) && !isReference)) at = writeText(input.detail, bytes, at)
  if (withStat) {
    at = bytes.writeUIntLE(input.sizeBytes, at, 6)
    at = bytes.writeDoubleLE(input.mtimeMs, at)
    at = bytes.writeDoubleLE(input.ctimeMs, at)
    at = bytes.writeDoubleLE(input.inode, at)
  }
  return !isReference && hasDigest(kind) ? at + input.digest.copy(bytes, at) : at
}

/** @throws RangeError for more than 65,535 bytes */
function writeText(text: string, bytes: Buffer, at: number): number {
  const length = bytes.write(text, at + 2)
  bytes.writeUInt16LE(length, at)
  return at + 2 + length
}

/** Inputs that begin at an offset, and where they end. @throws RangeError for what are none */
export function decodeInputs(view: DataView, start: number, form: InputForm): { inputs: Input[]; end: number } {
  let at = start + 4
  const inputs: Input[] = []
  for (let left = view.getUint32(start, true); left > 0; left--) {
    const flags = view.getUint8(at)
    const kind = INPUT_KINDS[flags & KIND_MASK]
    if (kind === undefined) throw new RangeError('An input is of an unknown kind.')
    const path = readText(view, at + 1)
    at += 3 + view.getUint16(at + 1, true)
    const input = inputOf(kind, path, (flags & IS_RELATIVE) !== 0)
    if (kind === 'glob' || (hasDetail(kind) && form !== 'reference')) {
      input.detail = readText(view, at)
      at += 2 + view.getUint16(at, true)
    }
    if (form === 'full' && hasStat(kind)) {
      input.isRacy = (flags & IS_RACY) !== 0
      input.sizeBytes = readU48(view, at)
      input.mtimeMs = view.getFloat64(at + 6, true)
      input.ctimeMs = view.getFloat64(at + 14, true)
      input.inode = view.getFloat64(at + 22, true)
      at += STAT_BYTES
    }
    if (form !== 'reference' && hasDigest(kind)) {
      if (at + CONTENT_DIGEST_BYTES > view.byteLength) throw new RangeError('An input is cut short.')
      input.digest = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at, CONTENT_DIGEST_BYTES)
      at += CONTENT_DIGEST_BYTES
    }
    inputs.push(input)
  }
  return { inputs, end: at }
}

function readText(view: DataView, at: number): string {
  const length = view.getUint16(at, true)
  if (at + 2 + length > view.byteLength) throw new RangeError('A text of an input is cut short.')
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + at + 2, length).toString()
}

/** What tells states of the world apart: the digest of references and states. */
export function digestOfStates(hashing: Hashing, inputs: readonly Input[], before: Uint8Array = NO_DIGEST): Buffer {
  return hashing.contentDigest(Buffer.concat([before, encodeInputs(inputs, 'state')]))
}
