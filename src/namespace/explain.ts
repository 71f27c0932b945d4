// Explains to people why a key is a hit or a miss.

import type { AnalysisKey, CallKey, EntryInfo, Explanation, InputState, MissReason } from '../api/index.js'
import { assertOptions, refuseOption } from '../base/options.js'
import { keyOfArguments } from '../compute/arguments.js'
import { givenPath } from '../compute/paths.js'
import { contentName } from '../entries/content-name.js'
import type { Entries } from '../entries/entries.js'
import type { Outcome } from '../entries/outcome.js'
import { parseEntryName } from '../inputs/entry-name.js'
import { type Input, lookOf } from '../inputs/input.js'
import type { Asker } from '../inputs/snapshot.js'
import { analysisKey } from '../manifest/analysis-key.js'
import type { Entry } from '../manifest/entry.js'
import type { KeyParts } from '../manifest/key-parts.js'
import { labelOf } from '../manifest/owner.js'
import type { EntryKey } from '../manifest/records.js'
import { recordPath } from '../project/paths.js'
import { infoOf } from './info.js'

type Details = Omit<Explanation, 'message' | 'isHit' | 'reason'>

const SENTENCES: Record<MissReason, (details: Details) => string> = {
  'never-set': ({ otherProjects }) =>
    otherProjects
      ? `Nothing is stored under this key in this project; there is an entry in ${listOf(otherProjects.map(projectText))}.`
      : 'Nothing was ever stored under this key, or it was cleared, or removed so long ago that it is forgotten.',
  'version-changed': ({ otherVersions }) =>
    `The key was stored under other versions, not under this one: ${otherVersions?.map(text => JSON.stringify(text)).join(', ')}.`,
  deleted: () => 'The entry was deleted.',
  evicted: () =>
    'A gc removed the entry or its inputs: there was too much in the cache, or it had not been used for long.',
  invalidated: () => 'The plugin invalidated the entry.',
  expired: ({ entry }) =>
    entry?.expiresAt === undefined
      ? 'The entry expired and was removed.'
      : `The entry expired at ${timeText(entry.expiresAt)}.`,
  'source-changed': ({ file }) => `The content of ${file ?? 'a source'} is not what it was.`,
  'source-missing': ({ file }) => `${file ?? 'A source'} is gone.`,
  'source-appeared': ({ file }) => `${file ?? 'A source'} exists now; it did not when the entry was made.`,
  'environment-changed': ({ input }) => `The environment variable ${input} has another value.`,
  'entry-changed': ({ input }) => `The entry ${input}, which the computation read, is not what it was.`,
  moved: () => 'The answer holds in another checkout or working directory only.',
  'question-changed': () => 'The entry was computed for other declared files or inputs.',
  'blob-missing': () => 'The entry is there, but its value is not in the blob store.',
  corrupt: () => 'The entry or its value is damaged.',
  unreadable: ({ file }) => `${file ?? 'The cache or a source'} cannot be read, so nothing can be said.`,
  invalid: () => "The namespace's `validate` refuses the stored value.",
  refresh: () => 'The cache was opened to refresh everything that was stored before.',
  'no-project': () => 'The working directory belongs to no project, so nothing is kept for it.',
}

/** @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED` */
export function explain(entries: Entries, asked: string | AnalysisKey | CallKey): Explanation {
  const { key, asker, label, outcome } = lookUp(entries, asked)
  const { version } = entries.options
  const remote = entries.store.remote()?.noted(entries.store.name, entries.store.manifest.partsOf(key))
  const about = { key: label, version, project: entries.project?.dir ?? null, ...(remote && { remote }) }
  const looked = entries.attempt(undefined, () => entries.store.manifest.look(key))
  const parts = entries.store.manifest.partsOf(key)
  // For a portable answer, the files are those of this checkout.
  const infoHere = (entry: Entry) => infoOf(entries, parts, { ...entry, seenIn: entries.project?.dir })
  const entry = looked?.entry && infoHere(looked.entry)
  if (outcome.reason === undefined) {
    const found = infoHere(outcome.entry)
    return { ...about, isHit: true, message: hitMessage(found), entry: found }
  }
  const { reason, validity } = outcome
  const input = validity?.input
  const file = validity?.path ?? (looked?.entry ? undefined : looked?.removal?.path)
  const found = entries.attempt([], () => entries.store.manifest.lookEverywhere(key))
  const others = found.filter(({ kind }) => kind === parts.kind)
  const isHere = ({ scope, project }: KeyParts) => scope === parts.scope && project === parts.project
  const otherVersions = others.flatMap(other => (other.version === version || !isHere(other) ? [] : other.version))
  const otherProjects = others.flatMap(other => {
    const project = other.scope === 'user' ? null : other.project
    return other.version !== version || other.scope === 'portable' || project === about.project ? [] : [project]
  })
  const details: Details = {
    ...about,
    ...(file !== undefined && { file }),
    ...(input && file === undefined && { input: inputText(input) }),
    ...(entry && { entry }),
    ...(reason === 'version-changed' && { otherVersions }),
    ...(reason === 'never-set' && otherProjects.length > 0 && { otherProjects }),
    ...(input ? statesOf(entries, input, asker) : {}),
  }
  return { ...details, isHit: false, reason, message: SENTENCES[reason](details) }
}

function lookUp(entries: Entries, asked: string | AnalysisKey | CallKey) {
  if (typeof asked === 'string') {
    const own = entries.keyOf(asked)
    const outcome = entries.look(asked)
    const isThere = entries.attempt(true, () => entries.store.manifest.look(own).head !== undefined)
    const key = entries.options.isPortable && !isThere ? entries.keyOf(asked, 'plain', 'portable') : own
    return { key, asker: entries.asker(), label: asked, outcome }
  }
  const { name, file, args } = assertOptions('explain', asked as Partial<AnalysisKey & CallKey>, [
    'name',
    'file',
    'args',
  ])
  if (args !== undefined) return lookUpCall(entries, name, args)
  const given = givenPath(entries.store.environment.files, file)
  const { path } = recordPath(entries.project, given.absolute)
  const keyAt = (place: string) => entries.keyOf(analysisKey(name, place), 'analysis', 'portable')
  const isThere = (key: EntryKey) => entries.attempt(true, () => entries.store.manifest.look(key).head !== undefined)
  let key = keyAt(path)
  // Otherwise it may have been analyzed with `anywhere`.
  const content = isThere(key) ? undefined : contentName(entries, given.absolute)
  if (content !== undefined && isThere(keyAt(content))) key = keyAt(content)
  const label = labelOf({ kind: 'analysis', key: analysisKey(name, path) })
  return { key, label, ...ask(entries, key, entries.asker(given.absolute, path)) }
}

function lookUpCall(entries: Entries, name: unknown, args: unknown) {
  if (!Array.isArray(args)) throw refuseOption('args must be the list of arguments.', args)
  const text = analysisKey(name) + keyOfArguments(entries, args)
  const key = entries.keyOf(text, 'call', entries.computedScope)
  return { key, label: labelOf({ kind: 'call', key: text }), ...ask(entries, key, entries.asker()) }
}

/** The question as it was when the entry was stored. */
function ask(entries: Entries, key: EntryKey, asker: Asker): { asker: Asker; outcome: Outcome } {
  const digest = entries.attempt(undefined, () => entries.store.manifest.look(key).entry?.question)
  return { asker, outcome: entries.find(key, { digest, ttlMs: undefined, asker }) }
}

function hitMessage({ files }: EntryInfo): string {
  const count = files.length
  if (count === 0) return 'The entry is valid.'
  return count === 1
    ? 'The entry is valid: its source is unchanged.'
    : `The entry is valid: its ${count} sources are unchanged.`
}

/** A ttl may reach past the last date that JavaScript can express. */
function timeText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? `${ms} ms after 1970` : date.toISOString()
}

function projectText(project: string | null): string {
  return project ?? 'the user-wide keys'
}

function listOf(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join() : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`
}

function inputText({ kind, path }: Input): string {
  if (kind !== 'entry') return path
  const { key } = parseEntryName(path)
  return JSON.stringify(key)
}

function statesOf(entries: Entries, input: Input, asker: Asker): { before?: InputState; after?: InputState } {
  if (lookOf(input.kind) === 'list') return {}
  const after = entries.attempt(undefined, () => entries.store.snapshot().now(input, asker))
  return { before: stateOf(input), ...(after ? { after: stateOf(after) } : {}) }
}

function stateOf({ kind, sizeBytes, mtimeMs, ctimeMs, inode, digest }: Input): InputState {
  switch (kind) {
    case 'absent':
    case 'missing':
      return { kind: 'absent' }
    case 'present':
    case 'error':
      return { kind }
    case 'cwd':
    case 'checkout':
    case 'location':
    case 'list':
    case 'home':
      return { kind: 'place' }
    case 'environment':
    case 'entry':
      return { kind, digest: digest.toString('hex') }
    default:
      return {
        kind,
        ...(inode === 0 ? {} : { sizeBytes, mtimeMs, ctimeMs, inode }),
        digest: digest.toString('hex'),
      }
  }
}
