// Lists what a namespace holds, entry by entry.

import type { AnalysesOf, EntryInfo, ListOptions } from '../api/index.js'
import { assertOptionalFunction, assertOptions } from '../base/options.js'
import { currentComputation } from '../compute/frame.js'
import type { Entries } from '../entries/entries.js'
import type { ListedEntry } from '../manifest/records.js'
import { findAnalyses } from './find.js'
import { infoOf } from './info.js'
import { assertPrefix, beginsWith, belongsTo } from './owned.js'

/** @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED` */
export function* keysOf(entries: Entries, options: ListOptions | undefined): IterableIterator<string> {
  for (const { kind, key } of listed(entries, options)) if (kind === 'plain') yield key
}

/** @throws likewise */
export function* infosOf(entries: Entries, options: ListOptions | undefined): IterableIterator<EntryInfo> {
  for (const each of listed(entries, options)) yield infoOf(entries, each, each.entry)
}

/** The entries of a key, or analyses of a file. @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED` */
export function findEntries(entries: Entries, asked: string | AnalysesOf): EntryInfo[] {
  if (typeof asked === 'object' && asked !== null && 'file' in asked) return findAnalyses(entries, asked)
  const key = entries.keyOf(asked)
  return entries.attempt([], () =>
    entries.store.manifest
      .lookEverywhere(key)
      .flatMap(found => (found.kind === 'plain' ? infoOf(entries, found, found.entry) : [])),
  )
}

function* listed(entries: Entries, options: ListOptions | undefined): IterableIterator<ListedEntry> {
  const known = ['allVersions', 'allProjects', 'prefix', 'onProgress']
  const { allVersions = false, allProjects = false, prefix, onProgress } = assertOptions('entries', options, known)
  assertPrefix(prefix)
  assertOptionalFunction('onProgress', onProgress)
  const { store } = entries
  store.assertOpen()
  currentComputation()?.recorder.spoil()
  for (const each of guarded(entries, onProgress)) {
    if (each.isAnswer || (!allVersions && each.version !== entries.options.version)) continue
    if ((allProjects || belongsTo(entries, each)) && beginsWith(each, prefix)) yield each
  }
}

/** Ends where reading the entries fails, and reports that. */
function* guarded({ store }: Entries, onProgress: ListOptions['onProgress']): IterableIterator<ListedEntry> {
  try {
    yield* store.manifest.entries(error => store.report(error), onProgress)
  } catch (error) {
    store.report(error)
  }
}
