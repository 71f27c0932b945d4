// The progress of the current background gc cycle, so that short-lived processes can share the work: the state after each
// slice, and the blobs found alive ("marks"). It is a log like all others: a killed process loses one slice at most. Two
// processes that take the same slice do no harm: marks are only added, and a state holds for all marks before it
// in the file.
//
// Not guaranteed: that it exists. If it is missing or damaged, or the root is a copy or was copied, a new cycle begins,
// because work in one copy wasn't done in the other.

import { dirname } from 'node:path'
import { FRAME } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { FrameWriter } from '../log/frames.js'
import { Log } from '../log/log.js'
import type { FrameReader } from '../log/scan.js'
import type { Position } from '../log-map/record.js'
import { BlobTable } from './blob-table.js'
import type { SamplePlan } from './sample-choice.js'
import type { Marks, State } from './state.js'

/** The cycle in progress, or when to check whether one is needed. */
export type UpkeepState = State<SamplePlan> | { phase: 'idle'; dueMs: number }

/** States of other versions are ignored, and a new cycle begins. */
const STATE_VERSION = 3
const POSITION_BYTES = 8

export class Journal implements FrameReader, Marks {
  readonly #environment: Environment
  readonly #path: string
  #log: Log | undefined
  #state: UpkeepState | undefined
  #marks = new BlobTable()
  /** Marks that are not in the file yet. */
  #newMarks: Position[] = []
  #isDamaged = false

  constructor(environment: Environment, path: string) {
    this.#environment = environment
    this.#path = path
  }

  /** The latest state; undefined if there is none. @throws errno-style errors */
  read(): UpkeepState | undefined {
    if (!this.#log?.read(this)) this.#reopen()
    if (this.#isDamaged) this.remove()
    return this.#state
  }

  /** Adds a mark, which is written with the next state. */
  add(blob: Position): void {
    this.#newMarks.push(blob)
  }

  /** The row of a blob that is marked in the file. */
  rowOf(blob: Position): number {
    return this.#marks.rowOf(blob)
  }

  /**
   * False if another process has begun a new cycle and removed the file. @throws errno-style errors; CacheError
   * `ERR_CACHE_IO`
   */
  write(state: UpkeepState): boolean {
    const writer = new FrameWriter()
    if (this.#newMarks.length > 0) {
      writer.begin(FRAME.marks)
      for (const { hash, tag } of this.#newMarks) writer.u32(hash).u32(tag)
      writer.end()
    }
    this.#newMarks = []
    writer
      .begin(FRAME.state)
      .put(Buffer.from(JSON.stringify({ version: STATE_VERSION, directory: this.#directory(), state })))
      .end()
    return this.#log !== undefined && this.#log.append(writer, this) >= 0
  }

  /** Starts a new file for a new cycle, or for the time between two. */
  begin(state: UpkeepState): void {
    this.remove()
    this.#environment.files.createFile(this.#path, '')
    this.#reopen()
    this.write(state)
  }

  remove(): void {
    this.close()
    this.#environment.files.remove(this.#path)
  }

  close(): void {
    this.#log?.close()
    this.#log = undefined
    this.#state = undefined
    this.#marks = new BlobTable()
    this.#newMarks = []
    this.#isDamaged = false
  }

  /** Identifies the file's directory, so that a copy of it is noticed. */
  #directory(): number | undefined {
    return this.#environment.files.linkStat(dirname(this.#path))?.inode
  }

  #reopen(): void {
    this.close()
    const log = new Log(this.#environment, this.#path, 'upkeep', 'append')
    if (log.read(this)) this.#log = log
    else log.close()
  }

  frame(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === FRAME.state) {
      const { version, directory, state } = JSON.parse(bytes.toString('utf8', start, end))
      this.#state = version === STATE_VERSION && directory === this.#directory() ? state : undefined
    }
    if (type !== FRAME.marks) return
    for (let at = start; at + POSITION_BYTES <= end; at += POSITION_BYTES) {
      this.#marks.add({ hash: bytes.readUInt32LE(at), tag: bytes.readUInt32LE(at + 4) })
    }
  }

  damage(): void {
    this.#isDamaged = true
  }
}
