// Checks the arguments of computing calls and turns them into questions.

import type {
  AnalyzeContext,
  AnalyzeOptions,
  ComputeContext,
  GetOrSetOptions,
  PathLike,
  SourceText,
  WrapOptions,
} from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { assertFlag, assertOptionalFunction, assertOptions, refuseOption } from '../base/options.js'
import { parseTtl } from '../base/units.js'
import { contentOf, nameOfContent } from '../entries/content-name.js'
import type { Entries } from '../entries/entries.js'
import { inputOf } from '../inputs/input.js'
import type { Snapshot } from '../inputs/snapshot.js'
import { analysisKey } from '../manifest/analysis-key.js'
import type { EntryKey } from '../manifest/records.js'
import { recordPath, resolvePath } from '../project/paths.js'
import { keyOfArguments } from './arguments.js'
import type { Subject } from './context.js'
import { type GivenPath, givenPath, givenPaths } from './paths.js'
import type { Ask } from './question.js'

const GET_OR_SET_OPTIONS = ['ttl', 'files', 'inputs', 'onResult', 'staleWhileRevalidate', 'signal']
const ANALYZE_OPTIONS = ['inputs', 'anywhere', 'onResult']
const WRAP_OPTIONS = ['inputs', 'files', 'ttl', 'onResult']
/** Longer paths lead nowhere on any system, and don't fit into a key. */
const MAX_PLACE_BYTES = 8192
const NO_KEY: EntryKey = { hash: 0, tag: 0, bytes: Buffer.alloc(0) }

/** @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED` */
export function getOrSetQuestion(
  entries: Entries,
  key: unknown,
  compute: (context: ComputeContext) => unknown,
  options?: GetOrSetOptions,
): Ask {
  assertFunction(compute)
  const known = assertOptions('getOrSet', options, GET_OR_SET_OPTIONS)
  const { ttl, files, inputs, onResult, staleWhileRevalidate, signal } = known
  assertOptionalFunction('onResult', onResult)
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw refuseOption('signal must be an AbortSignal.', signal)
  }
  if (staleWhileRevalidate !== undefined && ttl === undefined) {
    throw refuseOption('staleWhileRevalidate needs a ttl, after which a result is stale.', staleWhileRevalidate)
  }
  const declared = declaredFiles(entries, files)
  return {
    staleMs: staleWhileRevalidate === undefined ? undefined : parseTtl(staleWhileRevalidate),
    signal,
    ...shared(entries, entries.keyOf(key, 'plain', entries.computedScope), ttl),
    setKey: entries.options.isPortable ? entries.keyOf(key) : undefined,
    plainKey: key as string,
    digest: digestOf(entries, declared, inputs),
    files: declared,
    namesRelative: declared.some(({ isRelative }) => isRelative),
    onResult,
    compute,
  }
}

/** Makes the question of `getOrSetSync`. @throws like `parseGetOrSet` */
export function getOrSetSyncQuestion(...given: Parameters<typeof getOrSetQuestion>): Ask {
  const [, , , options] = given
  if (options?.signal !== undefined || options?.staleWhileRevalidate !== undefined) {
    throw refuseOption(
      'signal and staleWhileRevalidate are for getOrSet: getOrSetSync has nothing to wait for.',
      options,
    )
  }
  return getOrSetQuestion(...given)
}

/** @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED`; errors of reading the file */
export function analyzeQuestion(
  entries: Entries,
  name: unknown,
  file: PathLike | SourceText,
  compute: (context: AnalyzeContext) => unknown,
  options?: AnalyzeOptions,
): Ask {
  if (typeof compute !== 'function') throw refuseOption('analyze takes a name, a file and a function.', compute)
  const { inputs, anywhere = false, onResult } = assertOptions('analyze', options, ANALYZE_OPTIONS)
  assertOptionalFunction('onResult', onResult)
  assertFlag('anywhere', anywhere)
  const { given, text } = analyzedFile(entries, file)
  const recorded = recordPath(entries.project, given.absolute)
  const { path } = recorded
  // Results may hold the path, so all paths to the file give the same one.
  const absolute = resolvePath(recorded, entries.project?.dir) ?? given.absolute
  const { hashing } = entries.store.environment
  const bytes = text === undefined ? undefined : Buffer.from(text)
  const textInput = bytes && inputOf('file', '', false, hashing.contentDigest(wholeBytes(bytes, text)))
  const asker = entries.asker(given.absolute, path, textInput)
  const content = anywhere ? (textInput ?? contentOf(entries, given.absolute)) : undefined
  const where = anywhere ? content && nameOfContent(content.digest) : path
  const key = analysisKey(name, where)
  const isKept = where !== undefined && Buffer.byteLength(where) <= MAX_PLACE_BYTES && !given.isThroughLink
  const subject = (snapshot: Snapshot): Subject => {
    const content = bytes ?? readSubject(entries, snapshot, given)
    // The file may have changed between the two reads.
    const isAsAsked = !anywhere || where === nameOfContent(hashing.contentDigest(content))
    return { path: absolute, relativePath: path, bytes: content, text, isAnywhere: anywhere, isAsAsked }
  }
  return {
    key: isKept ? entries.keyOf(key, 'analysis', 'portable') : NO_KEY,
    asker,
    ttlMs: undefined,
    isPortable: true,
    isPromised: false,
    isUnkept: entries.store.mode === 'off' || !isKept,
    digest: digestOf(entries, [], inputs),
    files: [],
    namesRelative: given.isRelative,
    content,
    subject,
    analyzed: file,
    onResult,
    compute,
  }
}

/** Makes the question of each call of a wrapped function. @throws CacheError `ERR_CACHE_OPTION` */
export function wrapQuestions<Args extends unknown[]>(
  entriesNow: () => Entries,
  name: unknown,
  fn: (...args: Args) => unknown,
  options?: WrapOptions<Args>,
): (self: unknown, args: Args) => Ask {
  const { inputs, files, ttl, onResult } = assertOptions('wrap', options, WRAP_OPTIONS)
  if (typeof fn !== 'function') throw refuseOption('wrap takes a name and a function.', fn)
  assertOptionalFunction('onResult', onResult)
  if (ttl !== undefined) parseTtl(ttl)
  const prefix = analysisKey(name)
  const text = String(fn)
  return (self, args) => {
    const entries = entriesNow()
    const declared = declaredFiles(entries, typeof files === 'function' ? files(...args) : files)
    const argumentsKey = argumentsOf(entries, args)
    const key =
      argumentsKey === undefined ? NO_KEY : entries.keyOf(prefix + argumentsKey, 'call', entries.computedScope)
    const common = shared(entries, key, ttl)
    return {
      ...common,
      isUnkept: common.isUnkept || argumentsKey === undefined,
      digest: digestOf(entries, declared, [text, inputs]),
      files: declared,
      namesRelative: declared.some(({ isRelative }) => isRelative),
      onResult,
      compute: () => fn.apply(self, args),
    }
  }
}

function shared(entries: Entries, key: EntryKey, ttl: number | string | undefined) {
  const isPortable = entries.computedScope === 'portable'
  return {
    key,
    asker: entries.asker(),
    ttlMs: ttl === undefined ? undefined : parseTtl(ttl),
    isPortable,
    isPromised: isPortable,
    isUnkept: entries.store.mode === 'off' || !entries.hasKeys,
    subject: undefined,
  }
}

/** Returns undefined if no key can be made of the arguments: such a call isn't cached. */
function argumentsOf(entries: Entries, args: readonly unknown[]): string | undefined {
  try {
    return keyOfArguments(entries, args)
  } catch (error) {
    if (!(error instanceof CacheError) || error.code === 'ERR_CACHE_CLOSED') throw error
    entries.store.report(error)
    return undefined
  }
}

function declaredFiles({ store }: Entries, files: readonly PathLike[] | undefined): GivenPath[] {
  if (files === undefined) return []
  if (typeof files !== 'object' || !(Symbol.iterator in files))
    throw refuseOption('files must be a list of paths.', files)
  return givenPaths(store.environment.files, files)
}

/** Returns undefined if nothing is declared. @throws CacheError `ERR_CACHE_VALUE` for inputs that can't be stored */
function digestOf(entries: Entries, files: readonly GivenPath[], inputs: unknown): Buffer | undefined {
  if (files.length === 0 && inputs === undefined) return undefined
  const paths = files.map(({ absolute }) => recordPath(entries.project, absolute).path)
  // The encoder is loaded only if there are inputs. No stored form begins with a digit.
  const bytes =
    inputs === undefined
      ? Buffer.from(paths.map(path => `${path.length} ${path}`).join(''))
      : entries.encoder.encodeExactly([paths, inputs])
  return entries.store.environment.hashing.contentDigest(bytes)
}

function assertFunction(compute: unknown): void {
  if (typeof compute !== 'function') throw refuseOption('What computes a value must be a function.', compute)
}

function analyzedFile({ store }: Entries, file: PathLike | SourceText): { given: GivenPath; text: string | undefined } {
  const { files } = store.environment
  if (typeof file === 'object' && file !== null && 'path' in file) {
    const { path, source } = assertOptions('The file of analyze', file, ['path', 'source'])
    if (typeof source !== 'string') throw refuseOption('source must be the text of the file.', source)
    return { given: givenPath(files, path), text: source }
  }
  return { given: givenPath(files, file), text: undefined }
}

/** Lone surrogates all become the same character in UTF-8. */
function wholeBytes(bytes: Buffer, text: string | undefined): Buffer {
  return text === undefined || text.isWellFormed() ? bytes : Buffer.concat([bytes, Buffer.from(text, 'utf16le')])
}

/** The content of the file at its first read. @throws as `fs.readFileSync` does */
function readSubject(entries: Entries, snapshot: Snapshot, { given, absolute }: GivenPath): Buffer {
  const source = snapshot.source(absolute)
  const input = source.input(true)
  if (input?.kind === 'file' && source.content) return source.content
  return entries.store.environment.files.readAnyway(given)
}
