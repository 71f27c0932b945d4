// Parses one line from a client: a JSON object whose member `value` is kept as bytes.

import { isUtf8 } from 'node:buffer'
import { isAbsolute } from 'node:path'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a

const NAME = Buffer.from(JSON.stringify('value'))
const isOpen = (byte: number) => byte === 0x7b || byte === 0x5b
const isClose = (byte: number) => byte === 0x7d || byte === 0x5d
const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === 0x0d

/** Mistakes of a client. */
export class RequestError extends Error {
  readonly code: string

  constructor(message: string, code = 'ERR_CACHE_OPTION') {
    super(message)
    this.code = code
  }
}

/** @throws RequestError if it doesn't name a file */
export function assertPath(path: unknown): string {
  // The working directory of this process means nothing to the client.
  if (typeof path !== 'string' || !isAbsolute(path)) {
    throw new RequestError(`The path ${JSON.stringify(path)} must be absolute.`)
  }
  // Node would read a different file.
  if (!path.isWellFormed()) throw new RequestError(`The path ${JSON.stringify(path)} must not have lone surrogates.`)
  if (path.includes('\0')) throw new RequestError(`The path ${JSON.stringify(path)} must not have null characters.`)
  return path
}

export interface Request {
  members: Record<string, unknown>
  /** The bytes of the member `value`, not yet checked to be JSON. */
  value: Buffer | undefined
}

/** @throws RequestError */
export function parseRequest(line: Buffer): Request {
  if (!isUtf8(line)) throw new RequestError('A request must be UTF-8.')
  const span = line.includes(NAME) ? findValue(line) : undefined
  const rest = span ? `${line.toString('utf8', 0, span.start)}null${line.toString('utf8', span.end)}` : line.toString()
  let members: unknown
  try {
    members = JSON.parse(rest)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new RequestError(`A request must be an object in JSON: ${error.message}`)
  }
  if (typeof members !== 'object' || members === null || Array.isArray(members)) {
    throw new RequestError('A request must be an object in JSON.')
  }
  if ('value' in members && !span)
    throw new RequestError('The name of the member value must be written without escapes.')
  return { members: members as Record<string, unknown>, value: span && line.subarray(span.start, span.end) }
}

/** The range of the value of the outermost object's member `value`. @throws RequestError if there are two */
function findValue(line: Buffer): { start: number; end: number } | undefined {
  let depth = 0
  let start: number | undefined
  let found: { start: number; end: number } | undefined
  for (let at = 0; at < line.length; at++) {
    const byte = line[at] as number
    if (byte === QUOTE) {
      const end = endOfString(line, at)
      const colon = depth === 1 && start === undefined && isName(line, at, end) ? afterSpace(line, end) : 0
      at = end - 1
      if (line[colon] !== COLON) continue
      if (found) throw new RequestError('A request must have one member value.')
      start = afterSpace(line, colon + 1)
      at = start - 1
    } else if (isOpen(byte)) depth++
    else if (byte === COMMA || isClose(byte)) {
      if (depth === 1 && start !== undefined) {
        found = { start, end: beforeSpace(line, at) }
        start = undefined
      }
      if (byte !== COMMA) depth--
    }
  }
  return found
}

const isName = (line: Buffer, start: number, end: number) =>
  end - start === NAME.length && line.compare(NAME, 0, NAME.length, start, end) === 0

function afterSpace(line: Buffer, at: number): number {
  while (isSpace(line[at])) at++
  return at
}

function beforeSpace(line: Buffer, at: number): number {
  while (isSpace(line[at - 1])) at--
  return at
}

/** The end of the string that begins at the position. */
function endOfString(line: Buffer, start: number): number {
  for (let end = start; ; ) {
    end = line.indexOf(QUOTE, end + 1)
    if (end < 0) return line.length
    let escapes = end
    while (line[escapes - 1] === BACKSLASH) escapes--
    if ((end - escapes) % 2 === 0) return end + 1
  }
}
