// One log read from beginning to end, for what in it is no whole frame of its kind. What a get would skip in silence is
// told here with its offset. Frames come to the check as they do to all readers, through the log, so that verify and
// get never disagree on what is a frame.

import { CacheError, errnoOf } from '../base/errors.js'
import { FORMAT_VERSION, FRAME, FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { Log } from '../log/log.js'

export interface Flaw {
  kind: 'torn' | 'corrupt'
  offset: number
  bytes: number
  message: string
}

export interface Scan {
  flaws: Flaw[]
  /** Where what may be an unfinished frame begins; `sizeBytes` where there is none. */
  end: number
  sizeBytes: number
  /** More bytes than the longest frame could take up hold no frame: readers give up on what follows. */
  isEndless: boolean
}

/** What is wrong with a frame whose check holds, undefined for nothing; frames before a seal and after it come alike. */
export type FrameCheck = (type: number, bytes: Buffer, start: number, end: number, offset: number) => string | undefined

/** More flaws than this in one file are told as one that reaches from there to the last. */
const MAX_FLAWS = 1000

export const FLAW_MESSAGES = {
  lost: 'What was written here is damaged.',
  mended: 'The header of a frame is damaged; the rest of the frame proves what it was.',
  torn: 'A writer was killed here before it had finished; nobody was told that this was stored.',
}

/** @throws errno-style errors; undefined when the file is gone, or gives way to another one meanwhile */
export function scanLog(environment: Environment, path: string, identity: string, check: FrameCheck): Scan | undefined {
  const log = new Log(environment, path, identity, 'read')
  const opening = Buffer.concat([Buffer.from([FORMAT_VERSION & 0xff, FORMAT_VERSION >> 8]), Buffer.from(identity)])
  const flaws: Flaw[] = []
  const add = (kind: Flaw['kind'], offset: number, bytes: number, message: string) => {
    const last = flaws.at(-1)
    if (last && flaws.length === MAX_FLAWS) {
      if (kind === 'corrupt') last.kind = kind
      last.bytes = offset + bytes - last.offset
    } else flaws.push({ kind, offset, bytes, message })
  }
  try {
    const isRead = log.read({
      frame(type, bytes, start, end, offset) {
        const isOpening = type === FRAME.open
        const message = isOpening
          ? opening.equals(bytes.subarray(start, end))
            ? undefined
            : 'The file says that it is another one.'
          : check(type, bytes, start, end, offset)
        if (message) add('corrupt', offset, end - start + FRAME_HEADER_BYTES, message)
      },
      damage(_bytes, start, end, damage, offset) {
        add(damage === 'torn' ? 'torn' : 'corrupt', offset, end - start, FLAW_MESSAGES[damage])
      },
    })
    if (!isRead) return undefined
    let { end } = log
    const isEndless = log.sizeBytes - end > MAX_FRAME_BYTES
    if (isEndless) {
      add('corrupt', end, log.sizeBytes - end, FLAW_MESSAGES.lost)
      end = log.sizeBytes
    }
    return { flaws, end, sizeBytes: log.sizeBytes, isEndless }
  } finally {
    log.close()
  }
}

/**
 * Whether the error is one of the disk or of what is on it, and no mistake of this code: a RangeError is what reading a forged
 * record past its end gives.
 */
export function isFailure(error: unknown): error is Error {
  return errnoOf(error) !== undefined || error instanceof CacheError || error instanceof RangeError
}
