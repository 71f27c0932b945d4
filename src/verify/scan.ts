// Reads one log from beginning to end, and reports everything that is not a valid frame, with its offset. A get skips this
// silently. The log finds the frames for verify and get alike, so that they never disagree on what a frame is.

import { CacheError, errnoOf } from '../base/errors.js'
import { FORMAT_VERSION, FRAME, FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { Log } from '../log/log.js'
import { OPEN_IDENTITY_AT, OPEN_SEED_AT } from '../log/log-file.js'

export interface Flaw {
  kind: 'torn' | 'corrupt'
  offset: number
  bytes: number
  message: string
}

export interface Scan {
  flaws: Flaw[]
  /** Where a possibly unfinished frame begins; `sizeBytes` if there is none. */
  end: number
  sizeBytes: number
}

/** What is wrong with a frame whose checksum is right; undefined for nothing. Also called for frames after a seal. */
export type FrameCheck = (type: number, bytes: Buffer, start: number, end: number, offset: number) => string | undefined

/** If a file has more flaws than this, the rest is reported as one. */
const MAX_FLAWS = 1000

export const FLAW_MESSAGES = {
  corrupt: 'What was written here is damaged.',
  lost: 'What was written here is damaged, so that nothing before it in this file can be trusted.',
  torn: 'A writer was killed here before it had finished; nobody was told that this was stored.',
}

/** Undefined if the file is gone or was replaced. @throws errno-style errors */
export function scanLog(environment: Environment, path: string, identity: string, check: FrameCheck): Scan | undefined {
  const log = new Log(environment, path, identity, 'read')
  const flaws: Flaw[] = []
  const add = (kind: Flaw['kind'], offset: number, bytes: number, message: string) => {
    const last = flaws.at(-1)
    if (last?.kind === kind && last.message === message && last.offset + last.bytes === offset) last.bytes += bytes
    else if (last && flaws.length === MAX_FLAWS) {
      if (kind === 'corrupt') last.kind = kind
      last.bytes = offset + bytes - last.offset
    } else flaws.push({ kind, offset, bytes, message })
  }
  try {
    const isRead = log.read({
      frame(type, bytes, start, end, offset) {
        const message =
          type === FRAME.open
            ? checkOpening(environment, identity, bytes, start, end)
            : check(type, bytes, start, end, offset)
        if (message) add('corrupt', offset, FRAME_HEADER_BYTES + end - start + FRAME_TRAILER_BYTES, message)
      },
      damage(_bytes, start, end, damage, offset) {
        add(damage === 'torn' ? 'torn' : 'corrupt', offset, end - start, FLAW_MESSAGES[damage])
      },
    })
    if (!isRead) return undefined
    return { flaws, end: log.end, sizeBytes: log.sizeBytes }
  } finally {
    log.close()
  }
}

function checkOpening(
  { hashSeed }: Environment,
  identity: string,
  bytes: Buffer,
  start: number,
  end: number,
): string | undefined {
  const isThis =
    end - start >= OPEN_IDENTITY_AT &&
    bytes.readUInt16LE(start) === FORMAT_VERSION &&
    bytes.toString('utf8', start + OPEN_IDENTITY_AT, end) === identity
  if (!isThis) return 'The file says that it is another one.'
  const seed = bytes.readUInt32LE(start + OPEN_SEED_AT)
  if (seed !== hashSeed.current()) hashSeed.reconcile(seed)
  return undefined
}

/**
 * Whether the error comes from the disk or its content, and not from a mistake in the code. Reading past the end of a forged
 * record throws a RangeError.
 */
export function isFailure(error: unknown): error is Error {
  return errnoOf(error) !== undefined || error instanceof CacheError || error instanceof RangeError
}
