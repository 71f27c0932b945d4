// What has been done so far of an upkeep round, so that processes that live for a moment each can take turns at it: the
// state after each slice, and the blobs that were found alive. A log like all others, so that a kill loses the slice that
// it hits and no more, and two processes that take the same turn do no harm: marks only add up, and a state that is in the
// file was true of all the marks before it.
//
// Not guaranteed: that it is there. Without it, with damage in it, or where a copy of the root has it or it is itself a copy, a
// round begins anew: what was done there was not done here.

import { dirname } from 'node:path'
import { FRAME } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { type FrameReader, FrameWriter } from '../log/frames.js'
import { Log } from '../log/log.js'
import type { Position } from '../log-map/record.js'
import { BlobTable } from './blob-table.js'
import type { RoundState } from './round.js'

/** A round that is under way, or when to see whether one is needed. */
export type UpkeepState = RoundState | { phase: 'idle'; dueMs: number }

/** A state of another version is none: a round begins anew. */
const STATE_VERSION = 1
const POSITION_BYTES = 8

export class Journal implements FrameReader {
  readonly #environment: Environment
  readonly #path: string
  #log: Log | undefined
  #state: UpkeepState | undefined
  #marks = new BlobTable()
  #isDamaged = false

  constructor(environment: Environment, path: string) {
    this.#environment = environment
    this.#path = path
  }

  /** The latest state, undefined where there is none. @throws errno-style errors */
  read(): UpkeepState | undefined {
    if (!this.#log?.read(this)) this.#reopen()
    if (this.#isDamaged) this.remove()
    return this.#state
  }

  isMarked(blob: Position): boolean {
    return this.#marks.rowOf(blob) >= 0
  }

  /** @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  write(state: UpkeepState, marks: readonly Position[] = []): void {
    const writer = new FrameWriter()
    if (marks.length > 0) {
      writer.begin(FRAME.marks)
      for (const { place, slot } of marks) writer.u32(place).u32(slot)
      writer.end()
    }
    writer
      .begin(FRAME.state)
      .put(Buffer.from(JSON.stringify({ version: STATE_VERSION, directory: this.#directory(), ...state })))
      .end()
    // Where it was removed meanwhile, somebody else has begun anew.
    this.#log?.append(writer, this)
  }

  /** Begins a file of its own for a new round, or for the time between two. */
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
    this.#isDamaged = false
  }

  /** Tells the directory that the file is in from a copy of it. */
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
      const { version, directory, ...state } = JSON.parse(bytes.toString('utf8', start, end))
      this.#state = version === STATE_VERSION && directory === this.#directory() ? state : undefined
    }
    if (type !== FRAME.marks) return
    for (let at = start; at + POSITION_BYTES <= end; at += POSITION_BYTES) {
      this.#marks.add({ place: bytes.readUInt32LE(at), slot: bytes.readUInt32LE(at + 4) })
    }
  }

  damage(): void {
    this.#isDamaged = true
  }
}
