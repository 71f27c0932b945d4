// Redis's protocol RESP, version 2. https://redis.io/docs/latest/develop/reference/protocol-spec/

export class RedisError {
  /** The first word of the message, such as `WRONGPASS`. */
  readonly code: string

  constructor(text: string) {
    this.code = /^[A-Z]{1,32}/.exec(text)?.[0] ?? 'ERR'
  }
}

export type Reply = string | number | Buffer | null | RedisError | Reply[]

/** An incomplete bulk string. */
interface Text {
  /** Length with the line end. */
  bytesLeft: number
  length: number
  chunks: Buffer[]
  keptBytes: number
}

const CRLF = Buffer.from('\r\n')
const MAX_LINE_BYTES = 65_536
/** What the texts of one reply may take in memory. Further ones count as missing. */
const MAX_REPLY_BYTES = 256 * 1024 * 1024

export function encodeCommand(parts: readonly (string | Uint8Array)[]): Buffer {
  const bytes = [Buffer.from(`*${parts.length}\r\n`)]
  for (const part of parts) {
    const content = typeof part === 'string' ? Buffer.from(part) : part
    bytes.push(Buffer.from(`$${content.length}\r\n`), Buffer.from(content), CRLF)
  }
  return Buffer.concat(bytes)
}

/**
 * Calls `reply` for each complete reply, however the bytes are split. Of a long text only `maxBytes` + 1 bytes are kept.
 * `maxItems` gives the number of items that the next reply may have as a list. A list never contains another one.
 */
export class ReplyParser {
  readonly #maxBytes: number
  readonly #maxItems: () => number
  readonly #reply: (reply: Reply) => void
  #rest: Buffer = Buffer.alloc(0)
  #text: Text | undefined
  #list: { items: Reply[]; length: number } | undefined
  #replyBytes = 0

  constructor(maxBytes: number, maxItems: () => number, reply: (reply: Reply) => void) {
    this.#maxBytes = maxBytes
    this.#maxItems = maxItems
    this.#reply = reply
  }

  /** @throws Error if the bytes aren't a reply */
  push(chunk: Buffer): void {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    this.#rest = Buffer.alloc(0)
    while (bytes.length > 0) {
      const taken = this.#text ? this.#takeText(this.#text, bytes) : this.#takeLine(bytes)
      if (taken === 0) {
        if (bytes.length > MAX_LINE_BYTES) throw new Error('A line is too long.')
        this.#rest = Buffer.from(bytes)
        return
      }
      bytes = bytes.subarray(taken)
    }
  }

  #takeText(text: Text, bytes: Buffer): number {
    const taken = Math.min(text.bytesLeft, bytes.length)
    const wanted = Math.min(text.length, this.#maxBytes + 1) - text.keptBytes
    const kept = bytes.subarray(0, Math.min(taken, wanted))
    if (kept.length > 0) text.chunks.push(Buffer.from(kept))
    text.keptBytes += kept.length
    this.#replyBytes += kept.length
    text.bytesLeft -= taken
    const isTooMuch = this.#replyBytes > MAX_REPLY_BYTES
    if (isTooMuch) text.chunks.length = 0
    if (text.bytesLeft === 0) {
      this.#text = undefined
      this.#add(isTooMuch ? null : Buffer.concat(text.chunks))
    }
    return taken
  }

  /** 0 if the line is incomplete. */
  #takeLine(bytes: Buffer): number {
    const end = bytes.indexOf(CRLF)
    if (end < 0) return 0
    const line = bytes.toString('utf8', 1, end)
    switch (String.fromCharCode(bytes[0] as number)) {
      case '+':
        this.#add(line)
        break
      case '-':
        this.#add(new RedisError(line))
        break
      case ':':
        this.#add(Number(line))
        break
      case '$':
        this.#beginText(lengthOf(line, 2 ** 30))
        break
      case '*':
        this.#beginList(lengthOf(line, this.#maxItems()))
        break
      default:
        throw new Error('It is not a reply.')
    }
    return end + CRLF.length
  }

  #beginText(length: number): void {
    if (length < 0) this.#add(null)
    else this.#text = { bytesLeft: length + CRLF.length, length, chunks: [], keptBytes: 0 }
  }

  #beginList(length: number): void {
    if (length < 0) this.#add(null)
    else if (this.#list) throw new Error('A list is inside another one.')
    else if (length === 0) this.#add([])
    else this.#list = { items: [], length }
  }

  #add(item: Reply): void {
    const list = this.#list
    list?.items.push(item)
    if (list && list.items.length < list.length) return
    this.#list = undefined
    this.#replyBytes = 0
    this.#reply(list?.items ?? item)
  }
}

function lengthOf(line: string, max: number): number {
  const length = /^-?\d+$/.test(line) ? Number(line) : Number.NaN
  if (length >= -1 && length <= max) return length
  throw new Error('It is not a length.')
}
