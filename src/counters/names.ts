// The names of all counts, and the size of a count on disk.

import type { MissReason } from '../api/index.js'

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9
/** How many answers of the remote tier took how long: one name for each range of times, see `answer-times.ts`. */
export type AnswerTimeName = `remote-took-${'' | 1 | 2 | 3}${Digit}`
export const ANSWER_TIMES = 40

/**
 * A name's index is its number on disk, so a new name changes the format. Times are in µs. `day` is that of the other counts, in
 * days since 1970 (UTC); `day-size` is the largest size of the cache's files that was seen. `project` and `project-sum` stay
 * last: they are how many bytes of a project's directory follow. A sum is of counts that are in other records as well.
 */
export const COUNTER_NAMES = [
  'hits',
  'sets',
  'never-set',
  'deleted',
  'invalidated',
  'expired',
  'source-changed',
  'source-missing',
  'source-appeared',
  'blob-missing',
  'corrupt',
  'unreadable',
  'version-changed',
  'evicted',
  'environment-changed',
  'entry-changed',
  'moved',
  'question-changed',
  'invalid',
  'refresh',
  'no-project',
  'remote-hits',
  'remote-misses',
  'remote-errors',
  'remote-rejected',
  'remote-skipped',
  'remote-uploads',
  'remote-dropped',
  'remote-bytes-in',
  'remote-bytes-out',
  'time-saved',
  'time-computed',
  'day',
  'day-size',
  'day-evicted',
  'day-evicted-bytes',
  'day-useless',
  ...Array.from({ length: ANSWER_TIMES }, (_, at) => `remote-took-${at}` as AnswerTimeName),
  'project',
  'project-sum',
] as const satisfies readonly ('hits' | 'sets' | MissReason | `${'remote' | 'time' | 'day' | 'project'}${string}`)[]

export type CounterName = (typeof COUNTER_NAMES)[number]
export type TimeName = Extract<CounterName, `time-${string}`>
export type Counts = Record<CounterName, number>

/** Name u8, count u48. */
export const COUNT_BYTES = 7
