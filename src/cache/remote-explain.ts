// Explains what the remote tier answers to one question.

import type { RemoteExplanation, RemoteQuestion } from '../api/index.js'
import { escapeNamespace } from '../base/layout.js'
import { assertOptions, refuseOption } from '../base/options.js'
import { givenPath } from '../compute/paths.js'
import { askRemote } from '../compute/remote.js'
import { Entries } from '../entries/entries.js'
import type { NamespaceStore } from '../entries/store.js'
import { askerAt } from '../inputs/recorded-place.js'
import { analysisKey } from '../manifest/analysis-key.js'
import { recordPath } from '../project/paths.js'
import type { RemoteTier } from '../remote/tier.js'
import { OPTIONS, projectIn, Questions } from './remote-questions.js'

export interface ExplainMeans {
  tier: RemoteTier
  storeOf(directory: string): NamespaceStore
}

/** Asks the store without keeping the answer. @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_KEY`, `ERR_CACHE_NAMESPACE` */
export async function explainRemote(
  { tier, storeOf }: ExplainMeans,
  asked: RemoteQuestion,
): Promise<RemoteExplanation> {
  const { namespace, version = '', project, key, name, file } = checked(asked)
  const store = storeOf(escapeNamespace(namespace))
  const here = projectIn(store, project)
  if (!here) return { said: 'not asked' }
  const entries = new Entries(store, { ...OPTIONS, version }, here, false)
  const entryKey =
    file === undefined
      ? entries.keyOf(key as string, 'plain', 'portable')
      : entries.keyOf(
          analysisKey(name as string, recordPath(here, absoluteOf(entries, file)).path),
          'analysis',
          'portable',
        )
  const digest = entries.attempt(undefined, () => store.manifest.look(entryKey).entry?.question)
  const question = new Questions(here).ask(store, Buffer.from(entryKey.bytes), digest)
  if (typeof question !== 'object') return { said: 'not asked' }
  // A tool that names the project runs anywhere, and the plugin mostly in the project's directory.
  const asker = project === undefined ? question.question.asker : askerAt(question.question.asker, '.', '')
  const ask = { ...question.question, asker }
  const taken = await askRemote(question.entries, ask, tier, true)
  const said = tier.noted(store.name, store.manifest.partsOf(ask.key)) ?? 'not asked'
  return { said, ...(taken && { createdAt: taken.createdAt }) }
}

function absoluteOf(entries: Entries, file: string): string {
  return givenPath(entries.store.environment.files, file).absolute
}

function checked(asked: RemoteQuestion): RemoteQuestion {
  const given = assertOptions('explain', asked, ['namespace', 'version', 'project', 'key', 'name', 'file'])
  const { key, name, file, ...others } = given
  const isKey = typeof key === 'string' && name === undefined && file === undefined
  const isAnalysis = key === undefined && typeof name === 'string' && typeof file === 'string'
  const { namespace, version = '', project = '' } = others
  if (typeof namespace !== 'string' || typeof version !== 'string' || typeof project !== 'string')
    throw refuseOption('namespace, version and project must be texts.', asked)
  if (!isKey && !isAnalysis) throw refuseOption('explain takes a key, or a name and a file.', asked)
  return given
}
