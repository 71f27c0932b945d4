// Lists what a namespace holds, entry by entry.

import type { AnalysesOf, EntryInfo, ListOptions } from '../api/index.js'
import { isCacheBroken } from '../base/errors.js'
import { assertOptionalFunction, assertOptions } from '../base/options.js'
import { currentComputation } from '../compute/frame.js'
import type { Entries } from '../entries/entries.js'
import type { ListedEntry } from '../manifest/records.js'
import { findAnalyses } from './find.js'
import { infoOf } from './info.js'
import { assertPrefix, beginsWith, belongsTo } from './owned.js'

/** @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED` */
export function keysOf(entries: Entries, options: ListOptions | undefined): IterableIterator<string> {
  return listed(entries, options, ({ kind, key }) => (kind === 'plain' ? key : undefined))
}

/** @throws likewise */
export function infosOf(entries: Entries, options: ListOptions | undefined): IterableIterator<EntryInfo> {
  return listed(entries, options, each => infoOf(entries, each, each.entry))
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

/** What is made of each entry. Where a part of the library can't be loaded, the list ends. */
function* listed<T>(
  entries: Entries,
  options: ListOptions | undefined,
  shown: (listed: ListedEntry) => T | undefined,
): IterableIterator<T> {
  try {
    for (const each of chosen(entries, options)) {
      const made = shown(each)
      if (made !== undefined) yield made
    }
  } catch (error) {
    if (!isCacheBroken(error)) throw error
    entries.store.report(error)
  }
}

function* chosen(entries: Entries, options: ListOptions | undefined): IterableIterator<ListedEntry> {
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
