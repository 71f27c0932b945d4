// A computation that asked for another result inherits the inputs of that result.

import type { Entries } from '../entries/entries.js'
import { valueDigest } from '../entries/entry-digest.js'
import { entryName } from '../inputs/entry-name.js'
import { inputOf, NO_DIGEST } from '../inputs/input.js'
import type { Entry } from '../manifest/entry.js'
import type { Answer, Computation } from './computation.js'
import type { Ask } from './question.js'
import type { Adopted } from './recorder.js'

/** `entry` is the stored entry, if there is one. If the inputs can't be handed on, the asking computation can't be stored. */
export function handOn(
  entries: Entries,
  question: Ask,
  asking: Computation | undefined,
  answer: Answer & { isRecordable?: boolean },
  entry?: Entry,
): void {
  if (!asking) return
  const { recorder } = asking
  const { asker, content } = question
  const { inputs, expiresAt, isRecordable = true } = answer
  const isDone = entries.attempt(false, () => {
    const place = question.place ?? recorder.workingDirectory
    recorder.askThrough(entries, place)
    if (question.namesRelative) recorder.add(place)
    recordSetValue(entries, question, asking, entry)
    const adopted: Adopted = { inputs, expiresAt, isRecordable, asker, place, lists: entries.store.lists }
    recorder.adopt(content ? { ...adopted, inputs: [content, ...inputs] } : adopted)
    return true
  })
  if (!isDone) recorder.spoil()
}

/** Records which value was set under the key, or that none was, for keys that can be set. */
function recordSetValue(
  entries: Entries,
  { plainKey }: Ask,
  { recorder }: Computation,
  entry: Entry | undefined,
): void {
  if (plainKey === undefined || !entries.hasKeys) return
  if (!recorder.knows(entries.store.lists)) {
    recorder.spoil()
    return
  }
  const { directory } = entries.store
  const { version } = entries.options
  const { project } = entries
  const isSameProject = recorder.project?.dir === project?.dir
  const name = entryName({
    namespace: directory,
    version,
    scope: entries.scope,
    project: project && !isSameProject ? project.dir : '',
    key: plainKey,
    isSetOnly: true,
  })
  const isSet = entry !== undefined && entry.computeMs === undefined
  recorder.add(inputOf('entry', name, false, isSet ? valueDigest(entry) : NO_DIGEST))
}
