// Serves the cache to programs in other languages: one JSON request per line on standard input, one JSON response per line on
// standard output, in order. docs/serve.md describes the protocol.

import { resolve } from 'node:path'
import type { CacheWarning } from '../../src/index.js'
import type { Context, ExitCode } from '../command.js'
import { LineSplitter, TOO_LONG } from './lines.js'
import { type Answer, assertMembers, Operations } from './operations.js'
import { parseRequest, type Request, RequestError } from './request.js'

/** The version of the protocol. */
const PROTOCOL = 1
/** Enough for a value of 200 MB and its key. */
const MAX_LINE_BYTES = 256 * 1024 * 1024

const NEWLINE = 0x0a
/** The end of a response. */
const LINE_END = Buffer.of(0x7d, NEWLINE)
const RETURN = 0x0d
const SPACE = 0x20

export interface ServeOptions {
  dir?: string | undefined
}

export async function serve({ dir }: ServeOptions, context: Context): Promise<ExitCode> {
  const { openCache, defaultDir } = await context.library()
  const warnings: CacheWarning[] = []
  const cache = await openCache({
    dir: resolve(dir ?? defaultDir(context.env)),
    onWarning: warning => {
      warnings.push(warning)
    },
  })
  const operations = new Operations(cache)
  const { stdin, stdout, version } = context
  const write = (answer: Answer) => {
    const told = warnings.splice(0).map(({ code, message }) => ({ code, message }))
    return stdout.write(
      told.length === 0 ? toLine(answer) : toLine({ ...answer, members: { ...answer.members, warnings: told } }),
    )
  }

  let isStopped = false
  context.stopped().then(() => {
    isStopped = true
    stdin.destroy?.()
  })
  /** Answers one line. Returns false when the client has ended the session. */
  const handle = async (line: Buffer | typeof TOO_LONG): Promise<boolean> => {
    let id: unknown = null
    try {
      const request = readRequest(line)
      id = idOf(request)
      if (request.members.op === 'close') {
        assertMembers('close', request.members)
        // Before the response, so that everything is written when the client gets it.
        cache.close()
        await write({ members: { id, closed: true } })
        return false
      }
      const { members, value } = operations.run(request)
      return await write({ members: { id, ...members }, value })
    } catch (error) {
      const { code = 'ERR_CACHE_IO', message } = error as NodeJS.ErrnoException
      return write({ members: { id, error: { code, message } } })
    }
  }

  const lines = new LineSplitter(MAX_LINE_BYTES)
  const serveAll = async () => {
    if (!(await write({ members: { serve: PROTOCOL, version, dir: cache.dir, maxLineBytes: MAX_LINE_BYTES } }))) return
    for await (const chunk of stdin) {
      for (const line of lines.add(Buffer.from(chunk as Uint8Array))) {
        if (isStopped || !(await handle(line))) return
      }
    }
    const rest = lines.rest()
    if (rest === TOO_LONG || rest.length > 0) await handle(rest)
  }
  try {
    await serveAll()
  } catch (error) {
    // The error of a destroyed stream.
    if (!isStopped) throw error
  } finally {
    cache.close()
  }
  return 0
}

/** @throws RequestError */
function readRequest(line: Buffer | typeof TOO_LONG): Request {
  if (line !== TOO_LONG) return parseRequest(line)
  throw new RequestError(`A line must not have more than ${MAX_LINE_BYTES} bytes.`, 'ERR_CACHE_VALUE_TOO_LARGE')
}

/** @throws RequestError */
function idOf({ members: { id = null } }: Request): unknown {
  if (id === null || typeof id === 'string' || Number.isSafeInteger(id)) return id
  throw new RequestError('id must be a text or an integer.')
}

function toLine({ members, value }: Answer): string | Uint8Array {
  const text = JSON.stringify(members)
  if (!value) return `${text}\n`
  return Buffer.concat([Buffer.from(`${text.slice(0, -1)},"value":`), withoutLineEnds(value), LINE_END])
}

/** Line ends in JSON are only white space outside of strings, so they can be replaced. */
function withoutLineEnds(value: Uint8Array): Uint8Array {
  if (!value.includes(NEWLINE) && !value.includes(RETURN)) return value
  return value.map(byte => (byte === NEWLINE || byte === RETURN ? SPACE : byte))
}
