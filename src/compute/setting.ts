// Prepares a computation: its context, with the analyzed file read.

import type { AnalyzeContext, ComputeContext } from '../api/index.js'
import type { Entries } from '../entries/entries.js'
import { inputOf } from '../inputs/input.js'
import type { Snapshot } from '../inputs/snapshot.js'
import { type ContextInput, createAnalyzeContext, createContext, Observer, type Subject } from './context.js'
import type { Frame } from './frame.js'
import type { Ask } from './question.js'
import type { Recorder } from './recorder.js'
import type { runInFrame } from './run-in-frame.js'

/** The frame in which a computation runs, and the snapshot of the question. */
export interface Setting {
  frame: Frame
  enter: typeof runInFrame
  before: Snapshot
}

/** Makes the context for the caller's function. @throws errors of reading the analyzed file */
export function contextFor(
  entries: Entries,
  question: Ask,
  recorder: Recorder,
  { frame, enter, before }: Setting,
): AnalyzeContext | ComputeContext {
  const input: ContextInput = {
    recorder,
    means: entries.store.snapshotMeans,
    asker: question.asker,
    lists: entries.store.lists,
    snapshot: () => entries.store.snapshot(),
    report: entries.store.report,
    run(fn) {
      recorder.assertRunning()
      return enter(frame, fn)
    },
    untracked: fn => enter({ computation: undefined, snapshots: frame.snapshots }, fn),
  }
  const observer = new Observer(input)
  const subject = readSubject(question, recorder, before)
  observer.declare(question.files)
  return subject ? createAnalyzeContext(observer, input, subject) : createContext(observer, input)
}

/** Records the analyzed file as the first input, which leads to the answer. @throws errors of reading it */
function readSubject({ asker, subject, content }: Ask, recorder: Recorder, snapshot: Snapshot): Subject | undefined {
  try {
    const read = subject?.(snapshot)
    if (read && !read.isAsAsked) recorder.spoil()
    return read
  } finally {
    // That the file can't be read is an input as well, unless the key contains the content.
    if (subject) {
      const input = content ?? snapshot.now(inputOf('file', ''), asker)
      if (input) recorder.begin(asker.file ?? '', input, !content)
      else recorder.spoil()
    }
  }
}
