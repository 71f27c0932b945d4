// Finds the analyses of a file in all versions.

import type { AnalysesOf, EntryInfo } from '../api/index.js'
import { assertOptions } from '../base/options.js'
import { givenPath } from '../compute/paths.js'
import { contentName } from '../entries/content-name.js'
import type { Entries } from '../entries/entries.js'
import { analysisKey } from '../manifest/analysis-key.js'
import type { ListedEntry } from '../manifest/records.js'
import { recordPath } from '../project/paths.js'
import { infoOf } from './info.js'

/** @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED` */
export function findAnalyses(entries: Entries, asked: AnalysesOf): EntryInfo[] {
  const { name, file } = assertOptions('find', asked, ['name', 'file'])
  entries.store.assertOpen()
  const given = givenPath(entries.store.environment.files, file)
  const { path } = recordPath(entries.project, given.absolute)
  const places = [path, contentName(entries, given.absolute)].flatMap(place => place ?? [])
  const { manifest } = entries.store
  const listed = entries.attempt([], () =>
    name === undefined
      ? analysesAt(manifest.entries(), places)
      : places.flatMap(place =>
          manifest.lookEverywhere(entries.keyOf(analysisKey(name, place), 'analysis', 'portable')),
        ),
  )
  return listed.map(each => infoOf(entries, each, each.entry))
}

/** Reads the whole manifest, because without a name there is no key to look up. */
function analysesAt(entries: Iterable<ListedEntry>, places: readonly string[]): ListedEntry[] {
  const found: ListedEntry[] = []
  for (const listed of entries) {
    if (listed.isAnswer || listed.kind !== 'analysis') continue
    const place = listed.key.slice(listed.key.indexOf('\0') + 1)
    if (places.includes(place)) found.push(listed)
  }
  return found
}
